"""The citizen's telephone of `manage.py call`: what it refuses, when it speaks, what it keeps."""

import json
from pathlib import Path

import pytest

from core.errors import InvalidInputError
from telephony.adapters.sip_citizen import CitizenCall, place_call
from telephony.speech.audio import read_wav
from tests.asterisk_server import Program
from tests.integration.telephony.conftest import SPEECH, Hotline, eventually
from tests.servers import free_port


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "1380013 8000"},
        {"number": "1@evil"},
        {"extension": "12345;transport=tcp"},
        {"display_name": 'x" <sip:evil@evil>'},
        {"display_name": "x\r\nVia: y"},
        {"file": Path("nowhere.wav")},
    ],
)
def test_what_would_be_another_call_is_refused(changes: dict[str, object]) -> None:
    wanted = {"file": SPEECH, "server": "127.0.0.1:9", **changes}
    with pytest.raises(InvalidInputError):
        place_call(CitizenCall(**wanted))  # type: ignore[arg-type]


def test_nobody_there_is_said() -> None:
    fields = {"file": str(SPEECH), "server": f"127.0.0.1:{free_port()}", "ring_seconds": 3}
    program = Program("-m", "tests.citizen_phone", json.dumps(fields))
    assert "did not take the call" in program.wait_for("refused", timeout=25)["error"]
    program.close()


def test_what_was_heard_is_kept(hotline: Hotline, tmp_path: Path) -> None:
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    heard = tmp_path / "heard.wav"
    report = hotline.ring(stay_seconds=4, save=heard).wait_for("ended")
    assert report["ended_by"] == "citizen"
    assert report["speaking_from"] >= report["answered_at"]
    audio = read_wav(heard)
    assert audio.seconds == pytest.approx(report["heard_seconds"], abs=0.1)
    assert audio.seconds > 2
    # The agent's tone.
    assert abs(audio.samples[-8000:]).max() > 0.1
    eventually(lambda: hotline.state(agent_id) == "wrapup")


def test_it_speaks_when_an_agent_is_on_the_line(hotline: Hotline, tmp_path: Path) -> None:
    """The file is not played into the waiting: the hook is asked, and the speech comes after the answer."""
    agent_id, phone = hotline.seat("8001")
    flag = tmp_path / "answered"
    citizen = hotline.ring(answered_flag=str(flag))
    phone.wait_for("ringing")
    phone.do("answer")
    eventually(lambda: hotline.state(agent_id) == "talking")
    answered_at = hotline.only_call().answered_at
    assert answered_at is not None
    flag.touch()
    report = citizen.wait_for("ended", timeout=20)
    assert report["speaking_from"] > answered_at.timestamp()
    assert report["speaking_until"] - report["speaking_from"] == pytest.approx(read_wav(SPEECH).seconds, abs=0.6)
