#!/usr/bin/env bash
# Stops the JobManager and the TaskManagers that were started from here, those added by hand included.
set -euo pipefail
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
. "$bin/config.sh"

"$bin/taskmanager.sh" stop-all
"$bin/jobmanager.sh" stop-all
if [ -f "$FLINK_CONF_DIR/workers" ]; then
  for host in $(hosts_in "$FLINK_CONF_DIR/workers"); do
    is_local_host "$host" || echo "$host: stop its TaskManager with bin/taskmanager.sh on that host." >&2
  done
fi
