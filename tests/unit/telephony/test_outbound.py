"""Calls that we place: what the exchange's words amount to, and what its notes and events tell."""

import uuid
from datetime import UTC, datetime

import pytest

from telephony import ami_facts as f
from telephony.ami_protocol import AmiMessage
from telephony.call_traces import call_traces, facts_of, outbound_traces
from telephony.outbound import AGENT_CHANNEL, DIAL_CHANNEL, attempt_of, cause_text, channel_of, result_of
from telephony.ports import OutboundResult as R

ATTEMPT = uuid.UUID("01900000-0000-7000-8000-000000000001")
HEX = ATTEMPT.hex
NOW = datetime(2026, 11, 23, tzinfo=UTC)
CITIZEN, AGENT = "node1-1795411185.3", f"{AGENT_CHANNEL}{HEX}"


@pytest.mark.parametrize(
    ("status", "cause", "result"),
    [
        ("ANSWER", 16, R.ANSWERED),
        ("ANSWER", 0, R.ANSWERED),
        ("BUSY", 17, R.BUSY),
        ("BUSY", 0, R.BUSY),
        ("CHANUNAVAIL", 21, R.REJECTED),
        ("CHANUNAVAIL", 1, R.INVALID_NUMBER),
        ("CONGESTION", 28, R.INVALID_NUMBER),
        ("CHANUNAVAIL", 22, R.INVALID_NUMBER),
        ("CHANUNAVAIL", 20, R.UNAVAILABLE),
        ("CHANUNAVAIL", 27, R.UNAVAILABLE),
        ("CHANUNAVAIL", 18, R.UNAVAILABLE),
        ("NOANSWER", 0, R.NO_ANSWER),
        ("NOANSWER", 16, R.NO_ANSWER),
        ("NOANSWER", 19, R.NO_ANSWER),
        ("CHANUNAVAIL", 19, R.NO_ANSWER),
        ("CONGESTION", 34, R.FAILED),
        ("CHANUNAVAIL", 0, R.FAILED),
        ("CANCEL", 0, R.FAILED),
        ("CANCEL", 17, R.FAILED),
        ("NOIVR", 0, R.FAILED),
        ("LATE", 0, R.FAILED),
        ("", 0, R.FAILED),
        ("hostile,word", 999, R.FAILED),
    ],
)
def test_results(status: str, cause: int, result: R) -> None:
    assert result_of(status, cause) is result


def test_causes_are_kept_as_words() -> None:
    assert (cause_text("BUSY", 17), cause_text("NOIVR", 0)) == ("BUSY 17", "NOIVR")


def test_a_channel_tells_its_attempt_and_others_do_not() -> None:
    assert attempt_of(channel_of(AGENT_CHANNEL, ATTEMPT)) == attempt_of(f"{DIAL_CHANNEL}{HEX}") == attempt_of(HEX) == ATTEMPT
    for other in ("", "node1-1.1", HEX[:-1], HEX + "0", HEX[:-1] + "G", f"tap-{ATTEMPT}", HEX.upper()[:-1] + "A", "x" * 32):
        assert attempt_of(other) is None


NOTES = {
    f"/tj-out/{HEX}/dialled": "1795411180",
    f"/tj-out/{HEX}/answered": f"1795411185|{CITIZEN}",
    f"/tj-out/{HEX}/ended": "1795411200|ANSWER|16",
}


def test_notes_of_a_call_that_was_answered() -> None:
    (trace,) = outbound_traces(NOTES.items())
    assert (trace.attempt_id, trace.result, trace.cause, trace.unique_id) == (ATTEMPT, R.ANSWERED, "ANSWER 16", CITIZEN)
    moments = [moment.timestamp() for moment in (trace.dialled_at, trace.answered_at, trace.ended_at) if moment]
    assert moments == [1795411180, 1795411185, 1795411200]


def test_notes_of_calls_that_go_on_or_never_rang() -> None:
    (running,) = outbound_traces(list(NOTES.items())[:1])
    assert (running.answered_at, running.ended_at, running.result) == (None, None, None)
    (late,) = outbound_traces([(f"/tj-out/{HEX}/ended", "1795411200|NOIVR|")])
    assert (late.dialled_at, late.result, late.cause) == (None, R.FAILED, "NOIVR")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("/tj-out/x/ended", "1|BUSY|17"),
        (f"/other/{HEX}/ended", "1|BUSY|17"),
        ("", ""),
        (f"/tj-out/{HEX}", "1"),
        (f"/tj-out/{HEX}/a/b", "1"),
    ],
)
def test_unreadable_notes_are_none(key: str, value: str) -> None:
    assert outbound_traces([(key, value)]) == []


def test_a_torn_end_is_no_end() -> None:
    for value in ("soon|BUSY|17", "1795411200|BUSY", "1795411200|BUSY|17|x", ""):
        (trace,) = outbound_traces([(f"/tj-out/{HEX}/ended", value)])
        assert trace.ended_at is None


