"""The ivr process as it is started in production: its own wiring, the program's real prompts, and the real recogniser."""

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bootstrap import processes
from core.heartbeat import ProcessHeartbeat
from survey.prompting import COMMITTED, PromptLibrary
from tests.integration.ivr.conftest import PHONE, FakeCallbacks, Site
from tests.integration.telephony.conftest import eventually

ANSWERS = Path(__file__).parents[2] / "data" / "speech" / "answers"


@pytest.fixture
def process(site: Site, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`manage.py ivr` on a thread; only callback is the fake."""
    settings = site.hotline.server.settings.model_copy(
        update={
            "database_url": site.hotline.database.url,
            "speech_model": weights,
            "secret_key": SecretStr("k" * 40),
            "prompts_dir": site.prompts.folder / "none",
        }
    )
    build = processes.build

    def with_fake(*arguments: Any) -> Any:
        house = build(*arguments)
        object.__setattr__(house, "callback", site.callbacks)
        return house

    monkeypatch.setattr(processes, "build", with_fake)
    stopping = threading.Event()
    thread = threading.Thread(target=processes.run_ivr, args=(settings, stopping))
    thread.start()
    eventually(lambda: _beats(site))
    yield settings
    stopping.set()
    thread.join(20)
    assert not thread.is_alive()


def _beats(site: Site) -> bool:
    with site.hotline.database.transaction() as session:
        beat = session.query(ProcessHeartbeat).filter_by(name="ivr").one_or_none()
        return beat is not None and "tj-ivr" in site.hotline.server.command("database show tj-ivr")


def test_answers_are_spoken_to_the_real_prompts(site: Site, process: Any) -> None:
    assert isinstance(site.callbacks, FakeCallbacks)
    assert PromptLibrary(Path("/nowhere")).missing(site.surveys.definition(site.callbacks.version_id)) == []  # type: ignore[arg-type]
    assert COMMITTED.is_dir()
    spoken = [f"say:{ANSWERS / name}.wav" for name in ("very-satisfied", "not-solved", "words")]
    moves = ["barge:#", *spoken[:2], "barge:8#", spoken[2]]
    # Between two sentences the voice pauses for a third of a second: only longer is the end of a prompt.
    site.people({PHONE: {"moves": moves}}, pause=0.9)
    attempt_id = site.ask()
    assert site.outcome(attempt_id, 120) == "completed"
    survey = site.survey(attempt_id)
    given = dict(survey.values)
    assert (given["satisfaction"], given["resolved"], given["recommend"]) == (5, "no", 8)
    assert "窗口" in given["words"]
    assert list((process.recordings / "answers").iterdir()) == []
