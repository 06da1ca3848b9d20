#!/usr/bin/env bash
# Starts and stops the JobManager of this host.
set -euo pipefail
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
. "$bin/config.sh"
. "$bin/daemon.sh"

command=${1:-}
shift || true

# [host] [webui-port] before the options, as in Flink.
arguments=()
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  arguments+=("-Djobmanager.rpc.address=$1")
  shift
fi
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  arguments+=("-Drest.port=$1")
  shift
fi
arguments+=("$@")

case $command in
  start) start_daemon standalonesession ${arguments[@]+"${arguments[@]}"} ;;
  start-foreground) run_in_foreground standalonesession ${arguments[@]+"${arguments[@]}"} ;;
  stop) stop_daemons standalonesession last ;;
  stop-all) stop_daemons standalonesession all ;;
  *)
    echo "Usage: jobmanager.sh (start|start-foreground) [host] [webui-port] [-D key=value ...] | stop | stop-all" >&2
    exit 1
    ;;
esac
