#!/usr/bin/env bash
# install_printing.sh: installs what sets the pages of PDF reports (Pango, HarfBuzz, Chinese fonts) where it is missing.
# Prints "ready", or "missing" where it may not be installed: then all runs, and only PDF reports are not made.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -eq 0 ] || die "usage: install_printing.sh (takes no arguments)"

missing=()
if command -v dpkg-query >/dev/null 2>&1; then
  for package in libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
fi
if [ ${#missing[@]} -gt 0 ] && ! (apt_install "${missing[@]}"); then
  say "PDF reports cannot be made until ${missing[*]} are installed"
  echo missing
  exit 0
fi
echo ready
