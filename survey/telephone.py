"""One interview on the telephone: says, listens, explains, repeats, and knows when to stop. Knows lines by their port alone.

Answers are kept as they come, so that a hang-up at any moment loses nothing.
"""

import contextlib
import uuid
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import structlog

from core.errors import UnavailableError
from survey.interview import Accepted, Declined, Interview, NotUnderstood, gives_up, keypad, take_key, take_speech
from survey.ports import Line, LineGoneError, LineLostError
from survey.prompting import Phrase
from survey.schema import Question, QuestionKind
from survey.spoken import spoken_closing, spoken_expected, spoken_opening, spoken_question

log = structlog.get_logger()
KEYS = "0123456789*#"
REPEAT, DONE = "*", "#"
REFUSE, OPT_OUT = "0", "9"
MOST_SILENCES = 2
MOST_REPEATS = 5
ANSWER_SECONDS, ANSWER_SILENCE_SECONDS = 8.0, 2.5
TEXT_SECONDS, TEXT_SILENCE_SECONDS = 45.0, 4.0
NEXT_KEY_SECONDS = 3.0


class Ending(StrEnum):
    """How an interview ended that the citizen did not break off."""

    FINISHED = "finished"
    REFUSED = "refused"
    OPTED_OUT = "opted_out"
    SILENT = "silent"


Ears = Callable[[Path, str], str]
"""Returns what was said in a file, masked, with the words that are expected; nothing for silence. May raise UnavailableError."""
Keep = Callable[[Question, Accepted, str], None]
_EXPLANATIONS = {
    "empty": Phrase.NOT_HEARD,
    "ambiguous": Phrase.NOT_UNDERSTOOD,
    "range": Phrase.OUT_OF_RANGE,
    "required": Phrase.REQUIRED,
}


