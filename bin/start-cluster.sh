#!/usr/bin/env bash
# Starts a JobManager here and a TaskManager for each line of conf/workers.
# Nothing waits: the processes come up at the same time, and TaskManagers retry until the JobManager answers.
set -euo pipefail
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
. "$bin/config.sh"

workers=$FLINK_CONF_DIR/workers
[ -f "$workers" ] || fail "$workers is missing: it names the hosts of the TaskManagers, one a line."

echo "Starting cluster."
"$bin/jobmanager.sh" start "$@"
for host in $(hosts_in "$workers"); do
  if is_local_host "$host"; then
    "$bin/taskmanager.sh" start "$@"
  else
    echo "$host: remote hosts are not supported by this version: start bin/taskmanager.sh on that host." >&2
  fi
done
