"""What the dialplan's notes amount to."""

from datetime import UTC, datetime

from telephony.ami_facts import AgentConnected, CallArrived, CallerJoined, ChannelGone
from telephony.call_traces import call_traces, facts_of

NOTES = {
    "/tj-call/node1-1795411181.0/arrived": "1795411181|consult|12345|2026/11/23/node1-1795411181.0|13800138000|李|ended|x",
    "/tj-call/node1-1795411181.0/answered": "1795411190|node1-1795411185.1|PJSIP/8001-00000001",
    "/tj-call/node1-1795411181.0/ended": "1795411200|16",
}


def test_a_whole_call() -> None:
    (trace,) = call_traces(NOTES.items())
    assert (trace.caller_number, trace.caller_name, trace.queue, trace.agent) == ("13800138000", "李|ended|x", "consult", "8001")
    facts = facts_of(trace)
    assert [type(fact) for fact in facts] == [CallArrived, CallerJoined, AgentConnected, ChannelGone]
    assert [fact.at for fact in facts] == [datetime.fromtimestamp(1795411100 + second, UTC) for second in (81, 81, 90, 100)]


def test_a_number_is_no_name() -> None:
    notes = {key: value.replace("李|ended|x", "138 0013 8000") for key, value in NOTES.items()}
    (trace,) = call_traces(notes.items())
    assert (trace.caller_number, trace.caller_name) == ("13800138000", "")


def test_a_call_that_goes_on() -> None:
    (trace,) = call_traces(list(NOTES.items())[:1])
    assert [type(fact) for fact in facts_of(trace)] == [CallArrived, CallerJoined]


def test_unreadable_notes_are_none() -> None:
    rows = [
        ("/tj-call/1/ended", "1|16"),
        ("/tj-call/2/arrived", "soon|a|b|c|d|e"),
        ("/tj-call/3/arrived", "1"),
        ("/other/4/arrived", NOTES["/tj-call/node1-1795411181.0/arrived"]),
        ("", ""),
    ]
    assert call_traces(rows) == []


def test_a_path_from_a_note_is_one_of_ours() -> None:
    (trace,) = call_traces([("/tj-call/1.0/arrived", "1795411181|consult|12345|../../etc/x|1|n")])
    assert trace.recording == ""
