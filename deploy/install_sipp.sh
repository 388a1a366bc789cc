#!/usr/bin/env bash
# install_sipp.sh: SIPp, the telephones of bench/simultaneous_calls.py, from Debian's sip-tester; prints its path.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -eq 0 ] || die "usage: install_sipp.sh"
need sipp sip-tester
command -v sipp
