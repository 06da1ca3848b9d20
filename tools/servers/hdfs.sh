#!/usr/bin/env bash
# HDFS 3.5.0 from Maven Central: a NameNode and two DataNodes, with a block size of 8 MB.
#   hdfs.sh install
#   hdfs.sh start DIR           prints the NameNode's addresses: HTTP, then RPC; DIR/conf/nn is a Hadoop configuration
#   hdfs.sh stop DIR
#   hdfs.sh kill-dn N DIR, start-dn N DIR, freeze-nn DIR, thaw-nn DIR
source "$(dirname "$0")/lib.sh"
command=$1
number=
case $command in *-dn)
  number=$2
  shift
  ;;
esac
jars() { "$here/jars.sh" hdfs org.apache.hadoop:hadoop-{common,hdfs,hdfs-client}:3.5.0; }
[ "$command" = install ] && { jars >/dev/null; exit; }
dir=$(mkdir -p "$2" && cd "$2" && pwd)

property() { printf '<property><name>%s</name><value>%s</value></property>\n' "$1" "$2"; }

configure() { # folder, number of the DataNode
  local base=$((2 + $2 * 3))
  # The jar has no web pages, but its HTTP server insists on their folders.
  mkdir -p "$1"/webapps/{hdfs,datanode,static}
  {
    echo '<configuration>'
    property fs.defaultFS "hdfs://127.0.0.1:${ports[1]}"
    property hadoop.tmp.dir "$dir/tmp"
    echo '</configuration>'
  } >"$1/core-site.xml"
  {
    echo '<configuration>'
    property dfs.namenode.rpc-address "127.0.0.1:${ports[1]}"
    property dfs.namenode.http-address "127.0.0.1:${ports[0]}"
    property dfs.namenode.name.dir "file://$dir/nn"
    property dfs.namenode.fs-limits.min-block-size 1024
    property dfs.namenode.heartbeat.recheck-interval 2000
    property dfs.namenode.safemode.extension 0
    property dfs.namenode.stale.datanode.interval 3000
    property dfs.namenode.avoid.read.stale.datanode true
    property dfs.namenode.avoid.write.stale.datanode true
    property dfs.namenode.write.stale.datanode.ratio 1.0
    property dfs.namenode.datanode.registration.ip-hostname-check false
    property dfs.replication 2
    property dfs.blocksize 8388608
    property dfs.heartbeat.interval 1
    property dfs.datanode.data.dir "file://$dir/dn$2"
    property dfs.datanode.address "127.0.0.1:${ports[$base]}"
    property dfs.datanode.http.address "127.0.0.1:${ports[$((base + 1))]}"
    property dfs.datanode.ipc.address "127.0.0.1:${ports[$((base + 2))]}"
    property dfs.datanode.hostname 127.0.0.1
    echo '</configuration>'
  } >"$1/hdfs-site.xml"
  cat >"$1/log4j.properties" <<'LOG'
log4j.rootLogger=WARN,c
log4j.appender.c=org.apache.log4j.ConsoleAppender
log4j.appender.c.layout=org.apache.log4j.PatternLayout
log4j.appender.c.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
LOG
}

java_of() { # configuration, heap, class, arguments: the command
  run=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData "-Xmx$2" -cp "$dir/conf/$1:$lib/*" "${@:3}")
}
datanode() {
  java_of "dn$1" 192m org.apache.hadoop.hdfs.server.datanode.DataNode
  launch "dn$1" "${run[@]}"
}
jmx() { curl -sf "http://127.0.0.1:${ports[0]}/jmx?qry=Hadoop:service=NameNode,name=$1"; }
ready() {
  jmx FSNamesystemState | grep -q '"NumLiveDataNodes" : 2' && jmx NameNodeInfo | grep -q '"Safemode" : ""'
}

case $command in
start)
  lib=$(jars)
  [ -f "$dir/ports" ] || free_ports 8 >"$dir/ports"
  read -ra ports <"$dir/ports"
  configure "$dir/conf/nn" 0
  configure "$dir/conf/dn0" 0
  configure "$dir/conf/dn1" 1
  mkdir -p "$dir/log"
  namenode=org.apache.hadoop.hdfs.server.namenode.NameNode
  if [ ! -d "$dir/nn" ]; then
    java_of nn 192m "$namenode" -format -nonInteractive -force
    "${run[@]}" >"$dir/log/format.out" 2>&1 || { tail -n 20 "$dir/log/format.out" >&2; exit 1; }
  fi
  java_of nn 256m "$namenode"
  launch nn "${run[@]}"
  datanode 0
  datanode 1
  until_true 90 ready
  echo "http://127.0.0.1:${ports[0]} hdfs://127.0.0.1:${ports[1]}"
  ;;
kill-dn) stop_one "dn$number" KILL ;;
start-dn)
  lib=$(jars)
  datanode "$number"
  ;;
freeze-nn) kill -STOP "$(cat "$dir/pids/nn")" ;;
thaw-nn) kill -CONT "$(cat "$dir/pids/nn")" ;;
stop)
  [ ! -f "$dir/pids/nn" ] || kill -CONT "$(cat "$dir/pids/nn")" 2>/dev/null || true
  # Nothing of it is needed any more, and it takes its time otherwise.
  stop_all KILL
  ;;
esac
