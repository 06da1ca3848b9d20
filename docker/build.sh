#!/usr/bin/env bash
# build.sh TARGET: builds this source tree and unpacks what npm run dist makes into TARGET.
set -euo pipefail
target=${1:?usage: build.sh TARGET}
cd "$(dirname "$0")/.."

npm run dist
mkdir -p "$target"
tar -xzf build/flink-ts-*.tgz --strip-components=1 -C "$target"
cp -R docker "$target"
