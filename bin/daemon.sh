# Sourced by jobmanager.sh, taskmanager.sh and historyserver.sh: starts and stops daemons of one service.
#
# A service's pid file has a line for each instance; the line's number, from 0, is in the instance's log
# names. So only lines at the end are ever removed: a dead instance keeps its number until it is the last.

FLINK_IDENT_STRING=${FLINK_IDENT_STRING:-${USER:-$(id -un)}}
find_folders

pid_file() {
  echo "$FLINK_PID_DIR/flink-$FLINK_IDENT_STRING-$1.pid"
}

pids_of() {
  cat "$(pid_file "$1")" 2>/dev/null || true
}

command_of() {
  if [ -r "/proc/$1/cmdline" ]; then
    tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" || true
  else
    ps -p "$1" -o args= 2>/dev/null || true
  fi
}

# A pid may have gone to another program since: only the command line tells whose it is.
is_running() { # service pid
  find_programs "$1"
  [[ $(command_of "$2") == *"/${BUILT##*/} "* ]]
}

# Other installations of the same user share the pid directory; their daemons are left alone.
is_ours() { # service pid
  local command
  find_programs "$1"
  command=$(command_of "$2")
  [[ $command == *"$BUILT "* || $command == *"$BUNDLED "* ]]
}

running_pids() { # service
  local pid
  for pid in $(pids_of "$1"); do
    ! is_ours "$1" "$pid" || echo "$pid"
  done
}

lock_pid_files() {
  mkdir -p "$FLINK_PID_DIR"
  exec 9>"$FLINK_PID_DIR/flink-$FLINK_IDENT_STRING.lock"
  ! command -v flock >/dev/null || flock 9
}

drop_dead_tail() { # service
  local file pids
  file=$(pid_file "$1")
  read -r -d '' -a pids < <(pids_of "$1") || true
  while [ ${#pids[@]} -gt 0 ] && ! is_running "$1" "${pids[${#pids[@]} - 1]}"; do
    unset "pids[${#pids[@]}-1]"
  done
  if [ ${#pids[@]} -gt 0 ]; then printf '%s\n' "${pids[@]}" >"$file"; else rm -f "$file"; fi
}

# Keeps env.log.max older files as name.1, name.2, ...
rotate() {
  local n max
  max=$(config_value env.log.max 10)
  [ -f "$1" ] || return 0
  for ((n = max; n > 1; n--)); do
    [ ! -f "$1.$((n - 1))" ] || mv -f "$1.$((n - 1))" "$1.$n"
  done
  if [ "$max" -gt 0 ]; then mv -f "$1" "$1.1"; fi
}

# Sets NODE_OPTIONS_OF. Daemons load no source maps, which take memory: user code runs in slot threads, which have them.
node_options() { # service
  NODE_OPTIONS_OF=()
  # A JobManager makes little garbage; slot threads, on the contrary, need a large young generation.
  [ "$1" != standalonesession ] || NODE_OPTIONS_OF=(--max-semi-space-size=2)
  add_node_options "$1"
}

# Sets SUPERVISOR: what brings back a TaskManager that died, unless env.supervise says no.
find_supervisor() { # service
  SUPERVISOR=()
  [ "$1" = taskexecutor ] || return 0
  case $(config_value env.supervise true) in
    true) SUPERVISOR=(bash "$FLINK_HOME/bin/supervise.sh") ;;
    false) ;;
    *) fail "env.supervise is '$(config_value env.supervise true)': write true or false." ;;
  esac
}

# Waits until a daemon is up, which removes the file then, or has failed: says why, and ends this script with 1.
await_start() { # service pid file out number-of-others
  local deadline=$((SECONDS + 10))
  while [ -e "$3" ]; do
    if ! kill -0 "$2" 2>/dev/null; then
      rm -f "$3"
      echo "The $1 daemon failed at its start:" >&2
      tail -n 20 "$4" >&2
      if [ "$1" = standalonesession ] && [ "${5:-0}" -gt 0 ]; then
        echo "[INFO] A JobManager of this installation runs here already (pid $(running_pids "$1" | paste -sd ' ' -)): bin/stop-cluster.sh or bin/jobmanager.sh stop ends it. For a second cluster take other ports (jobmanager.rpc.port, rest.port), in a folder of its own for FLINK_CONF_DIR." >&2
      fi
      exit 1
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      rm -f "$3"
      echo "[INFO] The $1 daemon takes longer than 10 s to start: see ${4%.out}.log." >&2
      return
    fi
    sleep 0.02
  done
}

# need_folder PATH WHAT SETTING: makes a folder; if that fails, or nothing can be written there, one line says what to change.
need_folder() {
  local reason probe=$1/.flink-probe-$$
  # A full disk still makes files, but empty ones.
  if reason=$({ mkdir -p "$1" && echo probe >"$probe"; } 2>&1); then
    rm -f "$probe"
    return
  fi
  rm -f "$probe" 2>/dev/null || true
  fail "the folder of $2, $1, cannot be made or written (${reason##*: }): make room, give $(id -un) the rights, or set $3 to another one."
}

start_daemon() { # service args...
  local service=$1 id log detach=() pid others starting
  shift
  prepare "$service"
  need_folder "$FLINK_LOG_DIR" logs 'FLINK_LOG_DIR (env.log.dir)'
  need_folder "$FLINK_PID_DIR" 'process ids' 'FLINK_PID_DIR (env.pid.dir)'
  lock_pid_files
  drop_dead_tail "$service"
  others=$(running_pids "$service" | wc -l)
  [ "$others" -eq 0 ] || echo "[INFO] $((others)) instance(s) of $service run already on $HOSTNAME."
  id=$(($(pids_of "$service" | wc -l)))
  log=$FLINK_LOG_DIR/flink-$FLINK_IDENT_STRING-$service-$id-$HOSTNAME
  rotate "$log.log"
  rotate "$log.out"
  echo "Starting $service daemon on host $HOSTNAME."
  # Node resets ignored signals, so that nohup does not help: a session of its own outlives the terminal.
  ! command -v setsid >/dev/null || detach=(setsid)
  node_options "$service"
  find_supervisor "$service"
  starting=$(mktemp "$FLINK_PID_DIR/flink-starting.XXXXXX")
  FLINK_LOG_FILE=$log.log FLINK_STARTING_FILE=$starting ${detach[@]+"${detach[@]}"} ${SUPERVISOR[@]+"${SUPERVISOR[@]}"} "$NODE" ${NODE_OPTIONS_OF[@]+"${NODE_OPTIONS_OF[@]}"} "$PROGRAM" \
    --configDir "$FLINK_CONF_DIR" "$@" >"$log.out" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid" >>"$(pid_file "$service")"
  # Until exec has happened the command line is this script's, and the next start would take the pid for dead.
  while kill -0 "$pid" 2>/dev/null && ! is_running "$service" "$pid"; do :; done
  exec 9>&-
  await_start "$service" "$pid" "$starting" "$log.out" "$others"
}

run_in_foreground() { # service args...
  prepare "$1"
  node_options "$1"
  shift
  exec "$NODE" ${NODE_OPTIONS_OF[@]+"${NODE_OPTIONS_OF[@]}"} "$PROGRAM" --configDir "$FLINK_CONF_DIR" "$@"
}

# seconds_of KEY DEFAULT: a duration of the configuration file; 600 if it is written in a way that only the daemons know.
seconds_of() {
  local text amount
  text=$(config_value "$1" "$2")
  amount=${text%%[!0-9]*}
  text=${text#"$amount"}
  case ${amount:+${text// /}} in
    s | sec | second | seconds) echo "$amount" ;;
    m | min | minute | minutes) echo $((amount * 60)) ;;
    ms | '') [ -n "$amount" ] && echo $((amount / 1000)) || echo 600 ;;
    *) echo 600 ;;
  esac
}

