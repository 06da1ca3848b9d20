# Shared by the scripts that start real servers for tests: `source lib.sh`, then set `dir`, the folder of one server.
# Downloads go to $FLINK_TEST_CACHE once; everything else lies in the folder; only what was started here is ended.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLINK_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flink-ts-test-servers}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

free_ports() { # how many: prints that many free ports
  "${FLINK_NODE:-node}" -e '
    const net = require("node:net"), servers = Array.from({ length: +process.argv[1] }, () => net.createServer())
    Promise.all(servers.map(s => new Promise(r => s.listen(0, "127.0.0.1", r)))).then(() => {
      console.log(servers.map(s => s.address().port).join(" "))
      for (const s of servers) s.close()
    })' "$1"
}

alive() { [ -f "$dir/pids/$1" ] && kill -0 "$(cat "$dir/pids/$1")" 2>/dev/null; }

launch() { # name command...: unless it runs already
  local name=$1
  shift
  alive "$name" && return 0
  mkdir -p "$dir/pids" "$dir/log"
  setsid "$@" >"$dir/log/$name.out" 2>&1 </dev/null &
  echo $! >"$dir/pids/$name"
}

stop_one() { # name [signal]
  local file=$dir/pids/$1 pid
  [ -f "$file" ] || return 0
  pid=$(cat "$file")
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  for _ in $(seq 50); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$file"
}

stop_all() {
  local file
  for file in "$dir"/pids/*; do
    [ -f "$file" ] && stop_one "$(basename "$file")" "${1:-TERM}"
  done
  return 0
}

until_true() { # seconds command...: looks every 0.2 s, and gives up at once when a process of ours is gone
  local left=$(($1 * 5)) file
  shift
  while [ $left -gt 0 ]; do
    "$@" >/dev/null 2>&1 && return 0
    for file in "$dir"/pids/*; do
      kill -0 "$(cat "$file")" 2>/dev/null && continue
      file=$(basename "$file")
      echo "$file ended:" >&2
      tail -n 20 "$dir/log/$file.out" >&2
      return 1
    done
    left=$((left - 1))
    sleep 0.2
  done
  echo "timeout: $*" >&2
  return 1
}
