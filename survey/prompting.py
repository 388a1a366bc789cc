"""Which spoken files a questionnaire needs, what they say, and where they lie. A file is named by what it says: the same text is
rendered once, and a changed text never plays an old file.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from core.errors import NotFoundError
from survey.schema import QuestionnaireDefinition
from survey.spoken import spoken_closing, spoken_opening, spoken_question

VOICE = "zf_xiaoxiao"
COMMITTED = Path(__file__).parent / "prompts" / "zh"
"""The demonstration's questionnaires and what every interview says."""


class Phrase:
    """What every interview may have to say; all of it stands in PHRASES."""

    HINT: Final = "如果现在不方便，请按零；今后不希望再接到回访电话，请按九。"
    NOT_HEARD: Final = "没有听到您的回答，请再听一遍。"
    WRONG_KEY: Final = "这个按键没有对应的选项，请再听一遍。重听请按星号键。"
    NOT_UNDERSTOOD: Final = "没有听清楚，请再说一次，或者用按键回答。"
    OUT_OF_RANGE: Final = "这个数不在范围里，请再听一遍。"
    REQUIRED: Final = "这一题要请您选一个答案。"
    SILENT: Final = "一直没有听到您的回答，谢谢您的接听，再见。"
    REFUSED: Final = "好的，不打扰您了，再见。"
    OPTED_OUT: Final = "好的，记下了，今后不再给您打回访电话，再见。"
    FAULT: Final = "抱歉，系统现在有些问题，就不打扰您了，再见。"


PHRASES: Final = tuple(text for name, text in vars(Phrase).items() if name.isupper())


class PromptMissingError(NotFoundError):
    """A text has not been rendered."""

    def __init__(self, text: str) -> None:
        super().__init__(prompt_name(text))
        self.text = text


def prompt_name(text: str) -> str:
    """Return the file name of a text, without its ending."""
    return hashlib.sha256(f"{VOICE}\n{text}".encode()).hexdigest()[:20]


def texts_of(definition: QuestionnaireDefinition) -> list[str]:
    """Return what is said of a questionnaire, each text once, in order; what every interview says is not among them."""
    texts = [spoken_opening(definition), *(spoken_question(question) for question in definition.questions)]
    return list(dict.fromkeys(text for text in (*texts, spoken_closing(definition)) if text.strip()))


class PromptLibrary:
    """Finds rendered prompts: a site's own folder first, then those that come with the program."""

    def __init__(self, folder: Path, more: Sequence[Path] = (COMMITTED,)) -> None:
        """Look into `folder`, where new ones are rendered, and into `more`."""
        self.folder = folder
        self._folders = (folder, *more)

    def file(self, text: str) -> Path:
        """Return the file of a text.

        Raises:
            PromptMissingError: it has not been rendered.
        """
        name = f"{prompt_name(text)}.wav"
        for folder in self._folders:
            if (folder / name).is_file():
                return folder / name
        raise PromptMissingError(text)

    def missing(self, definition: QuestionnaireDefinition) -> list[str]:
        """Return the texts of a questionnaire, and of every interview, that have not been rendered."""
        return [text for text in (*texts_of(definition), *PHRASES) if not self._has(text)]

    def missing_of(self, definitions: Iterable[QuestionnaireDefinition]) -> dict[str, str]:
        """Return what is missing of several, as name → text, ready to be rendered."""
        return {prompt_name(text): str(text) for definition in definitions for text in self.missing(definition)}

    def _has(self, text: str) -> bool:
        try:
            return bool(self.file(text))
        except PromptMissingError:
            return False
