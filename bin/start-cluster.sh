#!/usr/bin/env bash
# Starts a JobManager on the host of conf/masters (with high availability on each of them) and a TaskManager for each line
# of conf/workers, here or by ssh. Arguments, such as -D key=value, go to all of them.
# Each script waits until its process is up, or says why it is not. TaskManagers retry until the JobManager answers.
set -euo pipefail
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
. "$bin/config.sh"
. "$bin/hosts.sh"

read_hosts
status=0
if is_highly_available; then
  echo "Starting HA cluster with ${#MASTERS[@]} masters."
  for master in "${MASTERS[@]}"; do
    port=()
    [[ $master != *:* ]] || port=("${master##*:}")
    run_on "${master%%:*}" jobmanager.sh start "${master%%:*}" ${port[@]+"${port[@]}"} "$@" || status=1
  done
else
  echo "Starting cluster."
  [ ${#MASTERS[@]} -eq 1 ] ||
    echo "[WARN] $FLINK_CONF_DIR/masters has ${#MASTERS[@]} hosts, but high-availability.type is not set: only ${MASTERS[0]} is started." >&2
  run_on "${MASTERS[0]%%:*}" jobmanager.sh start "$@" || status=1
fi
# Workers of a JobManager that is not there would join another one that listens at its address.
if [ "$status" -ne 0 ] && ! is_highly_available; then
  echo "No TaskManagers are started, since the JobManager was not." >&2
  exit "$status"
fi
run_on_all taskmanager.sh start ${WORKERS[@]+"${WORKERS[@]}"} -- "$@" || status=1
exit "$status"
