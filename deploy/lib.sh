# shellcheck shell=bash
# Shared by the scripts of this folder: one-sentence errors, the cache root, locks, apt, checksums, process identity.
# An entry of the cache is made in a temporary folder beside it, under a lock, and renamed into place: whoever sees it, sees it whole.
umask 022
DEPLOY_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT_DIR=$(dirname "$DEPLOY_DIR")

die() { echo "$(basename "$0" .sh): $*" >&2; exit 1; }
say() { echo "$(basename "$0" .sh): $*" >&2; }

# The one folder that keeps what was downloaded or built; outside the clone, so that a clean checkout costs nothing.
cache_root() {
  local root
  if [ -n "${TINGJIAN_CACHE:-}" ]; then root=$TINGJIAN_CACHE
  elif [ "$(id -u)" = 0 ]; then root=/var/cache/tingjian
  else root=${XDG_CACHE_HOME:-$HOME/.cache}/tingjian; fi
  mkdir -p "$root" 2>/dev/null || die "cannot create the cache folder $root: set TINGJIAN_CACHE to a folder you may write to"
  [ -w "$root" ] || die "may not write to the cache folder $root: set TINGJIAN_CACHE to a folder you may write to"
  (cd "$root" && pwd)
}

# lock FOLDER: one installation at a time there; also clears what killed ones left. Held until this script ends.
lock() {
  mkdir -p "$1" || die "cannot create $1"
  command -v flock >/dev/null 2>&1 || die "flock is missing: install the package util-linux"
  exec 9>"$1/.lock"
  flock -n 9 || { say "waiting for another installation in $1"; flock -w 900 9 || die "another installation in $1 has run for 15 minutes: end it, then run this again"; }
  rm -rf "$1"/.tmp.*
}

# temp_dir FOLDER: a folder on the same file system as the entry to come; lock FOLDER first.
temp_dir() { mktemp -d "$1/.tmp.XXXXXX"; }

# publish TEMP ENTRY: rename into place; an older entry goes away whole, and only then.
publish() {
  chmod -R go+rX "$1"
  if [ -e "$2" ]; then mv "$2" "$1.old"; mv "$1" "$2"; rm -rf "$1.old"; else mv "$1" "$2"; fi
}

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# apt_install PACKAGE...: the package lists are fetched once a script; several scripts may run side by side.
apt_updated=
apt_install() {
  command -v apt-get >/dev/null 2>&1 || die "$* is missing and this is not a Debian system: install it by hand"
  [ "$(id -u)" = 0 ] || die "$* is missing: run 'apt-get install $*' as root, then run this again"
  say "installing $* with apt-get"
  (
    exec 8>"$(cache_root)/.apt.lock"; flock -w 900 8 || die "another apt-get has run for 15 minutes: end it, then run this again"
    [ -n "$apt_updated" ] || apt-get update -qq >/dev/null 2>&1 || die "apt-get update failed: check that the package mirror can be reached"
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 8>&- 9>&- \
      || die "apt-get could not install $*: run 'apt-get install $*' to see why"
  ) || exit 1
  apt_updated=1
}

# need COMMAND PACKAGE: install PACKAGE where COMMAND is missing.
need() { command -v "$1" >/dev/null 2>&1 || apt_install "$2"; }

# The Python that downloads packages: the project's own environment where there is one.
project_python() {
  local python=${PYTHON:-$PROJECT_DIR/.venv/bin/python}
  [ -x "$python" ] || python=$(command -v "${PYTHON:-python3}") || die "no python3 found: install Python 3.11 or set PYTHON"
  "$python" -m pip --version >/dev/null 2>&1 || die "$python has no pip: install python3-pip or set PYTHON"
  echo "$python"
}

# pip_download FOLDER REQUIREMENT...: fetch wheels without installing them anywhere; the reason of a failure is left in FOLDER/pip.log.
pip_download() {
  local folder=$1; shift
  mkdir -p "$folder"
  "$(project_python)" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$folder" "$@" >"$folder/pip.log" 2>&1
}

# When process PID started, in clock ticks since boot: with the pid it names a process for good, since pids are used again.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# alive PIDFILE: does the process that the file names ("PID STARTED_AT") still run? Prints its pid.
alive() {
  local pid='' started=''
  { read -r pid started <"$1"; } 2>/dev/null || return 1
  [ -n "$pid" ] && [ -n "$started" ] && [ "$(started_at "$pid")" = "$started" ] && [ "$(process_state "$pid")" != Z ] && echo "$pid"
}
process_state() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1; }

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
