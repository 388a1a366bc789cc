#!/usr/bin/env bash
# asterisk.sh: what the asterisk container runs: renders the configuration from the settings, then becomes Asterisk.
# Settings: ASTERISK_DIR (configuration, Asterisk's own database and logs), ASTERISK_RUNTIME (what install_asterisk.sh printed).
set -euo pipefail
DIR=${ASTERISK_DIR:-/var/lib/tingjian-asterisk}; RUNTIME=${ASTERISK_RUNTIME:-/opt/asterisk}
# New recordings and their folders are for the group, which the web and the workers are in.
umask 0007
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
.venv/bin/python manage.py asterisk render "$DIR" --runtime "$RUNTIME"
exec "$RUNTIME/ast" -C "$DIR/asterisk.conf" -f
