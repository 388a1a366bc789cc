"""The ivr process on a real Asterisk and database, with citizens on real telephones; callback is a fake that only remembers."""

import threading
import uuid
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete

from core.clock import SystemClock
from core.errors import NotFoundError
from survey.adapters.async_agi import AsyncAgiLines
from survey.ears import is_loud
from survey.ivr import Ivr
from survey.models import Answer, Questionnaire, QuestionnaireVersion, Survey
from survey.prompting import PHRASES, PromptLibrary, prompt_name, texts_of
from survey.schema import QuestionnaireDefinition
from survey.service import SurveyService, demonstration
from survey.telephone import Ears
from telephony.adapters.ami_client import AmiAddress, AmiClient
from telephony.models import Call
from telephony.ports import Dial
from tests.asterisk_server import Program
from tests.integration.telephony.conftest import Hotline, eventually, hotline

__all__ = ["hotline"]
PHONE = "13800138000"


def write_tone(path: Path, seconds: float = 0.4, hertz: float = 500.0) -> None:
    """Write a pause and a tone: a prompt that a telephone can tell from silence, and from the one before."""
    samples = 8000 * np.sin(2 * np.pi * hertz * np.arange(int(8000 * seconds)) / 8000)
    samples = np.concatenate([np.zeros(4000), samples])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.astype("<i2").tobytes())


@dataclass
class FakeCallbacks:
    """What ivr asks of callback."""

    version_id: uuid.UUID | None = None
    ended: list[tuple[uuid.UUID, str]] = field(default_factory=list)
    attached: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    known: set[uuid.UUID] = field(default_factory=set)
    callback_id: uuid.UUID = field(default_factory=uuid.uuid4)

    def brief(self, attempt_id: uuid.UUID) -> Any:
        if attempt_id not in self.known:
            raise NotFoundError(str(attempt_id))
        about = SimpleNamespace(
            callback_id=self.callback_id,
            call_id=None,
            case_id=uuid.UUID(int=7),
            queue_name="",
            phone=PHONE,
            hall="市民中心",
            unit="人社局",
            region="",
            category="社保",
            matter_code="",
            matter="社保转移",
            window="",
            weight=1.0,
        )
        return SimpleNamespace(callback=about, questionnaire_version_id=self.version_id)

    def attach_survey(self, attempt_id: uuid.UUID, survey_id: uuid.UUID) -> None:
        self.attached[attempt_id] = survey_id

    def end_attempt(self, attempt_id: uuid.UUID, disposition: str, *, cause: str = "", again_at: object = None) -> None:
        if attempt_id not in [ended for ended, _ in self.ended]:
            self.ended.append((attempt_id, str(disposition)))


def said_aloud(file: Path, expected: str = "") -> str:
    """Ears that understand one thing."""
    return "非常满意" if is_loud(file) else ""


@dataclass
class Site:
    """An ivr process beside the bridge."""

    hotline: Hotline
    surveys: SurveyService
    prompts: PromptLibrary
    callbacks: FakeCallbacks
    scratch: Path
    ears: Ears | None = said_aloud
    ivr: Ivr | None = None
    _thread: threading.Thread | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start the process, as bootstrap does."""
        settings = self.hotline.server.settings
        where = AmiAddress("127.0.0.1", settings.ami_port, f"{settings.ami_username}-ivr", settings.ami_ivr_secret)
        connection = AmiClient(where)
        switch = self.hotline.server.shared_switch()
        self.ivr = Ivr(
            AsyncAgiLines(connection),
            self.hotline.service,
            self.callbacks,  # type: ignore[arg-type]
            self.surveys,
            self.prompts,
            ears=self.ears,
            scratch=self.scratch,
            beat=lambda: switch.announce_ivr(datetime.now(UTC)) if connection.is_up else None,
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.ivr.run, args=(self._stopping,))
        self._thread.start()
        eventually(lambda: connection.is_up)
        switch.announce_ivr(datetime.now(UTC))

    def stop(self) -> None:
        """End the process and leave calls as they are."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(10)
            assert not self._thread.is_alive()
            self._thread = None

    def forget_ivr(self) -> None:
        """Let the exchange believe that nobody has been there for long."""
        self.hotline.server.shared_switch().announce_ivr(datetime.now(UTC) - timedelta(minutes=5))

    def launched(self, definition: QuestionnaireDefinition, key: str) -> uuid.UUID:
        """Launch a questionnaire with a tone for each of its texts."""
        version = self.surveys.create_questionnaire("test", key, definition)
        for text in (*texts_of(definition), *PHRASES):
            write_tone(self.prompts.folder / f"{prompt_name(text)}.wav")
        return self.surveys.launch("test", version.version_id).version_id

    def ask(self, phone: str = PHONE) -> uuid.UUID:
        """Have a citizen rung for a survey."""
        attempt_id = uuid.uuid4()
        self.callbacks.known.add(attempt_id)
        self.hotline.service.dial_out(Dial(attempt_id, phone, "ivr", ring_seconds=10))
        return attempt_id

    def survey(self, attempt_id: uuid.UUID) -> Any:
        """Return the survey of an attempt."""
        return self.surveys.view(self.callbacks.attached[attempt_id])

    def outcome(self, attempt_id: uuid.UUID, timeout: float = 20.0) -> str:
        """Wait for what callback is told of an attempt."""
        eventually(lambda: attempt_id in dict(self.callbacks.ended), timeout)
        return dict(self.callbacks.ended)[attempt_id]

    def people(self, people: dict[str, dict[str, object]], **more: object) -> Program:
        """Start citizens who can be rung."""
        return self.hotline.people(people, **more)

    def calls(self) -> list[Call]:
        return self.hotline.calls()


@pytest.fixture
def site(hotline: Hotline, tmp_path: Path) -> Iterator[Site]:
    folder, scratch = tmp_path / "prompts", hotline.server.recordings / "answers"
    folder.mkdir()
    scratch.mkdir(exist_ok=True, parents=True)
    surveys = SurveyService(hotline.database, SystemClock(), "k" * 40, "https://hall.example")
    # A folder of tones alone: the program's own prompts would be minutes of test time.
    site = Site(hotline, surveys, PromptLibrary(folder, ()), FakeCallbacks(), scratch)
    site.callbacks.version_id = site.launched(demonstration("case_service"), "case_service")
    yield site
    site.stop()
    hotline.server.command("channel request hangup all")
    with hotline.database.transaction() as session:
        for table in (Answer, Survey, QuestionnaireVersion, Questionnaire):
            session.execute(delete(table))
