#!/usr/bin/env bash
# install_elasticsearch.sh: puts a private Elasticsearch (the slim "integ-test" distribution) into the cache and prints its folder.
# Demonstrations, tests and CI use it; a real site runs its own server or cluster. Needs Maven and a Java >= 17; on Debian
# missing ones are installed with apt-get when run as root.
# Settings: ES_VERSION and ES_SHA256 (together), ES_JAVA_HOME, MVN (command), ES_ARCHIVE (a zip already at hand).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$DEPLOY_DIR/java.sh"
[ $# -eq 0 ] || die "usage: install_elasticsearch.sh (takes no arguments; see its head for settings)"

DEFAULT_VERSION=8.19.21
VERSION=${ES_VERSION:-$DEFAULT_VERSION}
SHA256=${ES_SHA256:-}
if [ "$VERSION" = "$DEFAULT_VERSION" ]; then SHA256=${SHA256:-215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a}; fi
[ -n "$SHA256" ] || die "ES_VERSION=$VERSION needs ES_SHA256 too: the sha256 of its zip"
MVN=${MVN:-mvn}
CACHE=$(cache_root)/elasticsearch
ENTRY=$CACHE/elasticsearch-$VERSION-${SHA256:0:12}

# fetch FOLDER: the zip from Maven's central repository, the one registry that carries a server; prints its path.
fetch() {
  local plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1 log=$1/maven.log try
  local artifact=org.elasticsearch.distribution.integ-test-zip:elasticsearch:$VERSION:zip
  if ! command -v "$MVN" >/dev/null 2>&1; then
    [ "$MVN" = mvn ] || die "MVN=$MVN is no command: unset it or name Maven's"
    apt_install maven
  fi
  run_maven() { JAVA_HOME=$JAVA "$MVN" -B -q "$@" >>"$log" 2>&1; }
  say "downloading Elasticsearch $VERSION with Maven"
  for try in 1 2 3; do
    if run_maven $plugin:get -Dtransitive=false -Dartifact="$artifact" \
      && run_maven $plugin:copy -Dartifact="$artifact" -DoutputDirectory="$1/fetched" -Dmdep.useBaseVersion=true; then break; fi
    [ "$try" != 3 ] || die "Maven could not fetch Elasticsearch $VERSION: $(grep -m1 ERROR "$log" | cut -c1-200)"
    sleep $((try * 3))
  done
  find "$1/fetched" -name "elasticsearch-$VERSION*.zip" | head -n 1
}

JAVA=$(find_java) || { apt_install openjdk-17-jre-headless; JAVA=$(find_java) || die "no Java >= 17 found: set ES_JAVA_HOME"; }
lock "$CACHE"
if [ -x "$ENTRY/bin/elasticsearch" ]; then echo "$ENTRY"; exit 0; fi
need unzip unzip

TEMP=$(temp_dir "$CACHE"); trap 'rm -rf "$TEMP"' EXIT
ZIP=${ES_ARCHIVE:-$(fetch "$TEMP")}
[ -f "$ZIP" ] || die "there is no archive '$ZIP': unset ES_ARCHIVE or name a zip"
GOT=$(sha256_of "$ZIP")
[ "$GOT" = "$SHA256" ] || die "the sha256 of Elasticsearch's archive is $GOT and not $SHA256: give the right ES_SHA256 or fetch it again"
say "unpacking Elasticsearch $VERSION"
unzip -q "$ZIP" -d "$TEMP/unpacked" || die "could not unpack $ZIP: is the disk full?"
[ -x "$TEMP/unpacked/elasticsearch-$VERSION/bin/elasticsearch" ] || die "the archive holds no elasticsearch-$VERSION/bin/elasticsearch: it is not the server's zip"
publish "$TEMP/unpacked/elasticsearch-$VERSION" "$ENTRY"
echo "$ENTRY"