# end_processes SIGNAL SECONDS SERVICE PID...: the signal to all at once, SIGKILL to those that are left after that time.
end_processes() {
  local signal=$1 limit=$2 service=$3 pid left deadline
  shift 3
  deadline=$((SECONDS + limit))
  for pid in "$@"; do
    echo "Stopping $service daemon (pid: $pid) on host $HOSTNAME."
    kill "-$signal" "$pid" 2>/dev/null || true
  done
  while :; do
    left=()
    for pid in "$@"; do ! is_ours "$service" "$pid" || left+=("$pid"); done
    [ ${#left[@]} -gt 0 ] || return 0
    [ "$SECONDS" -lt "$deadline" ] || break
    sleep 0.05
  done
  for pid in "${left[@]}"; do
    echo "The $service daemon (pid: $pid) did not end within $limit s: killing it." >&2
    # With the process that it supervises: they are a group of their own where there is setsid.
    kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
  done
}

# A TaskManager is drained unless told otherwise: it takes no more work, and ends when its tasks have, or at its own limit.
stop_daemons() { # service last|all [--now]
  local pids signal=TERM limit=10
  case ${3:-} in
    '' | --now) ;;
    *) fail "stop takes no '$3': only --now, which does not wait for tasks." ;;
  esac
  if [ "$1" = taskexecutor ] && [ "${3:-}" != --now ]; then
    signal=USR2
    limit=$(($(seconds_of taskmanager.drain-timeout '30 s') + 10))
  fi
  lock_pid_files
  read -r -d '' -a pids < <(running_pids "$1") || true
  # Others may start and stop meanwhile: draining takes time.
  exec 9>&-
  if [ ${#pids[@]} -eq 0 ]; then
    echo "No $1 daemon to stop on host $HOSTNAME."
  elif [ "$2" = last ]; then
    end_processes "$signal" "$limit" "$1" "${pids[${#pids[@]} - 1]}"
  else
    end_processes "$signal" "$limit" "$1" "${pids[@]}"
  fi
  lock_pid_files
  drop_dead_tail "$1"
  exec 9>&-
}