class TelephoneInterview:
    """Leads one citizen through one questionnaire."""

    def __init__(
        self,
        line: Line,
        interview: Interview,
        prompt: Callable[[str], Path],
        keep: Keep,
        *,
        ears: Ears | None = None,
        scratch: Path | None = None,
        may_opt_out: bool = True,
    ) -> None:
        """Prepare.

        Args:
            line: the citizen.
            interview: which question comes next; it may have answers already.
            prompt: the file of a text.
            keep: called with each answer, and with what was heard where it was spoken.
            ears: hears spoken answers; None asks for keys alone.
            scratch: a folder for what is recorded, shared with the exchange; each file is deleted as soon as it was heard.
            may_opt_out: whether 0 and 9 mean that the citizen does not want to be asked, wherever they are no answer.
        """
        self._line = line
        self._interview = interview
        self._prompt = prompt
        self._keep = keep
        self._ears = ears if scratch is not None else None
        self._scratch = scratch or Path()
        self._may_opt_out = may_opt_out
        self._silences = 0
        self._pending = ""

    def run(self, *, with_opening: bool = True) -> Ending:
        """Ask everything; raises LineGoneError when the citizen hangs up, and LineLostError."""
        definition = self._interview.definition
        if with_opening:
            ending = self._open(spoken_opening(definition))
            if ending is not None:
                return ending
        while (question := self._interview.next_question()) is not None:
            if question.kind is QuestionKind.TEXT and self._ears is None:
                self._interview.leave_out(question)
                continue
            ending = self._ask(question)
            if ending is not None:
                return ending
        self._say_goodbye(spoken_closing(definition))
        return Ending.FINISHED

    # --- the steps

    def _open(self, opening: str) -> Ending | None:
        texts = [opening] if opening else []
        texts += [Phrase.HINT] if self._may_opt_out else []
        for text in texts:
            self._pending = self._say(text)
            ending = self._unwilling(self._pending)
            if ending is not None:
                return ending
            if self._pending:
                # Who presses a key has heard enough; it answers nothing yet.
                self._pending = ""
                return None
        return None

    def _ask(self, question: Question) -> Ending | None:
        misses = repeats = 0
        while True:
            keys, said = self._hear(question)
            if REPEAT in keys and repeats < MOST_REPEATS:
                repeats += 1
                continue
            taken = take_key(question, keys) if keys else take_speech(question, said)
            if not isinstance(taken, NotUnderstood):
                self._settle(question, taken, said)
                return None
            misses += 1
            ending = self._unwilling(keys) or self._silent(question, taken.reason)
            if ending is not None:
                return ending
            if gives_up(self._interview.definition, misses) or _says_nothing(question, taken.reason):
                self._settle(question, Declined(), "")
                return None
            self._pending = self._say(_EXPLANATIONS.get(taken.reason, Phrase.WRONG_KEY))

    def _settle(self, question: Question, taken: Accepted | Declined, said: str) -> None:
        self._silences = 0
        if isinstance(taken, Accepted):
            self._keep(question, taken, said)
            self._interview.keep(question, taken)
        else:
            self._interview.leave_out(question)

    def _silent(self, question: Question, reason: str) -> Ending | None:
        """Count silences; after two in a row nobody is there who wants to talk."""
        self._silences = self._silences + 1 if reason == "empty" and not _says_nothing(question, reason) else 0
        if self._silences < MOST_SILENCES:
            return None
        self._say_goodbye(Phrase.SILENT)
        return Ending.SILENT

    def _unwilling(self, keys: str) -> Ending | None:
        if not self._may_opt_out or keys not in (REFUSE, OPT_OUT):
            return None
        self._say_goodbye(Phrase.OPTED_OUT if keys == OPT_OUT else Phrase.REFUSED)
        return Ending.OPTED_OUT if keys == OPT_OUT else Ending.REFUSED

    # --- speaking and listening

    def _say(self, text: str) -> str:
        return self._line.play(self._prompt(text), KEYS)

    def _say_goodbye(self, text: str) -> None:
        """Say the last words. The interview is over: who hangs up meanwhile, or is cut off, changes nothing of what was said."""
        with contextlib.suppress(LineGoneError, LineLostError):
            self._line.play(self._prompt(text), "")

    def _hear(self, question: Question) -> tuple[str, str]:
        """Return (keys, words) of an answer; both empty after silence."""
        key, self._pending = self._pending, ""
        key = key or self._say(spoken_question(question))
        words = ""
        if not key:
            key, words = self._listen(question)
        return (self._more_keys(question, key) if key else ""), words

    def _listen(self, question: Question) -> tuple[str, str]:
        if self._ears is None:
            return self._line.wait_for_key(ANSWER_SECONDS), ""
        is_text = question.kind is QuestionKind.TEXT
        seconds, silence = (TEXT_SECONDS, TEXT_SILENCE_SECONDS) if is_text else (ANSWER_SECONDS, ANSWER_SILENCE_SECONDS)
        file = self._scratch / f"{uuid.uuid4().hex}.wav"
        try:
            recorded = self._line.record(file, seconds, silence, DONE if is_text else KEYS, beep=is_text)
            if recorded.file is None or (recorded.key and not is_text):
                return recorded.key, ""
            words = self._ears(recorded.file, spoken_expected(question))
        except LineLostError:
            raise
        except UnavailableError as error:
            log.warning("spoken_answers_off", error=str(error)[:200], question=question.key)
            self._ears = None
            return (DONE if is_text else self._say(Phrase.NOT_UNDERSTOOD) or self._line.wait_for_key(ANSWER_SECONDS)), ""
        finally:
            file.unlink(missing_ok=True)
        # The closing # only says that the words are over.
        return ("", words) if words else (recorded.key, "")

    def _more_keys(self, question: Question, first: str) -> str:
        pad = keypad(question)
        keys = first
        while keys[-1] not in (DONE, REPEAT) and len(keys) < pad.longest:
            key = self._line.wait_for_key(NEXT_KEY_SECONDS)
            if not key:
                break
            keys += key
        return keys


def _says_nothing(question: Question, reason: str) -> bool:
    """Whether silence is an answer: who has nothing to add says nothing."""
    return reason == "empty" and question.kind is QuestionKind.TEXT and not question.required