def told(kind: str, **headers: str) -> f.Fact | None:
    event = (
        ("Event", "UserEvent"),
        ("UserEvent", kind),
        ("Uniqueid", CITIZEN),
        ("Linkedid", AGENT),
        ("Channel", "PJSIP/carrier-1"),
    )
    found = f.facts(AmiMessage((*event, *headers.items())), NOW)
    return found[0] if found else None


def test_facts_of_the_dialplan() -> None:
    assert told("OutboundDialled", Attempt=HEX) == f.OutboundDialled(NOW, ATTEMPT)
    assert told("OutboundAnswered", Attempt=HEX) == f.OutboundUp(NOW, ATTEMPT, CITIZEN)
    assert told("OutboundEnded", Attempt=HEX, Status="BUSY", Reason="17") == f.OutboundOver(NOW, ATTEMPT, "BUSY", 17)
    assert told("OutboundEnded", Attempt=HEX, Status="NOIVR", Reason="") == f.OutboundOver(NOW, ATTEMPT, "NOIVR", 0)
    assert told("QueueCallback") == f.CallbackAsked(NOW, CITIZEN)
    assert told("AfterCallOffered") == f.AfterCallBegun(NOW, CITIZEN)
    recording = "2026/11/23/node1-1795411185.3"
    placed = told("CallPlaced", Attempt=HEX, AgentChannel="PJSIP/8001-2", AgentUniqueid=AGENT)
    assert placed == f.CallPlaced(NOW, CITIZEN, AGENT, "PJSIP/carrier-1", ATTEMPT, "8001", AGENT, "PJSIP/8001-2")
    talks = told("AgentTalks", AgentChannel="PJSIP/8001-2", AgentUniqueid=AGENT, Recording=recording)
    assert talks == f.AgentConnected(NOW, CITIZEN, "8001", AGENT, "PJSIP/8001-2", recording)


@pytest.mark.parametrize("kind", ["OutboundDialled", "OutboundAnswered", "OutboundEnded", "CallPlaced"])
@pytest.mark.parametrize("attempt", ["", "x", HEX[:-2], "../../etc"])
def test_what_names_no_attempt_says_nothing(kind: str, attempt: str) -> None:
    assert told(kind, Attempt=attempt, AgentChannel="PJSIP/8001-2") is None


def test_an_agent_is_an_agents_channel() -> None:
    assert told("CallPlaced", Attempt=HEX, AgentChannel="PJSIP/carrier-2") is None
    assert told("AgentTalks", AgentChannel="Local/x") is None


def originated(**headers: str) -> list[f.Fact]:
    return f.facts(AmiMessage((("Event", "OriginateResponse"), ("Response", "Failure"), *headers.items())), NOW)


def test_an_agent_who_does_not_pick_up_and_a_tap_that_fails_are_told_apart() -> None:
    assert originated(Context="outbound-agent", Exten=HEX, Uniqueid="<null>") == [f.AgentNotReached(NOW, ATTEMPT)]
    assert originated(Context="outbound-answered", Exten="s", Uniqueid=f"{DIAL_CHANNEL}{HEX}") == []
    assert originated(Context="", Uniqueid="tap-1") == [f.TapFailed(NOW, "tap-1")]
    assert originated(Context="outbound-agent", Exten="x") == []


def test_notes_of_an_agents_own_call() -> None:
    key = f"/tj-call/{CITIZEN}"
    rows = [
        (f"{key}/arrived", f"1795411180|||2026/11/23/{CITIZEN}|13800138000|"),
        (f"{key}/attempt", HEX),
        (f"{key}/placed", f"{AGENT}|PJSIP/8001-00000002"),
        (f"{key}/answered", f"1795411185|{AGENT}|PJSIP/8001-00000002"),
        (f"{key}/ended", "1795411200|16"),
    ]
    (trace,) = call_traces(rows)
    placed, connected, gone = facts_of(trace)
    assert isinstance(placed, f.CallPlaced)
    assert (placed.attempt, placed.agent, placed.linked_id) == (ATTEMPT, "8001", AGENT)
    assert isinstance(connected, f.AgentConnected)
    assert connected.recording == f"2026/11/23/{CITIZEN}"
    assert isinstance(gone, f.ChannelGone)
    (unanswered,) = call_traces(rows[:3])
    assert [type(fact) for fact in facts_of(unanswered)] == [f.CallPlaced]


def test_notes_of_a_citizen_who_asked_to_be_rung_back_and_of_one_who_was() -> None:
    key = f"/tj-call/{CITIZEN}"
    arrived = (f"{key}/arrived", f"1795411180|consult|12345|2026/11/23/{CITIZEN}|13800138000|")
    (asked,) = call_traces([arrived, (f"{key}/callback", "1795411190")])
    assert [type(fact) for fact in facts_of(asked)] == [f.CallArrived, f.CallerJoined, f.CallbackAsked]
    (back,) = call_traces([arrived, (f"{key}/attempt", HEX)])
    first = facts_of(back)[0]
    assert isinstance(first, f.CallArrived)
    assert (first.attempt, first.linked_id) == (ATTEMPT, f"{DIAL_CHANNEL}{HEX}")
