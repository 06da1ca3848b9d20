#!/usr/bin/env bash
# Stops all TaskManagers and JobManagers of this installation, here and on the hosts of conf/masters and conf/workers,
# those added by hand included. Jobs end with them: nothing is drained.
set -euo pipefail
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
. "$bin/config.sh"
. "$bin/hosts.sh"

# The hosts of a list, each once, this one always.
with_this_host() {
  local host seen=' '
  HOSTS=(localhost)
  for host in "$@"; do
    host=${host%%:*}
    if is_local_host "$host" || [[ $seen == *" $host "* ]]; then continue; fi
    seen+="$host "
    HOSTS+=("$host")
  done
}

read_hosts
status=0
with_this_host ${WORKERS[@]+"${WORKERS[@]}"}
run_on_all taskmanager.sh stop-all "${HOSTS[@]}" -- --now || status=1
with_this_host "${MASTERS[@]}"
run_on_all jobmanager.sh stop-all "${HOSTS[@]}" -- || status=1
exit "$status"
