"""What recorded events of a real Asterisk mean, and what hostile ones do not."""

import itertools
from datetime import UTC, datetime

import pytest

from telephony import ami_facts as f
from telephony.ami_protocol import AmiMessage
from tests.calls_data import FOLDER, recorded

NOW = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)

STORIES = {
    "register": """
        contact 8001, contact 8001, line 8001, contact 8002, contact 8002, line 8002, paused 8001,
        paused 8001, paused 8001, paused 8001
    """,
    "answered_held_agent_hangs_up": """
        arrived, joined, ringing 8001, line 8001, line 8001, connected 8001, held, unheld, gone,
        line 8001, gone
    """,
    "citizen_hangs_up": """
        arrived, joined, ringing 8001, line 8001, line 8001, connected 8001, gone, gone, line 8001
    """,
    "missed_then_abandoned": """
        arrived, joined, ringing 8001, line 8001, missed 8001, paused 8001, paused 8001, gone, line
        8001, gone
    """,
    "transferred_to_agent": """
        paused 8001, paused 8001, arrived, joined, ringing 8001, line 8001, line 8001, connected
        8001, unheld, transferred, gone, line 8001, ringing 8002, line 8002, line 8002, connected
        8002, gone, line 8002, gone
    """,
    "transfer_not_picked_up": """
        arrived, joined, ringing 8001, line 8001, line 8001, connected 8001, unheld, transferred,
        gone, line 8001, ringing 8002, line 8002, missed 8002, gone, line 8002, joined, ringing
        8001, line 8001, line 8001, connected 8001, gone, line 8001, gone
    """,
    "transferred_to_queue": """
        arrived, joined, ringing 8001, line 8001, line 8001, connected 8001, unheld, transferred,
        joined, gone, line 8001, ringing 8001, line 8001, line 8001, connected 8001, gone, line
        8001, gone
    """,
    "agent_died_talking": """
        arrived, joined, ringing 8001, line 8001, connected 8001, paused 8002, gone, line 8001,
        contact 8001, line 8001, lost, joined, ringing 8002, line 8002, line 8002, connected 8002,
        gone, line 8002, gone
    """,
    "agent_died_ringing": """
        paused 8001, paused 8001, contact 8001, contact 8001, contact 8001, line 8001, paused 8002,
        paused 8001, paused 8001, arrived, joined, ringing 8001, line 8001, missed 8001, paused
        8001, paused 8001, gone, line 8001, contact 8001, line 8001, gone
    """,
}
WORDS = {
    f.CallArrived: "arrived",
    f.CallerJoined: "joined",
    f.AgentRinging: "ringing",
    f.AgentMissed: "missed",
    f.AgentConnected: "connected",
    f.AgentLost: "lost",
    f.Held: "held",
    f.Unheld: "unheld",
    f.Transferred: "transferred",
    f.ChannelGone: "gone",
    f.MemberPaused: "paused",
    f.ContactChanged: "contact",
    f.LineChanged: "line",
}


def all_facts(name: str) -> list[f.Fact]:
    return [fact for message in recorded(name) for fact in f.facts(message, NOW)]


def told(fact: f.Fact) -> str:
    agent = getattr(fact, "agent", None)
    return f"{WORDS[type(fact)]} {agent}" if agent else WORDS[type(fact)]


@pytest.mark.parametrize("name", sorted(STORIES))
def test_a_recorded_call_tells_its_story(name: str) -> None:
    assert ", ".join(told(fact) for fact in all_facts(name)) == " ".join(STORIES[name].split())


def test_every_recording_has_its_story() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(STORIES)


def test_facts_of_one_call_hang_together() -> None:
    facts = all_facts("answered_held_agent_hangs_up")
    arrived = next(fact for fact in facts if isinstance(fact, f.CallArrived))
    connected = next(fact for fact in facts if isinstance(fact, f.AgentConnected))
    gone = [fact for fact in facts if isinstance(fact, f.ChannelGone)]
    assert (arrived.caller_number, arrived.queue, arrived.dialled) == ("13800138000", "consult", "12345")
    # A separator in the display name made no header: the channel is the real one, the name only text.
    assert arrived.channel.startswith("PJSIP/carrier-")
    assert arrived.caller_name == "张 Channel: PJSIP/8001-1"
    assert arrived.recording.endswith(arrived.unique_id)
    assert connected.unique_id == arrived.unique_id
    assert [fact.unique_id for fact in gone] == [connected.agent_unique_id, arrived.unique_id]
    assert [fact.cause for fact in gone] == [16, 16]
    assert all(earlier.at <= later.at for earlier, later in itertools.pairwise(facts))


