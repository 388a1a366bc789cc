"""Telephone surveys with real telephones on a real Asterisk: keys, barge-in, speech, silence, hang-ups, restarts."""

import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from survey.service import demonstration
from telephony.ports import OutboundResult
from tests.integration.ivr.conftest import PHONE, Site
from tests.integration.telephony.conftest import eventually

SPEECH = Path(__file__).parents[2] / "data" / "speech" / "01_yyzz.wav"
# Opening, hint, satisfaction, resolved, recommend, words: one prompt each.
SKIP_OPENING = ["wait", "wait"]


def values(survey: Any) -> dict[str, object]:
    return dict(survey.values)


def test_keys(site: Site) -> None:
    site.start()
    people = site.people({PHONE: {"moves": [*SKIP_OPENING, "1", "2", "10", "#"]}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id) == "completed"
    survey = site.survey(attempt_id)
    assert values(survey) == {"satisfaction": 5, "resolved": "no", "recommend": 10}
    assert (survey.state, survey.way, survey.kind) == ("completed", "ivr", "callback")
    assert (survey.context.case_id, survey.context.matter) == (uuid.UUID(int=7), "社保转移")
    people.wait_for("closed")
    eventually(lambda: site.hotline.service.outbound([attempt_id])[0].ended_at)
    assert site.hotline.service.outbound([attempt_id])[0].result is OutboundResult.ANSWERED
    # A survey is no call of the hotline.
    assert site.calls() == []


def test_keys_break_into_prompts(site: Site) -> None:
    site.start()
    people = site.people({PHONE: {"moves": ["barge:1", "barge:4", "barge:1", "barge:3#", "barge:12#", "barge:#"]}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id) == "completed"
    assert values(site.survey(attempt_id)) == {
        "satisfaction": 2,
        "resolved": "yes",
        "recommend": 3,
        "reason": ["trips", "slow"],
    }
    people.wait_for("closed")
    # Opening and five questions were broken into; the hint was not said, and the goodbye was heard to its end.
    assert people.kinds().count("prompt_begun") == 7


def test_wrong_keys_repeat_and_silence(site: Site) -> None:
    site.start()
    people = site.people({PHONE: {"moves": [*SKIP_OPENING, "8", "wait", "*", "2", "wait", "wait", "1", "#", "#"]}})
    attempt_id = site.ask()
    # 8 is explained (wait) and asked again; * repeats; then nothing is said once, which is explained (wait) and asked again.
    assert site.outcome(attempt_id, 40) == "completed"
    assert values(site.survey(attempt_id)) == {"satisfaction": 4, "resolved": "yes"}
    assert people.kinds().count("did") == 11


def test_silence_ends_it_and_keeps_what_was_answered(site: Site) -> None:
    site.start()
    people = site.people({PHONE: {"moves": [*SKIP_OPENING, "2"]}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id, 40) == "partial"
    assert (site.survey(attempt_id).state, values(site.survey(attempt_id))) == ("partial", {"satisfaction": 4})
    people.wait_for("closed")


@pytest.mark.parametrize(
    ("moves", "outcome", "state", "given"),
    [
        (["cut"], "broken_off", "skipped", {}),
        ([*SKIP_OPENING, "1", "hang up"], "partial", "partial", {"satisfaction": 5}),
        ([*SKIP_OPENING, "1", "1", "10", "cut"], "partial", "partial", {"satisfaction": 5, "resolved": "yes", "recommend": 10}),
    ],
)
def test_a_hang_up_in_the_middle(site: Site, moves: list[str], outcome: str, state: str, given: dict[str, object]) -> None:
    site.start()
    site.people({PHONE: {"moves": moves}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id) == outcome
    eventually(lambda: site.survey(attempt_id).state == state)
    assert values(site.survey(attempt_id)) == given
    assert list(site.scratch.iterdir()) == []


@pytest.mark.parametrize(("key", "outcome"), [("9", "opted_out"), ("0", "refused")])
def test_who_wants_no_calls_says_so(site: Site, key: str, outcome: str) -> None:
    site.start()
    people = site.people({PHONE: {"moves": ["wait", f"barge:{key}"]}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id) == outcome
    people.wait_for("closed")
    assert site.survey(attempt_id).state == "refused"


def test_a_spoken_answer(site: Site) -> None:
    site.start()
    site.people({PHONE: {"moves": [*SKIP_OPENING, f"say:{SPEECH}", "1", "5#", f"say:{SPEECH}"]}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id, 60) == "completed"
    survey = site.survey(attempt_id)
    assert values(survey) == {"satisfaction": 5, "resolved": "yes", "recommend": 5, "words": "非常满意"}
    assert {answer.question_key: answer.heard for answer in survey.answers}["satisfaction"] == "非常满意"
    assert list(site.scratch.iterdir()) == []


def test_who_hangs_up_while_speaking_has_said_it(site: Site) -> None:
    site.start()
    # The question is asked after some four seconds; the words take five and a half.
    site.people({PHONE: {"moves": [*SKIP_OPENING, f"say:{SPEECH}"], "hang_up_after": 7.5}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id, 40) == "partial"
    assert values(site.survey(attempt_id)) == {"satisfaction": 5}
    assert list(site.scratch.iterdir()) == []


def test_many_citizens_at_once(site: Site) -> None:
    site.start()
    numbers = [f"1380013800{number}" for number in range(8)]
    site.people({number: {"moves": [*SKIP_OPENING, str(place % 5 + 1), "1", "7#"]} for place, number in enumerate(numbers)})
    attempts = [site.ask(number) for number in numbers]
    for place, attempt_id in enumerate(attempts):
        site.outcome(attempt_id, 60)
        assert site.survey(attempt_id).values["satisfaction"] == 5 - place % 5


def test_a_new_process_takes_up_calls_where_they_were(site: Site) -> None:
    site.start()
    people = site.people({PHONE: {"moves": [*SKIP_OPENING, "1", "wait", "wait", "wait", "2", "9#", "#"]}})
    attempt_id = site.ask()
    eventually(lambda: attempt_id in site.callbacks.attached and values(site.survey(attempt_id)))
    site.stop()
    time.sleep(1)
    assert "closed" not in people.kinds()
    site.start()
    site.outcome(attempt_id, 60)
    given = values(site.survey(attempt_id))
    assert given["satisfaction"] == 5
    assert given["resolved"] == "no"


def test_an_exchange_that_dies_ends_the_call(site: Site) -> None:
    site.start()
    site.people({PHONE: {"moves": [*SKIP_OPENING, "1"]}})
    attempt_id = site.ask()
    eventually(lambda: attempt_id in site.callbacks.attached and values(site.survey(attempt_id)))
    time.sleep(2)
    site.hotline.server.kill()
    site.hotline.server.start()
    eventually(lambda: site.hotline.service.outbound([attempt_id])[0].ended_at, 20)
    assert site.hotline.service.outbound([attempt_id])[0].result is OutboundResult.ANSWERED
    assert values(site.survey(attempt_id)) == {"satisfaction": 5}
    assert site.ivr is not None
    eventually(lambda: site.ivr is not None and site.ivr.totals.running == 0)


def test_an_attempt_that_nobody_knows_is_hung_up(site: Site) -> None:
    site.start()
    people = site.people({PHONE: {}})
    attempt_id = site.ask()
    site.callbacks.known.clear()
    people.wait_for("closed")
    assert site.callbacks.ended == []
    eventually(lambda: site.hotline.service.outbound([attempt_id])[0].ended_at)


def test_a_questionnaire_without_prompts_is_not_asked(site: Site) -> None:
    for file in site.prompts.folder.glob("*.wav"):
        file.unlink()
    site.start()
    people = site.people({PHONE: {}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id) == "failed"
    people.wait_for("closed", timeout=20)


def test_a_questionnaire_retired_while_the_telephone_rang_is_not_tried_again(site: Site) -> None:
    assert site.callbacks.version_id is not None
    site.surveys.retire("test", site.callbacks.version_id)
    site.start()
    people = site.people({PHONE: {}})
    attempt_id = site.ask()
    assert site.outcome(attempt_id) == "expired"
    people.wait_for("closed", timeout=20)


# --- the question at the end of a call


@pytest.fixture
def rated(site: Site) -> Site:
    """A hotline that asks at the end of a call."""
    site.launched(demonstration("after_call"), "after_call")
    site.hotline.server.render(after_call_survey=True)
    site.hotline.server.command("dialplan reload")
    yield site  # type: ignore[misc]
    site.hotline.server.render(after_call_survey=False)
    site.hotline.server.command("dialplan reload")


def after_call(site: Site) -> Any:
    (call,) = site.calls()
    surveys = site.surveys.list_surveys().surveys
    (survey,) = [found for found in surveys if found.context.call_id == call.id]
    return survey


def answered_call(site: Site, script: dict[str, Any]) -> tuple[Any, Any, uuid.UUID]:
    agent_id, phone = site.hotline.seat("8031", pick_up_after=0)
    people = site.people({PHONE: {"calls": "12345", **script}})
    eventually(lambda: site.hotline.state(agent_id) == "talking")
    time.sleep(1)
    return people, phone, agent_id


def test_the_agents_hang_up_passes_the_citizen_on(rated: Site) -> None:
    rated.start()
    # The agent's tone is a prompt too; the next is the question.
    people, phone, agent_id = answered_call(rated, {"moves": ["wait", "2"]})
    phone.do("hangup")
    people.wait_for("closed")
    eventually(lambda: after_call(rated).state == "completed")
    survey, (call,) = after_call(rated), rated.calls()
    assert (survey.kind, survey.natural_key, survey.values) == ("after_call", f"after_call:{call.id}", {"satisfaction": 4})
    assert (survey.context.agent_id, survey.context.queue_name) == (agent_id, "consult")
    (offered,) = rated.hotline.payloads("AfterCallOffered")
    assert (offered["call_id"], offered["agent_id"]) == (str(call.id), str(agent_id))
    # The call ended with the agent's hang-up: what follows is in neither its time nor its recording.
    assert call.outcome == "answered"
    eventually(lambda: {row.state for row in rated.hotline.recordings()} == {"kept"})
    assert rated.hotline.state(agent_id) == "wrapup"


def test_who_hangs_up_at_the_question_did_not_skip_it(rated: Site) -> None:
    rated.start()
    people, phone, _ = answered_call(rated, {"moves": ["wait", "hang up"]})
    phone.do("hangup")
    people.wait_for("closed")
    eventually(lambda: after_call(rated).state == "hung_up")


def test_who_hangs_up_first_is_not_asked(rated: Site) -> None:
    rated.start()
    people, _, _ = answered_call(rated, {"hang_up_after": 2.5})
    people.wait_for("closed")
    eventually(lambda: rated.calls()[0].state == "ended")
    assert rated.hotline.payloads("AfterCallOffered") == []


def test_without_the_process_the_call_simply_ends(rated: Site) -> None:
    rated.forget_ivr()
    people, phone, _ = answered_call(rated, {})
    phone.do("hangup")
    people.wait_for("closed", timeout=5)
    eventually(lambda: rated.calls()[0].outcome == "answered")
    assert rated.hotline.payloads("AfterCallOffered") == []


def test_one_thread_for_each_call_and_none_afterwards(site: Site) -> None:
    site.start()
    site.people({PHONE: {"moves": ["cut"]}})
    site.outcome(site.ask())
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("ivr-")])
