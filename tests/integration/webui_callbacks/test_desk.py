"""Callbacks at the desk, as its scripts ask for them: list, hold, pane, dial, form, result, opting out, a promised time."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from callback.rule import Reason
from core.outbox import OutboxEvent
from telephony import ami_facts as facts
from telephony.models import OutboundDial
from tests.fakes.browser import Browser
from tests.integration.webui_callbacks.conftest import EVIL, PHONE, Owing
from tests.integration.webui_desk.conftest import Hotline


def todo(browser: Browser) -> dict[str, Any]:
    answer = browser.get("/desk/callbacks/")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def pane(browser: Browser, callback_id: uuid.UUID) -> str:
    answer = browser.get(f"/desk/callbacks/{callback_id}/pane")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def post(browser: Browser, callback_id: uuid.UUID, verb: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = browser.post(f"/desk/callbacks/{callback_id}/{verb}", json=body)
    return answer.status_code, answer.get_json()


def talk(hotline: Hotline, attempt_id: uuid.UUID, number: str = "8001") -> None:
    """Let the agent and then the citizen pick up."""
    unique, leg = f"out-{attempt_id}", f"out-{attempt_id}-{number}"
    agent_channel = f"PJSIP/{number}-out"
    hotline.telephony.record(
        [
            facts.CallPlaced(hotline.now, unique, leg, f"PJSIP/carrier-{unique}", attempt_id, number, leg, agent_channel),
            facts.OutboundUp(hotline.now, attempt_id, unique),
            facts.AgentConnected(hotline.now, unique, number, leg, agent_channel, "2026/03/18/out"),
        ]
    )
    hotline.callback.record_answered(attempt_id)


def test_the_list_and_who_has_what_in_hand(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    made = owing.owe(person=EVIL)
    (row,) = todo(chen)["callbacks"]
    assert (row["phone"], row["reason"], row["may_ring"], row["person"]) == ("138****8000", "差评回访", True, EVIL)
    assert PHONE not in str(todo(chen))
    assert post(chen, made.callback_id, "hold")[0] == 200
    assert todo(chen)["current"] == str(made.callback_id)
    li = hotline.browser("li")
    assert todo(li) == {**todo(li), "callbacks": [], "current": None}
    status, refused = post(li, made.callback_id, "hold")
    assert status == 409
    assert "占用" in refused["error"]["message"]
    post(chen, made.callback_id, "release")
    assert len(todo(li)["callbacks"]) == 1
    newcomer = hotline.browser("newcomer")
    assert newcomer.get("/desk/callbacks/").status_code == 409
    assert hotline.browser("zhou").get("/desk/callbacks/").status_code == 403


def test_read_then_dial_then_fill_in_then_report(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    key = owing.questionnaire()
    hotline.seat("8001")
    made = owing.owe(reason=Reason.BAD_RATING, questionnaire=key, person=EVIL, matter=EVIL)
    post(chen, made.callback_id, "hold")
    page = pane(chen, made.callback_id)
    assert 'data-phase="preview"' in page
    assert 'data-act="dial"' in page
    assert "<img src=x" not in page
    assert PHONE not in page
    # A result without a try is refused, and nothing is dialled twice.
    assert post(chen, made.callback_id, "report", disposition="completed")[0] == 409
    status, dialled = post(chen, made.callback_id, "dial")
    assert status == 200
    assert hotline.switch.did("dial_for_agent") == [("dial_for_agent", dialled["attempt_id"], PHONE, "8001")]
    assert hotline.audited("callback.dialled")[0]["actor"] == "chen"
    assert post(chen, made.callback_id, "dial")[0] == 409
    attempt_id = uuid.UUID(dialled["attempt_id"])
    talk(hotline, attempt_id)
    page = pane(chen, made.callback_id)
    assert 'data-phase="dialled"' in page
    assert "survey-form" in page
    assert "&lt;section" not in page
    survey_id = hotline.callback.brief(attempt_id).attempt.survey_id
    assert survey_id is not None
    survey = hotline.survey.view(survey_id)
    assert (survey.way, survey.kind) == ("agent", "callback")
    # Said to be answered, and not one answer written down.
    status, refused = post(chen, made.callback_id, "report", disposition="completed")
    assert (status, "还没有填写" in refused["error"]["message"]) == (400, True)
    assert chen.post(f"/surveys/{survey.survey_id}/answers/satisfaction", data={"satisfaction": "5"}).status_code == 200
    status, result = post(chen, made.callback_id, "report", disposition="completed")
    assert status == 200
    done = hotline.callback.get(made.callback_id)
    # Required questions are left: whatever the agent says, the answers are a part.
    assert (done.state, done.disposition, result["word"]) == ("done", "partial", "答了一部分")
    assert hotline.survey.view(survey.survey_id).state == "partial"
    assert todo(chen) == {**todo(chen), "callbacks": [], "current": None}
    assert 'data-phase="over"' in pane(chen, made.callback_id)
    with hotline.database.transaction() as session:
        row = session.get(OutboundDial, attempt_id)
        call_id = row.call_id if row else None
    assert call_id is not None
    hotline.callback.record_ended(attempt_id, "answered", "")


def test_what_broke_off_before_the_first_answer_is_asked_from_the_beginning(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    hotline.seat("8001")
    made = owing.owe(reason=Reason.BAD_RATING, questionnaire=owing.questionnaire())
    post(chen, made.callback_id, "hold")
    attempt_id = uuid.UUID(post(chen, made.callback_id, "dial")[1]["attempt_id"])
    talk(hotline, attempt_id)
    pane(chen, made.callback_id)
    survey_id = hotline.callback.brief(attempt_id).attempt.survey_id
    assert survey_id is not None
    assert post(chen, made.callback_id, "report", disposition="broken_off")[0] == 200
    survey = hotline.survey.view(survey_id)
    assert (survey.is_open, survey.expires_at) == (True, None)
    assert hotline.callback.get(made.callback_id).state == "owed"
    hotline.callback.record_ended(attempt_id, "answered", "")


def test_a_pane_is_only_for_who_has_it_in_hand(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    made = owing.owe()
    assert chen.get(f"/desk/callbacks/{made.callback_id}/pane").status_code == 409
    assert chen.get(f"/desk/callbacks/{uuid.uuid4()}/pane").status_code == 404
    hotline.callback.hold(made.callback_id, owing.agent("8002"))
    assert chen.get(f"/desk/callbacks/{made.callback_id}/pane").status_code == 409
    assert post(chen, made.callback_id, "dial")[0] == 409
    assert hotline.switch.did("dial_for_agent") == []


@pytest.mark.parametrize("body", [{}, {"disposition": "expired"}, {"disposition": 5}, {"disposition": "callback_asked"}, None])
def test_bad_results_change_nothing(owing: Owing, hotline: Hotline, chen: Browser, body: dict[str, Any] | None) -> None:
    hotline.seat("8001")
    made = owing.owe()
    post(chen, made.callback_id, "hold")
    owing.dialled(made.callback_id)
    answer = chen.post(f"/desk/callbacks/{made.callback_id}/report", json=body)
    assert answer.status_code == 400
    assert hotline.callback.get(made.callback_id).disposition == ""
    assert hotline.callback.attempts(made.callback_id)[0].disposition == ""


def test_asked_again_at_a_time_and_never_again(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    hotline.seat("8001")
    first = owing.owe()
    post(chen, first.callback_id, "hold")
    attempt_id = owing.dialled(first.callback_id)
    assert post(chen, first.callback_id, "report", disposition="callback_asked", again_at="2026-03-17T10:00")[0] == 400
    assert post(chen, first.callback_id, "report", disposition="callback_asked", again_at="2026-03-19T10:00")[0] == 200
    again = hotline.callback.get(first.callback_id)
    assert (again.state, again.next_at.isoformat()) == ("owed", "2026-03-19T02:00:00+00:00")
    hotline.callback.record_ended(attempt_id, "answered", "")
    second = owing.owe("13900139000")
    hotline.seat("8002")
    li = hotline.browser("li")
    post(li, second.callback_id, "hold")
    owing.dialled(second.callback_id, "8002")
    assert post(li, second.callback_id, "report", disposition="opted_out", note=EVIL)[0] == 200
    assert hotline.callback.has_opted_out("13900139000")
    assert hotline.callback.get(second.callback_id).disposition == "opted_out"


def test_a_time_promised_in_a_call_is_owed(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    hotline.seat("8001")
    unique = hotline.queue(PHONE, "王女士")
    call_id = hotline.answer(unique)
    for at in ("", "tomorrow", "2026-03-17T10:00", "2026-03-19T03:00"):
        assert chen.post("/desk/callbacks/promise", json={"call_id": str(call_id), "at": at}).status_code == 400, at
    assert (
        hotline.browser("li").post("/desk/callbacks/promise", json={"call_id": str(call_id), "at": "2026-03-19T10:00"}).status_code
        == 404
    )
    assert chen.post("/desk/callbacks/promise", json={"call_id": "x", "at": "2026-03-19T10:00"}).status_code == 400
    assert chen.post("/desk/callbacks/promise", json={"call_id": str(call_id), "at": "2026-03-19T10:00"}).status_code == 200
    (owed,) = hotline.callback.of_call(call_id)
    assert (owed.reason, owed.next_at.isoformat(), owed.phone) == ("asked_time", "2026-03-19T02:00:00+00:00", PHONE)


def test_changes_are_told_to_open_pages(owing: Owing, hotline: Hotline) -> None:
    made = owing.owe()
    with hotline.database.transaction() as session:
        row = session.scalars(select(OutboxEvent).where(OutboxEvent.name == "CallbackOwed")).one()
        session.expunge(row)
    (message,) = hotline.app.extensions["hub"]._render(row)
    assert message.data == {"type": "callback", "event": "CallbackOwed", "callback_id": str(made.callback_id)}
    assert message.topics >= {"desk", "callbacks"}