def event(name: str, **headers: str) -> AmiMessage:
    return AmiMessage((("Event", name), *headers.items()))


def test_the_time_is_the_events_own_where_it_has_one() -> None:
    (fact,) = f.facts(event("Hold", Uniqueid="1", Timestamp="1795411090.5"), NOW)
    assert fact.at == datetime.fromtimestamp(1795411090.5, UTC)
    for odd in ("", "nan", "soon", "1e400"):
        (fact,) = f.facts(event("Hold", Uniqueid="1", Timestamp=odd), NOW)
        assert fact.at == NOW


@pytest.mark.parametrize(
    "message",
    [
        event("Newexten", Uniqueid="1"),
        event("UserEvent", UserEvent="CallArrived"),
        event("UserEvent", UserEvent="Other", Uniqueid="1"),
        event("AgentConnect", Interface="Local/8001@x", Uniqueid="1"),
        event("AgentConnect", Interface="PJSIP/carrier", Uniqueid="1"),
        event("DialBegin", Context="citizen", Uniqueid="1", DestChannel="PJSIP/8001-1"),
        event("BlindTransfer", Result="Fail", TransfererUniqueid="1", Extension="8002"),
        event("DeviceStateChange", Device="Queue:consult", State="INUSE"),
        event("ContactStatus", EndpointName="carrier", ContactStatus="Removed"),
        event("OriginateResponse", Response="Success", Uniqueid="tap-1"),
        AmiMessage((("Response", "Hangup"), ("Uniqueid", "1"))),
        AmiMessage(()),
    ],
)
def test_what_says_nothing_to_us_is_no_fact(message: AmiMessage) -> None:
    assert f.facts(message, NOW) == []


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "2026/11/23/../../x", "2026/11/23/node1-1.0;rm", "/2026/11/23/1.0", "2026/11/23/x\n1.0"]
)
def test_a_recordings_path_is_one_of_ours(path: str) -> None:
    (fact,) = f.facts(event("UserEvent", UserEvent="CallArrived", Uniqueid="1", Recording=path), NOW)
    assert isinstance(fact, f.CallArrived)
    assert fact.recording == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("李雷", "李雷"),
        ("a\u2028b\u0085c\vd\fe", "a b c d e"),
        ("\u202egnp.exe\u200b", "gnp.exe"),
        ("  x \t y ", "x y"),
        ("长" * 100, "长" * 60),
        ("\0", ""),
        (r"\"老\\王\"", r'"老\王"'),
    ],
)
def test_a_callers_name_is_cleaned(name: str, shown: str) -> None:
    assert f.clean_text(name, 60) == shown


@pytest.mark.parametrize(
    ("name", "number", "shown"),
    [
        ("王女士", "13800138000", "王女士"),
        ("13800138000", "13800138000", ""),
        ("王 138-0013-8000", "13800138000", ""),
        ("１３８００１３８０００", "13800138000", ""),
        ("+86 13800138000", "13800138000", ""),
        ("13800138000", "+8613800138000", ""),
        ("62331234", "02162331234", ""),
        ("王 13900139000", "13800138000", "王 〔电话号〕"),
        ("13900139000", "", "〔电话号〕"),
        ("长" * 52 + "13900139000", "13800138000", "长" * 52 + "〔电话号〕"),
        ("中国移动10086", "10086", "中国移动10086"),
    ],
)
def test_no_number_is_shown_as_a_name(name: str, number: str, shown: str) -> None:
    (fact,) = f.facts(event("UserEvent", UserEvent="CallArrived", Uniqueid="1", CallerIDNum=number, CallerIDName=name), NOW)
    assert isinstance(fact, f.CallArrived)
    assert (fact.caller_number, fact.caller_name) == (number, shown)


@pytest.mark.parametrize(
    ("number", "kept"), [("13800138000", "13800138000"), ("+86 138-0013", "+861380013"), ("<unknown>", ""), ("x'); --", "")]
)
def test_a_callers_number_is_cleaned(number: str, kept: str) -> None:
    assert f.clean_number(number) == kept
