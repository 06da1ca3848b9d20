#!/usr/bin/env bash
# supervise.sh PROGRAM ARGUMENT...: runs a daemon, and starts it again when it has died, after 1 s, 2 s, 4 s, ... up to
# 60 s; from 1 s again once it has run for five minutes. It stays away when it ended by itself without an error, when it
# was told to end, or when it has failed with an error at its start, which a second start would not mend.
# SIGTERM and SIGUSR2 (drain) go to the daemon.
set -u
child= pause= stopping= delay=1

pass_on() {
  stopping=$1
  [ -z "$child" ] || kill "-$1" "$child" 2>/dev/null
  [ -z "$pause" ] || kill "$pause" 2>/dev/null
}
trap 'pass_on TERM' TERM INT
trap 'pass_on USR2' USR2

# The daemon must not outlive its supervisor: nobody could stop it. The pause must not either.
bound=()
if setpriv --help 2>/dev/null | grep -q pdeathsig; then bound=(setpriv --pdeathsig KILL); fi

while :; do
  started=$SECONDS
  ${bound[@]+"${bound[@]}"} "$@" &
  child=$!
  # It may have come before there was anybody to pass it on to.
  [ -z "$stopping" ] || pass_on "$stopping"
  # A signal ends `wait` before the daemon has ended.
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  child=
  ran=$((SECONDS - started))
  [ -z "$stopping" ] && [ "$code" -ne 0 ] || exit "$code"
  if [ "$code" -lt 128 ] && [ "$ran" -lt 10 ]; then
    echo "$(date -u +%FT%TZ) The process failed at its start (exit code $code): not started again."
    exit "$code"
  fi
  [ "$ran" -lt 300 ] || delay=1
  echo "$(date -u +%FT%TZ) The process died (exit code $code) after $ran s: starting it again in $delay s."
  ${bound[@]+"${bound[@]}"} sleep "$delay" &
  pause=$!
  wait "$pause"
  pause=
  [ -z "$stopping" ] || exit 0
  delay=$((delay < 30 ? delay * 2 : 60))
done
