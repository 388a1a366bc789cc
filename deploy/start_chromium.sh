#!/usr/bin/env bash
# start_chromium.sh URL [WAV48K]   start a headless Chromium at URL and print "PORT PID": its remote-debugging port on loopback, and
#                                  the process whose TERM ends it and takes its profile along. WAV48K (48 kHz) is what its microphone hears.
# Settings: CHROMIUM (a browser; otherwise install_chromium.sh is asked), CHROMIUM_WAIT (30 s).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -ge 1 ] && [ $# -le 2 ] || die "usage: start_chromium.sh URL [WAV48K]"
URL=$1; WAV=${2:-}; WAIT=${CHROMIUM_WAIT:-30}
BROWSER=${CHROMIUM:-$("$DEPLOY_DIR/install_chromium.sh")}
[ -x "$BROWSER" ] || die "$BROWSER is no browser: set CHROMIUM to the path of one"

FLAGS=(--headless --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync
  --use-fake-device-for-media-stream --use-fake-ui-for-media-stream --autoplay-policy=no-user-gesture-required
  --allow-loopback-in-peer-connection --remote-debugging-address=127.0.0.1 --remote-debugging-port=0)
[ "$(id -u)" != 0 ] || FLAGS+=(--no-sandbox)   # Chromium's sandbox refuses root
if [ -n "$WAV" ]; then
  [ -r "$WAV" ] || die "cannot read the microphone's sound file $WAV"
  # Chromium plays any other rate as silence, without a word.
  [ "$(od -An -tu4 -j24 -N4 "$WAV" | tr -d ' ')" = 48000 ] || die "$WAV is not a 48 kHz WAV file: convert it first"
  FLAGS+=("--use-file-for-fake-audio-capture=$(realpath "$WAV")")
fi

PROFILE=$(mktemp -d "${TMPDIR:-/tmp}/tingjian-chromium.XXXXXX")
# A keeper outlives this script: it ends the browser when told to and removes the profile however the browser ends.
(
  browser=
  trap 'kill "$browser" 2>/dev/null || true' TERM INT
  "$BROWSER" "${FLAGS[@]}" "--user-data-dir=$PROFILE" "$URL" >"$PROFILE/console.log" 2>&1 </dev/null &
  browser=$!
  while kill -0 "$browser" 2>/dev/null; do wait "$browser" || true; done
  sleep .3; rm -rf "$PROFILE"
) >/dev/null 2>&1 </dev/null &
KEEPER=$!
disown

for _ in $(seq $((WAIT * 10))); do
  if [ -s "$PROFILE/DevToolsActivePort" ]; then echo "$(head -n 1 "$PROFILE/DevToolsActivePort") $KEEPER"; exit 0; fi
  kill -0 "$KEEPER" 2>/dev/null || die "Chromium ended at once: run $BROWSER --headless by hand to see why"
  sleep .1
done
kill "$KEEPER" 2>/dev/null || true
die "Chromium opened no debugging port within $WAIT s: set CHROMIUM_WAIT higher on a busy machine"
