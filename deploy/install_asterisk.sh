#!/usr/bin/env bash
# install_asterisk.sh: puts a private, relocatable Asterisk 22 LTS into the cache and prints its folder.
# Demonstrations, tests and CI use it; a real site runs its own Asterisk 22, which Tingjian reaches by AMI, SIP and AudioSocket.
# Debian 12 has no asterisk package, so the packages of a newer suite are unpacked beside their own loader and libraries,
# through an apt of its own: no root, chroot or mounts, and nothing is installed on the machine.
# An installed runtime with the same modules is used again; ASTERISK_UPDATE=1 asks the suite for a newer version.
# Settings: ASTERISK_MODULES (a modules.conf), ASTERISK_SUITE (forky), MIRROR (a Debian mirror; the machine's own).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -eq 0 ] || die "usage: install_asterisk.sh (takes no arguments; see its head for settings)"

MODULES=${ASTERISK_MODULES:-$PROJECT_DIR/telephony/asterisk/modules.conf}
SUITE=${ASTERISK_SUITE:-forky}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
RECIPE=1   # raise it when what this script puts into the runtime changes
[ -r "$MODULES" ] || die "cannot read the module list $MODULES: set ASTERISK_MODULES"
module_names() { sed -n 's/^load *=> *\([a-z0-9_]*\.so\) *$/\1/p' "$MODULES"; }
HASH=$({ echo "$RECIPE $SUITE"; module_names | sort; } | sha256sum | cut -c1-12)

CACHE=$(cache_root)/asterisk
works() { "$1/ast" -V 2>/dev/null | grep -q '^Asterisk '; }
newest() { find "$CACHE" -maxdepth 1 -name "$1" | sort -V | tail -n 1; }

# use_archive FILE: unpack a packed runtime into the cache.
use_archive() {
  local temp entry
  entry=$CACHE/$(basename "$1" .tar.gz); temp=$(temp_dir "$CACHE")
  tar -xzf "$1" -C "$temp" 2>/dev/null && works "$temp" || { rm -rf "$temp"; say "$1 is damaged: building the runtime again"; rm -f "$1"; return 1; }
  publish "$temp" "$entry"; echo "$entry"
}

# private_apt FOLDER: an apt configuration that knows nothing of this machine but the mirror and Debian's keys.
private_apt() {
  local mirror=${MIRROR:-}
  [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | awk '/\/debian\/?$/ && !found {found = $0} END {print found}')
  [ -n "$mirror" ] || die "this machine's apt names no Debian mirror: set MIRROR to the address of one"
  mkdir -p "$1"/{etc/apt.conf.d,etc/preferences.d,etc/sources.list.d,state/lists/partial,cache/archives/partial,log}
  : >"$1/status"
  echo "deb [signed-by=$KEYRING] $mirror $SUITE main" >"$1/etc/sources.list"
  # The suite's Release file may be past its date on a frozen mirror; signatures are checked all the same.
  cat >"$1/apt.conf" <<CONF
Dir::Etc "$1/etc"; Dir::Etc::sourcelist "$1/etc/sources.list"; Dir::Etc::sourceparts "$1/etc/sources.list.d";
Dir::State "$1/state"; Dir::State::status "$1/status"; Dir::Cache "$1/cache"; Dir::Log "$1/log";
APT::Install-Recommends "false"; Acquire::Languages "none"; Acquire::Check-Valid-Until "false"; Acquire::Retries "3";
APT::Sandbox::User ""; Debug::NoLocking "true";
CONF
}

# libraries_of FILE...: every library that they need, resolved by the new loader among the unpacked ones.
libraries_of() {
  local file
  for file in "$@"; do "$LOADER" --library-path "$LIBS:$LIBS/asterisk" --list "$file" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3}'; done | sort -u
}

