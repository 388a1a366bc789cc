#!/usr/bin/env bash
# install_chromium.sh: prints the path of a Chromium, after installing Debian's (with Chinese fonts) where there is none.
# Only tests and demonstrations need it: the agents' own browsers are theirs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -eq 0 ] || die "usage: install_chromium.sh (takes no arguments)"

missing=()
command -v chromium >/dev/null 2>&1 || missing+=(chromium)
# Without a CJK font every Chinese character of a screenshot is a box.
command -v dpkg-query >/dev/null 2>&1 && dpkg-query -W -f '${Status}' fonts-noto-cjk 2>/dev/null | grep -q 'ok installed' || missing+=(fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
command -v chromium || die "apt-get installed chromium but no such command is on the PATH: add /usr/bin to it"
