#!/usr/bin/env bash
# start_elasticsearch.sh DIR PORT      start a private node; DIR keeps its config, data, logs, password, run/pid
# start_elasticsearch.sh DIR stop      stop it cleanly (TERM, after 60 s KILL)
# start_elasticsearch.sh DIR status    prints running/stopped, exit status 0/3
# Settings: ES_HOME (a folder that install_elasticsearch.sh printed; otherwise it is asked), ES_JAVA_HOME, ES_HEAP (256m; 512m for
#   100,000 articles), ES_TRANSPORT_PORT (PORT+100), ES_USER (nobody; used when started by root), ES_LOGIN (app), ES_WAIT (120 s),
#   ES_SECURITY (on|off), ES_YML (extra lines of elasticsearch.yml), ES_JVM (extra JVM options, e.g. -XX:TieredStopAtLevel=1).
# Security is on: user and password are made on the first start and kept in DIR/password (mode 600). One node, HTTP and
# transport on 127.0.0.1 only, so no certificates are needed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$DEPLOY_DIR/java.sh"
[ $# -eq 2 ] || die "usage: start_elasticsearch.sh DIR PORT|stop|status"
mkdir -p "$1" 2>/dev/null || die "cannot create $1"
umask 027
DIR=$(cd "$1" && pwd); PIDFILE=$DIR/run/pid; LOG=$DIR/logs/console.log
LOGIN=${ES_LOGIN:-app}; SECURITY=${ES_SECURITY:-on}

pid_of() { [ -s "$PIDFILE" ] && cat "$PIDFILE" || true; }
# The server writes its pid itself; its command line does not show DIR but for this option.
runs() { local pid; pid=$(pid_of); [ -n "$pid" ] && grep -azxqF -e "-Djava.io.tmpdir=$DIR/tmp" "/proc/$pid/cmdline" 2>/dev/null; }

stop() {
  local pid _
  if runs; then
    pid=$(pid_of); kill "$pid" 2>/dev/null || die "may not signal process $pid: stop it as the user who started it"
    for _ in $(seq 300); do [ -d "/proc/$pid" ] || break; sleep .2; done
    if [ -d "/proc/$pid" ]; then kill -9 "$pid"; rm -f "$PIDFILE"; die "it did not stop within 60 s and was killed: look at $LOG before the next start"; fi
  fi
  rm -f "$PIDFILE"; echo stopped
}

check_settings() {
  TRANSPORT_PORT=${ES_TRANSPORT_PORT:-$((PORT + 100))}; HEAP=${ES_HEAP:-256m}; WAIT=${ES_WAIT:-120}
  case $HEAP in [1-9]*[mg]) ;; *) die "ES_HEAP is '$HEAP': write it like 512m or 1g";; esac
  case $SECURITY in on|off) ;; *) die "ES_SECURITY is '$SECURITY': set it to on or off";; esac
  SERVER=${ES_HOME:-$("$DEPLOY_DIR/install_elasticsearch.sh")}
  [ -n "$SERVER" ] && [ -x "$SERVER/bin/elasticsearch" ] || die "no server in '$SERVER': set ES_HOME to the folder that install_elasticsearch.sh printed"
  JAVA=$(find_java) || die "no Java >= 17 found: set ES_JAVA_HOME"
  command -v curl >/dev/null 2>&1 || die "curl is missing: install the package curl"
  local port
  for port in "$PORT" "$TRANSPORT_PORT"; do port_is_free "$port" || die "port $port is already in use: choose another"; done
}

# Elasticsearch refuses root: RUN is how to become ES_USER, OWNER who owns its files.
become_user() {
  RUN=(); OWNER=
  [ "$(id -u)" = 0 ] || return 0
  local user=${ES_USER:-nobody}
  id "$user" >/dev/null 2>&1 || die "user $user does not exist: set ES_USER"
  [ "$(id -u "$user")" != 0 ] || die "Elasticsearch refuses to run as root: set ES_USER to an ordinary user"
  command -v setpriv >/dev/null 2>&1 || die "setpriv is missing: install the package util-linux"
  OWNER=$(id -u "$user"):$(id -g "$user")
  RUN=(setpriv "--reuid=${OWNER%:*}" "--regid=${OWNER#*:}" --clear-groups)
  "${RUN[@]}" test -x "$SERVER/bin/elasticsearch" || die "user $user cannot read $SERVER: open its parent folders (chmod o+x)"
}

