"""Prompts of questionnaires made here: rendered by a job where the voice is, and said to be missing where it is not."""

import wave
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import UnavailableError
from core.settings import Settings
from survey.adapters.kokoro_voice import KokoroVoice, voice_folder
from survey.prompt_rendering import PromptRendering
from survey.prompting import PHRASES, PromptLibrary, prompt_name, texts_of
from survey.service import demonstration
from tests.integration.survey.conftest import Base


class FakeVoice:
    """Writes empty files and remembers."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def render(self, texts: Mapping[str, str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            self.read.append(text)
            (folder / f"{name}.wav").write_bytes(b"x")


def test_only_what_is_launched_and_missing_is_rendered(base: Base, tmp_path: Path) -> None:
    definition = demonstration("after_call").model_copy(update={"closing_speech": "谢谢您，再会。"})
    draft = base.service.create_questionnaire("author", "draft", definition.model_copy(update={"closing_speech": "草稿。"}))
    base.launched(definition)
    library, voice = PromptLibrary(tmp_path / "new", ()), FakeVoice()
    rendering = PromptRendering(base.service, library, voice, base.database)
    assert rendering.render_missing() == len(texts_of(definition)) + len(PHRASES)
    assert set(voice.read) == {*texts_of(definition), *PHRASES}
    assert rendering.render_missing() == 0
    assert library.missing(definition) == []
    assert library.missing(draft.definition) == ["草稿。"]


def test_without_the_voice_it_is_said_and_nothing_is_left_behind(base: Base, tmp_path: Path) -> None:
    base.launched(demonstration("after_call"))
    library = PromptLibrary(tmp_path / "new", ())
    for voice in (KokoroVoice(None), KokoroVoice(tmp_path / "nothing")):
        with pytest.raises(UnavailableError, match=r"install_voice\.sh"):
            PromptRendering(base.service, library, voice, base.database).render_missing()
    assert not (tmp_path / "new").exists()


def test_the_real_voice_reads_what_it_can(tmp_path: Path) -> None:
    folder = voice_folder(Settings(_env_file=None))
    if folder is None:
        pytest.skip("the voice is not installed here: deploy/install_voice.sh")
    texts = {prompt_name(text): text for text in ("请按 1。", "长" * 400)}
    with pytest.raises(UnavailableError):
        # One of them cannot be read; the other is there all the same.
        KokoroVoice(folder).render(texts, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{prompt_name('请按 1。')}.wav"]
    with wave.open(str(next(tmp_path.iterdir()))) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (8000, 1)
        assert 0.4 < sound.getnframes() / 8000 < 3
