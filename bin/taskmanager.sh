#!/usr/bin/env bash
# Starts and stops TaskManagers of this host. Each start adds one; stop ends the one started last. Stopping lets running
# tasks end first, up to taskmanager.drain-timeout; with --now it does not.
set -euo pipefail
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
. "$bin/config.sh"
. "$bin/daemon.sh"

command=${1:-}
shift || true

case $command in
  start) start_daemon taskexecutor "$@" ;;
  start-foreground) run_in_foreground taskexecutor "$@" ;;
  stop) stop_daemons taskexecutor last "$@" ;;
  stop-all) stop_daemons taskexecutor all "$@" ;;
  *)
    echo "Usage: taskmanager.sh (start|start-foreground) [-D key=value ...] | (stop|stop-all) [--now]" >&2
    exit 1
    ;;
esac