write_config() {
  local new=$DIR/config.new kept
  mkdir -p "$DIR"/{data,logs,tmp,run}
  rm -rf "$new"; cp -r "$SERVER/config" "$new"
  for kept in users users_roles elasticsearch.keystore; do [ ! -s "$DIR/config/$kept" ] || cp "$DIR/config/$kept" "$new/$kept"; done
  rm -rf "$DIR/config"; mv "$new" "$DIR/config"
  cat >"$DIR/config/elasticsearch.yml" <<YML
cluster.name: tingjian-$PORT
node.name: one
path.data: $DIR/data
path.logs: $DIR/logs
network.host: 127.0.0.1
http.port: $PORT
transport.port: $TRANSPORT_PORT
discovery.type: single-node
action.destructive_requires_name: true
action.auto_create_index: false
cluster.routing.allocation.disk.threshold_enabled: false
ingest.geoip.downloader.enabled: false
xpack.security.enabled: $([ "$SECURITY" = on ] && echo true || echo false)
xpack.security.http.ssl.enabled: false
xpack.security.transport.ssl.enabled: false
xpack.security.enrollment.enabled: false
YML
  # A setting whose module this slim server lacks would stop it.
  [ -d "$SERVER/modules/ingest-geoip" ] || sed -i '/^ingest\.geoip/d' "$DIR/config/elasticsearch.yml"
  [ -z "${ES_YML:-}" ] || printf '%b\n' "$ES_YML" >>"$DIR/config/elasticsearch.yml"
  mkdir -p "$DIR/config/jvm.options.d"
  printf -- '-Xms%s\n-Xmx%s\n-XX:-HeapDumpOnOutOfMemoryError\n' "$HEAP" "$HEAP" >"$DIR/config/jvm.options.d/private.options"
  [ -z "${ES_JVM:-}" ] || printf '%b\n' "$ES_JVM" >>"$DIR/config/jvm.options.d/private.options"
  : >"$LOG"
  [ -z "$OWNER" ] || chown -R "$OWNER" "$DIR"/{config,data,logs,tmp,run}
  chmod 755 "$DIR"
  "${RUN[@]}" test -w "$DIR/data" || die "user ${ES_USER:-nobody} cannot reach $DIR: open its parent folders (chmod o+x)"
}

as_server() { "${RUN[@]}" env -i PATH="$PATH" HOME="$DIR/tmp" ES_TMPDIR="$DIR/tmp" ES_JAVA_HOME="$JAVA" ES_PATH_CONF="$DIR/config" "$@"; }

# The password goes by standard input, never on a command line that others can list.
make_login() {
  [ "$SECURITY" = on ] || return 0
  if [ -s "$DIR/password" ] && grep -q "^$LOGIN:" "$DIR/config/users" 2>/dev/null; then return 0; fi
  (umask 077; head -c 48 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | cut -c1-24 | tr -d '\n' >"$DIR/password")
  [ "$(wc -c <"$DIR/password")" -ge 16 ] || die "could not write a password to $DIR/password: is the disk full?"
  local action=(useradd "$LOGIN" -r superuser)
  if grep -q "^$LOGIN:" "$DIR/config/users" 2>/dev/null; then action=(passwd "$LOGIN"); fi
  { cat "$DIR/password"; echo; cat "$DIR/password"; echo; } | as_server "$SERVER/bin/elasticsearch-users" "${action[@]}" >"$DIR/logs/users.log" 2>&1 \
    || die "the login could not be made: $(tail -n 1 "$DIR/logs/users.log")"
}

is_ready() {
  local code
  code=$({ [ "$SECURITY" = off ] || printf 'user = "%s:%s"\n' "$LOGIN" "$(cat "$DIR/password")"; } \
    | curl -s --noproxy '*' -m 3 -K - -o "$DIR/tmp/health" -w '%{http_code}' "http://127.0.0.1:$PORT/_cluster/health?wait_for_status=yellow&timeout=2s" 2>/dev/null) || true
  [ "$code" != 401 ] || die "the server refuses the password in $DIR/password: stop it, delete that file and start again"
  [ "$code" = 200 ]
}

start() {
  local begun boot _
  if runs; then echo "already running, pid $(pid_of)"; return; fi
  check_settings; become_user; write_config; make_login
  ulimit -n 65535 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
  rm -f "$PIDFILE"; begun=$(date +%s%N)
  cd "$DIR"
  as_server setsid "$SERVER/bin/elasticsearch" -p "$PIDFILE" >>"$LOG" 2>&1 </dev/null &
  boot=$!
  for _ in $(seq $((WAIT * 4))); do
    if is_ready; then echo "ready after $((($(date +%s%N) - begun) / 1000000)) ms, pid $(pid_of), http://127.0.0.1:$PORT"; return; fi
    kill -0 $boot 2>/dev/null || die "the server ended: $(grep -hE 'ERROR|fatal|Exception' "$LOG" | head -n 1 | cut -c1-220)"
    sleep .25
  done
  if runs; then kill "$(pid_of)" 2>/dev/null || true; fi
  die "not ready after $WAIT s: see $LOG, or set ES_WAIT higher on a busy machine"
}

case $2 in
  stop) stop;;
  status) if runs; then echo running; else echo stopped; exit 3; fi;;
  ''|*[!0-9]*) die "PORT must be a number, got '$2'";;
  *) PORT=$2; [ "$PORT" -ge 1024 ] && [ "$PORT" -le 65435 ] || die "PORT is $PORT: choose one between 1024 and 65435"; start;;
esac
