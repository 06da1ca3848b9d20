#!/usr/bin/env bash
# An S3 server on a folder: versitygw, compiled by Go into the cache, once.
#   versitygw.sh install
#   versitygw.sh start DIR BUCKET...    prints its address; keys test / testtest; objects are files below DIR/data
#   versitygw.sh stop DIR
source "$(dirname "$0")/lib.sh"
version=v1.8.0
program=$cache/versitygw-$version

install_it() {
  exec 9>"$program.lock"
  flock 9
  if [ ! -x "$program" ]; then
    # Where Go's own archive and Debian's package put it, which not every PATH names.
    PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin
    command -v go >/dev/null || { echo "versitygw is compiled by Go: install it, or set FLINK_TEST_CACHE" >&2; return 1; }
    GOBIN=$cache/bin CGO_ENABLED=0 go install -ldflags '-s -w' "github.com/versity/versitygw/cmd/versitygw@$version" >&2
    mv "$cache/bin/versitygw" "$program"
  fi
  exec 9>&-
}

[ "$1" = install ] && { install_it; exit; }
dir=$(mkdir -p "$2" && cd "$2" && pwd)
case $1 in
start)
  install_it
  mkdir -p "$dir"/{data,sidecar}
  [ -f "$dir/port" ] || free_ports 1 >"$dir/port"
  address=127.0.0.1:$(cat "$dir/port")
  # The sidecar keeps metadata out of extended attributes, which not every file system has.
  ROOT_ACCESS_KEY=test ROOT_SECRET_KEY=testtest launch versitygw "$program" --port "$address" --region us-east-1 \
    --health /health posix --sidecar "$dir/sidecar" "$dir/data"
  until_true 20 curl -sf -o /dev/null "http://$address/health"
  for bucket in "${@:3}"; do
    curl -sSf -o /dev/null --aws-sigv4 aws:amz:us-east-1:s3 --user test:testtest \
      -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT "http://$address/$bucket"
  done
  echo "http://$address"
  ;;
stop) stop_all ;;
esac
