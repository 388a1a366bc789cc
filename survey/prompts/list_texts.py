"""Writes texts.tsv: what every telephone interview says, and the demonstration's questionnaires.

    .venv/bin/python -m survey.prompts.list_texts
    VOICE=$(deploy/install_voice.sh)
    $VOICE/venv/bin/python deploy/say.py --batch survey/prompts/texts.tsv --out-dir survey/prompts/zh

A site that records its own puts 8 kHz mono 16-bit files of the same names in place. Questionnaires made later are rendered by the
worker, into the site's own folder (PROMPTS_DIR).
"""

from pathlib import Path

from survey.prompting import PHRASES, VOICE, prompt_name, texts_of
from survey.service import DEMONSTRATION, demonstration

LIST = Path(__file__).parent / "texts.tsv"
_HEADER = "# name\tvoice\ttext; written by survey/prompts/list_texts.py, rendered into zh/ by deploy/say.py\n"


def wanted_texts() -> dict[str, str]:
    """Return every text that comes rendered, by name."""
    texts = [*PHRASES, *(text for key in DEMONSTRATION for text in texts_of(demonstration(key)))]
    return {prompt_name(text): text for text in texts}


if __name__ == "__main__":
    LIST.write_text(_HEADER + "".join(f"{name}\t{VOICE}\t{text}\n" for name, text in wanted_texts().items()), encoding="utf-8")
