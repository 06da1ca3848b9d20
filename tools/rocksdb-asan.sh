#!/usr/bin/env bash
# Runs the tests of the RocksDB addon, the fuzz test with many more runs, with an addon that was built with AddressSanitizer
# and UndefinedBehaviorSanitizer. In a copy of its package, so that the addon in use stays. Leaks are not looked for: Node.js
# leaves memory at its end on purpose.
#   tools/rocksdb-asan.sh [runs of the fuzz test]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
node=$root/node_modules/.bin/node
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/packages/rocksdb"
cp -r "$root/packages/rocksdb/"{package.json,native,src} "$copy/packages/rocksdb/"
ln -s "$root/node_modules" "$copy/node_modules"
cp "$root/package.json" "$root/vitest.config.ts" "$copy/"
echo '{ "compilerOptions": { "module": "nodenext" } }' >"$copy/tsconfig.json"
FLINK_ROCKSDB_ASAN=1 "$node" "$copy/packages/rocksdb/native/build.mjs"
library=$("${CXX:-g++}" -print-file-name=libasan.so)
cd "$copy"
log=$copy/asan
LD_PRELOAD=$library ASAN_OPTIONS=detect_leaks=0:log_path=$log:halt_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:log_path=$log \
  FLINK_FUZZ_RUNS=${1:-1000} \
  "$node" node_modules/vitest/vitest.mjs run --root "$copy" --project unit --pool forks packages/rocksdb
if compgen -G "$log.*" >/dev/null; then
  cat "$log".*
  exit 1
fi
echo 'AddressSanitizer and UndefinedBehaviorSanitizer found nothing.'
