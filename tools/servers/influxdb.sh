#!/usr/bin/env bash
# InfluxDB 1.x of Debian: that of the system, else its package unpacked into the cache, which needs no rights.
#   influxdb.sh install
#   influxdb.sh start DIR DATABASE...   prints its address
#   influxdb.sh stop DIR
source "$(dirname "$0")/lib.sh"
unpacked=$cache/influxdb

install_it() {
  program=$(command -v influxd || true)
  [ -z "$program" ] || return 0
  program=$unpacked/usr/bin/influxd
  exec 9>"$unpacked.lock"
  flock 9
  if [ ! -x "$program" ]; then
    command -v apt-get >/dev/null || { echo "InfluxDB comes from Debian: install influxd, or set FLINK_TEST_CACHE" >&2; return 1; }
    local download
    download=$(mktemp -d "$cache/influxdb.XXXXXX")
    (cd "$download" && apt-get download influxdb >&2)
    dpkg -x "$download"/influxdb_*.deb "$download/files"
    mv "$download/files" "$unpacked"
    rm -rf "$download"
  fi
  exec 9>&-
}

[ "$1" = install ] && { install_it; exit; }
dir=$(mkdir -p "$2" && cd "$2" && pwd)
case $1 in
start)
  install_it
  [ -f "$dir/ports" ] || free_ports 2 >"$dir/ports"
  read -r port rpc <"$dir/ports"
  cat >"$dir/influxdb.conf" <<CONF
reporting-disabled = true
bind-address = "127.0.0.1:$rpc"
[meta]
  dir = "$dir/meta"
[data]
  dir = "$dir/data"
  wal-dir = "$dir/wal"
[http]
  bind-address = "127.0.0.1:$port"
CONF
  launch influxd "$program" -config "$dir/influxdb.conf"
  until_true 20 curl -sf -o /dev/null "http://127.0.0.1:$port/ping"
  for database in "${@:3}"; do
    curl -sSf -o /dev/null -X POST "http://127.0.0.1:$port/query" --data-urlencode "q=CREATE DATABASE $database"
  done
  echo "http://127.0.0.1:$port"
  ;;
stop) stop_all ;;
esac
