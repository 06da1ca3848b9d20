#!/usr/bin/env bash
# Starts and stops the history server of this host, which shows jobs that are over: those in historyserver.archive.fs.dir.
set -euo pipefail
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
. "$bin/config.sh"
. "$bin/daemon.sh"

command=${1:-}
shift || true

case $command in
  start) start_daemon historyserver "$@" ;;
  start-foreground) run_in_foreground historyserver "$@" ;;
  stop) stop_daemons historyserver all ;;
  *)
    echo "Usage: historyserver.sh (start|start-foreground) [-D key=value ...] | stop" >&2
    exit 1
    ;;
esac
