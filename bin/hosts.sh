# Sourced by start-cluster.sh and stop-cluster.sh: runs the scripts of this folder on the hosts of conf/masters and
# conf/workers. On every host the installation must be in the same folder as here, and ssh must need no password.

# Variables of this shell that scripts on other hosts get, too.
PASSED_ON=(FLINK_CONF_DIR FLINK_LOG_DIR FLINK_PID_DIR FLINK_IDENT_STRING FLINK_NODE
  FLINK_ENV_JAVA_OPTS FLINK_ENV_JAVA_OPTS_JM FLINK_ENV_JAVA_OPTS_TM)

# hosts_in FILE: one host a line, without comments.
hosts_in() {
  sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1"
}

# Whether a host is this one. Sets OWN_NAMES at the first question about another name than localhost.
is_local_host() {
  case $1 in
    localhost | 127.0.0.1 | ::1) return 0 ;;
  esac
  if [ -z "${OWN_NAMES:-}" ]; then
    OWN_NAMES=" $HOSTNAME $(hostname -f 2>/dev/null || true) $(hostname -I 2>/dev/null || true) "
  fi
  [[ $OWN_NAMES == *" $1 "* ]]
}

# run_on HOST SCRIPT ARGUMENT...: runs a script of this folder there; answers its exit code, 255 if ssh failed.
run_on() {
  local host=$1 script=$2 name command= status=0
  shift 2
  if is_local_host "$host"; then
    "$bin/$script" "$@"
    return
  fi
  for name in "${PASSED_ON[@]}"; do
    [ -z "${!name:-}" ] || command+="$name=$(printf %q "${!name}") "
  done
  command+=$(printf '%q ' "$bin/$script" "$@")
  # FLINK_SSH_OPTS is several words, and comes first: the first value of an option counts.
  # shellcheck disable=SC2086
  ssh -n ${FLINK_SSH_OPTS:-} -o BatchMode=yes -o ConnectTimeout=10 "$host" "bash -c $(printf %q "$command")" || status=$?
  case $status in
    0) ;;
    255) echo "$host: ssh failed. Try: ssh ${FLINK_SSH_OPTS:-} $host true. It must need no password; options of ssh go into FLINK_SSH_OPTS." >&2 ;;
    126 | 127) echo "$host: $bin/$script does not run there: unpack the installation into $FLINK_HOME on that host." >&2 ;;
    *) echo "$host: $script $* failed (exit code $status)." >&2 ;;
  esac
  return "$status"
}

# run_on_all SCRIPT COMMAND HOST... -- ARGUMENT...: the same on several hosts at a time; 1 if any of them failed.
run_on_all() {
  local script=$1 command=$2 hosts=() host pid pids=() status=0
  shift 2
  while [ "$1" != -- ]; do
    hosts+=("$1")
    shift
  done
  shift
  for host in ${hosts[@]+"${hosts[@]}"}; do
    run_on "$host" "$script" "$command" "$@" &
    pids+=($!)
  done
  for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" || status=1; done
  return "$status"
}

# Sets MASTERS, lines host[:webui-port], and WORKERS from the files in FLINK_CONF_DIR.
read_hosts() {
  MASTERS=()
  WORKERS=()
  local line
  [ -f "$FLINK_CONF_DIR/workers" ] ||
    fail "$FLINK_CONF_DIR/workers is missing: it names the hosts of the TaskManagers, one a line. For one on this machine: echo localhost >'$FLINK_CONF_DIR/workers'"
  while read -r line; do WORKERS+=("$line"); done < <(hosts_in "$FLINK_CONF_DIR/workers")
  [ ! -f "$FLINK_CONF_DIR/masters" ] ||
    while read -r line; do MASTERS+=("$line"); done < <(hosts_in "$FLINK_CONF_DIR/masters")
  [ ${#MASTERS[@]} -gt 0 ] || MASTERS=(localhost)
}

is_highly_available() {
  case $(config_value high-availability.type "$(config_value high-availability NONE)") in
    NONE | none | None) false ;;
    *) true ;;
  esac
}
