#!/usr/bin/env bash
# setup_python.sh REQUIREMENTS...: the project's virtual environment (.venv) with these requirement files; instant when nothing changed.
# Settings: PYTHON (the interpreter to make it from; 3.11 or newer).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
VENV=$PROJECT_DIR/.venv
[ $# -gt 0 ] || die "usage: setup_python.sh REQUIREMENTS..."

python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 || apt_install python3 python3-venv
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "$python is older than 3.11: set PYTHON to a newer one"
lock "$PROJECT_DIR/var"
if [ ! -x "$VENV/bin/pip" ]; then
  say "making the virtual environment"
  "$python" -m venv "$VENV" 2>/dev/null || { apt_install python3-venv; "$python" -m venv "$VENV"; } || die "cannot make $VENV with $python"
fi
files=(); for f in "$@"; do files+=(-r "$PROJECT_DIR/$f"); done
want=$(cd "$PROJECT_DIR" && cat requirements.txt requirements/*.txt | sha256sum | cut -d' ' -f1)-$(echo "$*" | tr ' /' '__')
stamp=$VENV/.installed
grep -qxF "$want" "$stamp" 2>/dev/null && exit 0
say "installing Python packages (a few minutes the first time)"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "${files[@]}" || die "pip could not install $*: see the lines above"
# A change of the pins makes every earlier answer void.
grep -q "^${want%%-*}" "$stamp" 2>/dev/null || : >"$stamp"
echo "$want" >>"$stamp"
