"""What the exchange is asked for, word by word, where a real one would keep a test waiting."""

import uuid
from datetime import UTC, datetime
from typing import Any

from telephony import outbound_actions
from telephony.adapters.ami_switch import AmiSwitch
from telephony.outbound import AGENT_CHANNEL, channel_of

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class Line:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []

    def request(self, action: str, fields: dict[str, str], variables: dict[str, str]) -> None:
        self.asked.append((action, fields, variables))


def test_an_agents_own_telephone_stops_ringing_before_the_request_is_too_old_to_dial() -> None:
    line: Any = Line()
    attempt_id = uuid.uuid4()
    until = NOW + outbound_actions._VALID
    AmiSwitch(line, line).dial_for_agent(attempt_id, "13800138000", "8001", 45, until)
    ((action, fields, variables),) = line.asked
    assert (action, fields["ChannelId"]) == ("Originate", channel_of(AGENT_CHANNEL, attempt_id))
    assert int(fields["Timeout"]) / 1000 < int(variables["TJ_UNTIL"]) - NOW.timestamp()
    assert variables["TJ_RING"] == "45", "the citizen's telephone rings as long as it was asked for"
