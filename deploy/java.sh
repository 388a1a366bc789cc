# shellcheck shell=bash
# Finds the Java that runs Elasticsearch and Maven.

java_major() { "$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }

# find_java: prints the home of a Java >= 17, the settings' first; fails when there is none.
find_java() {
  local on_path='' home major
  if command -v java >/dev/null 2>&1; then on_path=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")"); fi
  for home in "${ES_JAVA_HOME:-}" "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/*; do
    [ -n "$home" ] && [ -x "$home/bin/java" ] || continue
    major=$(java_major "$home/bin/java")
    if [ -n "$major" ] && [ "$major" -ge 17 ]; then echo "$home"; return 0; fi
  done
  return 1
}
