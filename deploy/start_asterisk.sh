#!/usr/bin/env bash
# start_asterisk.sh CONF_DIR start     start the private Asterisk of CONF_DIR/asterisk.conf; returns when it has fully booted
# start_asterisk.sh CONF_DIR stop      stop it: `core stop now`, after 10 s TERM, after 5 more KILL
# start_asterisk.sh CONF_DIR status    prints running/stopped, exit status 0/3
# CONF_DIR keeps asterisk.pid ("PID STARTED_AT") and console.log; every other path comes from asterisk.conf's [directories].
# Settings: ASTERISK_RUNTIME (a folder that install_asterisk.sh printed; otherwise it is asked), ASTERISK_WAIT (30 s).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -eq 2 ] || die "usage: start_asterisk.sh CONF_DIR start|stop|status"
CONF=$(cd "$1" 2>/dev/null && pwd) || die "the folder $1 does not exist: render the configuration first"
MAIN=$CONF/asterisk.conf; PIDFILE=$CONF/asterisk.pid; LOG=$CONF/console.log; WAIT=${ASTERISK_WAIT:-30}
[ -r "$MAIN" ] || die "$MAIN does not exist: render the configuration first"

runtime() {
  local folder=${ASTERISK_RUNTIME:-}
  [ -n "$folder" ] || folder=$("$DEPLOY_DIR/install_asterisk.sh")
  [ -x "$folder/ast" ] || die "$folder holds no Asterisk: set ASTERISK_RUNTIME to the folder that install_asterisk.sh printed"
  echo "$folder"
}
cli() { timeout 10 "$AST" -C "$MAIN" -rx "$1" 2>/dev/null; }
gone_within() { # tenths of a second
  local _; for _ in $(seq "$1"); do alive "$PIDFILE" >/dev/null || return 0; sleep .1; done; return 1
}
# The line of the log that says why, for the one sentence of an error.
reason() { local line; line=$(grep -aE 'ERROR|Unable|Cannot|Failed' "$LOG" | head -n 1 | cut -c1-240); echo "${line:-see $LOG}"; }

start() {
  local pid deadline
  if pid=$(alive "$PIDFILE"); then echo "already running, pid $pid"; return; fi
  rm -f "$PIDFILE"; : >"$LOG"
  # Ahead of the recogniser for the processor: starved, it drops live audio. Only root may; `nice` goes on without.
  setsid nice -n -15 "$AST" -C "$MAIN" -f >>"$LOG" 2>&1 </dev/null 9>&- &
  pid=$!
  deadline=$((SECONDS + WAIT))
  until [ -n "$(started_at "$pid")" ]; do kill -0 "$pid" 2>/dev/null || die "Asterisk ended at once: $(reason)"; sleep .05; done
  echo "$pid $(started_at "$pid")" >"$PIDFILE"
  while [ $SECONDS -lt $deadline ]; do
    if cli 'core waitfullybooted' | grep -q 'fully booted'; then
      # With autogroups niceness counts only inside a session, and this is a session of its own.
      { echo -15 >"/proc/$pid/autogroup"; } 2>/dev/null || true
      echo "ready, pid $pid"; return
    fi
    alive "$PIDFILE" >/dev/null || { rm -f "$PIDFILE"; die "Asterisk ended while starting: $(reason)"; }
    sleep .1
  done
  kill "$pid" 2>/dev/null || true; gone_within 20 || kill -9 "$pid" 2>/dev/null || true
  rm -f "$PIDFILE"; die "Asterisk was not ready after $WAIT s: $(reason)"
}

stop() {
  local pid
  if pid=$(alive "$PIDFILE"); then
    cli 'core stop now' >/dev/null || true
    gone_within 100 || { kill "$pid" 2>/dev/null || true; gone_within 50; } || { kill -9 "$pid" 2>/dev/null || true; gone_within 20; } || die "process $pid cannot be ended: end it as the user who started it"
  fi
  rm -f "$PIDFILE"; echo stopped
}

case $2 in
  start) AST=$(runtime)/ast; start;;
  stop) AST=$(runtime)/ast; stop;;
  status) if alive "$PIDFILE" >/dev/null; then echo running; else echo stopped; exit 3; fi;;
  *) die "unknown action '$2': use start, stop or status";;
esac
