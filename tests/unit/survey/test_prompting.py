"""Which spoken files there are: everything the demonstration says, named by what it says."""

import wave
from pathlib import Path

import pytest

from survey.prompting import COMMITTED, PHRASES, Phrase, PromptLibrary, PromptMissingError, prompt_name, texts_of
from survey.prompts.list_texts import LIST, wanted_texts
from survey.service import DEMONSTRATION, demonstration


@pytest.mark.parametrize("key", DEMONSTRATION)
def test_the_demonstration_can_be_spoken(tmp_path: Path, key: str) -> None:
    library = PromptLibrary(tmp_path)
    assert library.missing(demonstration(key)) == []
    for text in (*texts_of(demonstration(key)), *PHRASES):
        with wave.open(str(library.file(text))) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
            # Mandarin runs at three to seven syllables a second.
            assert len(text) / 8 < sound.getnframes() / 8000 < len(text) / 2 + 1


def test_the_list_of_texts_is_as_the_questionnaires_are() -> None:
    lines = [line.split("\t") for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert {name: text for name, _, text in lines} == wanted_texts()
    assert {path.stem for path in COMMITTED.glob("*.wav")} == set(wanted_texts())
    assert sum(path.stat().st_size for path in COMMITTED.glob("*.wav")) < 6_000_000


def test_a_changed_text_is_missing_until_it_is_rendered(tmp_path: Path) -> None:
    definition = demonstration("after_call")
    changed = definition.model_copy(update={"closing_speech": "谢谢您。"})
    library = PromptLibrary(tmp_path)
    assert library.missing(changed) == ["谢谢您。"]
    assert library.missing_of([definition, changed]) == {prompt_name("谢谢您。"): "谢谢您。"}
    with pytest.raises(PromptMissingError):
        library.file("谢谢您。")
    (tmp_path / f"{prompt_name('谢谢您。')}.wav").write_bytes(b"x")
    assert library.missing(changed) == []


def test_a_sites_own_file_goes_first(tmp_path: Path) -> None:
    own = tmp_path / f"{prompt_name(Phrase.HINT)}.wav"
    own.write_bytes(b"x")
    assert PromptLibrary(tmp_path).file(Phrase.HINT) == own
