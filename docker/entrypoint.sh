#!/usr/bin/env bash
# The image's commands: jobmanager, taskmanager, flink, help, or any program.
# Environment: FLINK_PROPERTIES (lines of flink-conf.yaml), JOB_MANAGER_RPC_ADDRESS,
# TASK_MANAGER_NUMBER_OF_TASK_SLOTS.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../bin/config.sh"

# set_option KEY VALUE: replaces the key, because a file that names one twice is refused.
set_option() {
  local file=$FLINK_CONF_DIR/flink-conf.yaml text
  text=$(grep -v "^${1//./\\.}[[:space:]]*:" "$file" || true)
  printf '%s\n%s: %s\n' "$text" "$1" "$2" >"$file"
}

set_properties() {
  local line key
  while IFS= read -r line; do
    [[ $line =~ ^[[:space:]]*([^#:[:space:]][^:[:space:]]*)[[:space:]]*:[[:space:]]+(.*)$ ]] || continue
    key=${BASH_REMATCH[1]}
    set_option "$key" "${BASH_REMATCH[2]}"
  done <<<"${FLINK_PROPERTIES:-}"
}

configure() {
  local jobmanager=${JOB_MANAGER_RPC_ADDRESS:-$HOSTNAME}
  set_option jobmanager.rpc.address "$jobmanager"
  set_option rest.address "$jobmanager"
  # A container is reached from outside of it only; docker-compose.yml publishes on loopback.
  set_option jobmanager.bind-host 0.0.0.0
  set_option rest.bind-address 0.0.0.0
  set_option taskmanager.bind-host 0.0.0.0
  set_option taskmanager.host "$HOSTNAME"
  # So others than the containers of its network need a token only if FLINK_PROPERTIES names security.auth.token-file.
  set_option security.rpc.allow-unauthenticated true
  set_option security.rest.allow-unauthenticated true
  if [ -n "${TASK_MANAGER_NUMBER_OF_TASK_SLOTS:-}" ]; then
    set_option taskmanager.numberOfTaskSlots "$TASK_MANAGER_NUMBER_OF_TASK_SLOTS"
  fi
  set_properties
}

command=${1:-help}
case $command in
  jobmanager | taskmanager)
    shift
    configure
    echo "Starting $command on $HOSTNAME."
    exec "$FLINK_HOME/bin/$command.sh" start-foreground "$@"
    ;;
  flink)
    shift
    configure
    exec "$FLINK_HOME/bin/flink" "$@"
    ;;
  help)
    echo "Usage: (jobmanager | taskmanager) [-D key=value ...] | flink COMMAND ... | help | any program"
    ;;
  *) exec "$@" ;;
esac