# collect ROOT OUT: the few files that run out of the unpacked packages.
collect() {
  local root=$1 out=$2 module
  mkdir -p "$out"/{lib,modules,data/sounds,data/static-http}
  cp "$root/usr/sbin/asterisk" "$out/"
  cp -L "$LOADER" "$out/lib/loader"
  while read -r module; do
    cp "$LIBS/asterisk/modules/$module" "$out/modules/" 2>/dev/null || die "Debian's Asterisk $VERSION has no module $module: take it out of $MODULES"
  done < <(module_names)
  libraries_of "$out/asterisk" "$out"/modules/*.so | while read -r library; do cp -L "$library" "$out/lib/"; done
  # opened by name at run time, so the loader does not list them
  for library in "$LIBS"/libnss_files.so* "$LIBS"/libnss_dns.so* "$LIBS"/libresolv.so.2 "$LIBS"/libgcc_s.so.1; do [ ! -e "$library" ] || cp -L "$library" "$out/lib/"; done
  cp -r "$root"/usr/share/asterisk/{documentation,rest-api} "$out/data/"
  cp -r "$root/usr/share/asterisk/sounds/en_US_f_Allison" "$out/data/sounds/en"
  cat >"$out/ast" <<'AST'
#!/bin/sh
# Runs this folder's Asterisk with this folder's loader and libraries, wherever the folder lies.
here=$(dirname "$(readlink -f "$0")")
exec "$here/lib/loader" --library-path "$here/lib" "$here/asterisk" "$@"
AST
  chmod +x "$out/ast"
}

lock "$CACHE"
if [ -z "${ASTERISK_UPDATE:-}" ]; then
  entry=$(newest "asterisk-*-$HASH")
  if [ -n "$entry" ] && works "$entry"; then echo "$entry"; exit 0; fi
  archive=$(newest "asterisk-*-$HASH.tar.gz")
  if [ -n "$archive" ] && use_archive "$archive"; then exit 0; fi
fi

for tool in apt-get dpkg-deb; do command -v "$tool" >/dev/null 2>&1 || die "$tool is missing: this script needs Debian's tools; elsewhere use an Asterisk 22 of your own"; done
[ -r "$KEYRING" ] || die "Debian's archive keys are missing: install the package debian-archive-keyring"
case $(dpkg --print-architecture) in
  amd64) TRIPLET=x86_64-linux-gnu; LOADER_NAME=ld-linux-x86-64.so.2;;
  arm64) TRIPLET=aarch64-linux-gnu; LOADER_NAME=ld-linux-aarch64.so.1;;
  *) die "only amd64 and arm64 machines are known here: use an Asterisk 22 of your own";;
esac

TEMP=$(temp_dir "$CACHE"); trap 'rm -rf "$TEMP"' EXIT
private_apt "$TEMP/apt"
export APT_CONFIG=$TEMP/apt/apt.conf
say "reading the package list of Debian $SUITE"
apt-get -qq update >"$TEMP/log" 2>&1 || die "cannot read Debian $SUITE's package list: $(grep -m1 '^[EW]:' "$TEMP/log" | cut -c1-200)"
VERSION=$(apt-cache policy asterisk | awk '$1 == "Candidate:" {print $2}')
[ -n "$VERSION" ] && [ "$VERSION" != "(none)" ] || die "Debian $SUITE has no asterisk package at present: set ASTERISK_SUITE to a suite that has one"
case $VERSION in *:22.*) ;; *) say "note: Debian $SUITE now has Asterisk $VERSION, Tingjian is tested with 22";; esac
NAME=asterisk-${VERSION#*:}-$HASH
if works "$CACHE/$NAME"; then echo "$CACHE/$NAME"; exit 0; fi

say "downloading Asterisk $VERSION and its libraries"
apt-get -qq -y --download-only install base-files asterisk asterisk-core-sounds-en-gsm >"$TEMP/log" 2>&1 || die "cannot download Asterisk $VERSION: $(grep -m1 '^[EW]:' "$TEMP/log" | cut -c1-200)"
say "building the runtime"
for package in "$TEMP"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$TEMP/root" || die "cannot unpack $(basename "$package"): run this again"; done
LIBS=$TEMP/root/usr/lib/$TRIPLET
LOADER=$(find "$TEMP/root/usr" -name "$LOADER_NAME" | sort | tail -n 1)
[ -x "$LOADER" ] || die "Debian $SUITE's libc6 holds no $LOADER_NAME: its layout has changed and this script must follow"
collect "$TEMP/root" "$TEMP/runtime"
works "$TEMP/runtime" || die "the new runtime does not start: $("$TEMP/runtime/ast" -V 2>&1 | head -n 1)"
# The suite moves on: what was built is kept packed too, so that a damaged or deleted runtime comes back as it was.
tar -czf "$TEMP/packed" -C "$TEMP/runtime" . && mv "$TEMP/packed" "$CACHE/$NAME.tar.gz"
publish "$TEMP/runtime" "$CACHE/$NAME"
echo "$CACHE/$NAME"
