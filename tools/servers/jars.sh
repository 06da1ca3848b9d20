#!/usr/bin/env bash
# Fetches Maven artifacts with what they need at run time into the cache, once, and prints the folder.
#   jars.sh NAME group:artifact:version...
source "$(dirname "$0")/lib.sh"
name=$1
shift
folder=$cache/$name-$(printf '%s\n' "$@" | sha256sum | cut -c1-12)
exec 9>"$folder.lock"
flock 9
if [ ! -d "$folder" ]; then
  command -v mvn >/dev/null || { echo "$name comes from Maven Central: install Maven, or set FLINK_TEST_CACHE" >&2; exit 1; }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  dependencies=
  for artifact in "$@"; do
    IFS=: read -r group id version <<<"$artifact"
    dependencies+="<dependency><groupId>$group</groupId><artifactId>$id</artifactId><version>$version</version></dependency>"
  done
  cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>flink-ts</groupId><artifactId>$name</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>$dependencies</dependencies></project>
XML
  mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$work/jars" >&2
  mv "$work/jars" "$folder"
fi
echo "$folder"
