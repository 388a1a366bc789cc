"""Asterisk as the Switch, over the manager's actions. Knows what our wishes are called there, and nothing of calls' rules."""

import contextlib
import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from asterisk.ami import Response

from core.errors import InvalidInputError, NotFoundError
from telephony.adapters.ami_client import AmiClient, SwitchRefusedError
from telephony.ami_facts import agent_of, clean_number, interface_of
from telephony.call_traces import FAMILY as _TRACES
from telephony.call_traces import call_traces, outbound_traces
from telephony.outbound import AGENT_CHANNEL, DIAL_CHANNEL, channel_of
from telephony.outbound import FAMILY as OUTBOUND_FAMILY
from telephony.ports import CallTrace, Dial, LiveChannel, NotSeatedError, OutboundTrace, Seat, SwitchState

Phone = Literal["browser", "sip"]

_FAMILY = "tingjian"
_DEAD_DEVICES = {"UNAVAILABLE", "INVALID", "UNKNOWN"}
_TAP_FORMAT = "slin16"
_TAP_TIMEOUT_MILLISECONDS = "5000"
_NORMAL_CLEARING = "16"
_NO_LIMIT = 9_999_999_999
_RING_MARGIN_SECONDS = 15  # Asterisk's own limit comes after the dialplan's, which tells why
_OWN_RING_SECONDS = 20  # of an agent's own telephone: picked up after `valid_until`, nobody would be dialled
_NO_CHANNEL = ("no such channel", "not found", "does not exist")


class NoSuchChannelError(NotFoundError):
    """The channel is already gone."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.channel = channel


class AmiSwitch:
    """The exchange through two manager users: one for calls and queues, one that only makes telephones known."""

    def __init__(
        self, client: AmiClient, provisioning: AmiClient, *, phone: Phone = "browser", rtp_timeout_seconds: int = 8
    ) -> None:
        self._client = client
        self._provisioning = provisioning
        self._phone = phone
        self._rtp_timeout_seconds = rtp_timeout_seconds

    def provision(self, agent_number: str, password: str) -> None:
        """Write the agent's endpoint, log-in and address into Asterisk's database; PJSIP reads them from there at once."""
        records = agent_records(agent_number, password, self._phone, self._rtp_timeout_seconds)
        for kind, values in records.items():
            record = {"Family": f"{_FAMILY}/{kind}", "Key": agent_number, "Val": json.dumps(values, separators=(",", ":"))}
            self._provisioning.request("DBPut", record)

    def withdraw(self, agent_number: str) -> None:
        """Make the agent's telephone unknown again."""
        for kind in ("endpoint", "auth", "aor"):
            try:
                self._provisioning.request("DBDel", {"Family": f"{_FAMILY}/{kind}", "Key": agent_number})
            except SwitchRefusedError:
                continue

    def log_in(self, agent_number: str, name: str, queues: Sequence[str]) -> None:
        """Add the agent, paused, to each queue; being there already is no error."""
        interface = interface_of(agent_number)
        for queue in queues:
            member = {"Queue": queue, "Interface": interface, "MemberName": agent_number, "Paused": "true"}
            try:
                self._client.request("QueueAdd", member)
            except SwitchRefusedError as error:
                if "already" not in error.reason.lower():
                    raise
                self._client.request("QueuePause", {"Queue": queue, "Interface": interface, "Paused": "true"})

    def log_out(self, agent_number: str, queues: Sequence[str]) -> None:
        """Take the agent out of each queue; not being there is no error."""
        for queue in queues:
            try:
                self._client.request("QueueRemove", {"Queue": queue, "Interface": interface_of(agent_number)})
            except SwitchRefusedError as error:
                if "not there" not in error.reason.lower():
                    raise

    def pause(self, agent_number: str, reason: str) -> None:
        """Pause in every queue at once."""
        self._queue_pause(agent_number, Paused="true", Reason=reason)

    def unpause(self, agent_number: str) -> None:
        """Unpause in every queue at once."""
        self._queue_pause(agent_number, Paused="false")

    def _queue_pause(self, agent_number: str, **how: str) -> None:
        try:
            self._client.request("QueuePause", {"Interface": interface_of(agent_number), **how})
        except SwitchRefusedError as error:
            if "not found" in error.reason.lower():
                raise NotSeatedError(agent_number) from error
            raise

    def hang_up(self, channel: str) -> None:
        """End a channel as if its owner had hung up."""
        self._on_channel("Hangup", channel, Channel=channel, Cause=_NORMAL_CLEARING)

    def transfer(self, agent_channel: str, extension: str) -> None:
        """Blind-transfer whoever talks with the agent's channel."""
        self._on_channel("BlindTransfer", agent_channel, Channel=agent_channel, Context="transfer", Exten=extension)

    def start_tap(self, unique_id: str, tap_id: str, address: str) -> None:
        """Spy on one party (`o`) of exactly this channel (`u`), silently (`q`), until it ends (`E`), into an AudioSocket."""
        self._client.request(
            "Originate",
            {
                "Channel": f"AudioSocket/{address}/{tap_id}/c({_TAP_FORMAT})",
                "Application": "ChanSpy",
                "Data": f"{unique_id},qEou",
                "Async": "true",
                "Timeout": _TAP_TIMEOUT_MILLISECONDS,
                "ChannelId": f"tap-{tap_id}",
            },
            # Otherwise each tap would count as a call wherever the site keeps call records.
            {"CDR_PROP(disable)": "1"},
        )

    def dial(self, dial: Dial) -> None:
        """Originate into the dialplan's [outbound], with the attempt as extension and in the channel's id."""
        if (dial.then == "queue") != bool(dial.queue):
            raise InvalidInputError("a call for a queue needs one, and no other does")
        variables = {"__TJ_THEN": dial.then, "__TJ_PRIORITY": str(dial.priority)}
        if dial.queue:
            variables["__TJ_QUEUE"] = dial.queue
        attempt = dial.attempt_id.hex
        channel = channel_of(DIAL_CHANNEL, dial.attempt_id)
        keys = {
            "Channel": f"Local/{attempt}@outbound/n",
            "OtherChannelId": f"{channel}-2",
            # Never reached: who picks up goes on by themselves (see extensions_outbound.conf).
            "Context": "outbound-answered",
            "Exten": "s",
        }
        longest = int(dial.ring_seconds) + _RING_MARGIN_SECONDS
        self._originate(channel, keys, dial.phone, dial.ring_seconds, dial.valid_until, longest, variables)

    def dial_for_agent(
        self, attempt_id: uuid.UUID, phone: str, agent_number: str, ring_seconds: int, valid_until: datetime | None = None
    ) -> None:
        """Originate to the agent's telephone, and from there into [outbound-agent]."""
        keys = {"Channel": interface_of(agent_number), "Context": "outbound-agent", "Exten": attempt_id.hex}
        channel = channel_of(AGENT_CHANNEL, attempt_id)
        self._originate(channel, keys, phone, ring_seconds, valid_until, _OWN_RING_SECONDS, {})

    def _originate(
        self,
        channel_id: str,
        keys: dict[str, str],
        phone: str,
        ring_seconds: int,
        valid_until: datetime | None,
        longest_seconds: int,
        variables: dict[str, str],
    ) -> None:
        if not (phone.isascii() and phone.isdigit()):
            raise InvalidInputError("what is dialled is digits")
        until = int(valid_until.timestamp()) if valid_until is not None else _NO_LIMIT
        common = {"TJ_PHONE": phone, "TJ_RING": str(int(ring_seconds)), "TJ_UNTIL": str(until)}
        action = {
            **keys,
            "Priority": "1",
            "Async": "true",
            "ChannelId": channel_id,
            "Timeout": str(longest_seconds * 1000),
        }
        self._client.request("Originate", action, {**common, **variables})

    def outbound_traces(self) -> list[OutboundTrace]:
        """Read the dialplan's notes of calls that we placed."""
        return outbound_traces(self._notes(OUTBOUND_FAMILY))

    def forget_outbound(self, attempt_id: uuid.UUID) -> None:
        """Delete the dialplan's notes of a call that we placed; none is no error."""
        with contextlib.suppress(SwitchRefusedError):
            self._provisioning.request("DBDelTree", {"Family": OUTBOUND_FAMILY, "Key": attempt_id.hex})

    def announce_ivr(self, at: datetime) -> None:
        """Note that somebody is there to speak with citizens; the dialplan passes nobody on where this is old."""
        self._provisioning.request("DBPut", {"Family": "tj-ivr", "Key": "beat", "Val": str(int(at.timestamp()))})

    def state(self) -> SwitchState:
        """Ask for every channel, queue member and agent's line."""
        channels = [
            LiveChannel(
                unique_id=event.get("Uniqueid"),
                linked_id=event.get("Linkedid"),
                channel=event.get("Channel"),
                agent=agent_of(event.get("Channel")),
                is_up=event.get("ChannelStateDesc") == "Up",
                is_bridged=bool(event.get("BridgeId")),
                context=event.get("Context"),
                caller_number=clean_number(event.get("CallerIDNum")),
            )
            for event in self._client.request_list("CoreShowChannels")
        ]
        seats = []
        for event in self._client.request_list("QueueStatus"):
            agent = agent_of(event.get("Location")) if event.name == "QueueMember" else None
            if agent is not None:
                seats.append(Seat(agent, event.get("Queue"), event.get("Paused") == "1"))
        registered = {
            agent
            for event in self._client.request_list("DeviceStateList")
            if (agent := agent_of(event.get("Device"))) is not None and event.get("State") not in _DEAD_DEVICES
        }
        return SwitchState(tuple(channels), tuple(seats), frozenset(registered))

    def traces(self) -> list[CallTrace]:
        """Read the dialplan's notes; what is no note of ours is passed over."""
        return call_traces(self._notes(_TRACES))

    def _notes(self, family: str) -> list[tuple[str, str]]:
        try:
            rows = self._client.request_list("DBGetTree", {"Family": family})
        except SwitchRefusedError:
            return []  # there is none
        return [(row.get("Key"), row.get("Val")) for row in rows]

    def forget(self, unique_id: str) -> None:
        """Delete the dialplan's notes of a call; none is no error."""
        with contextlib.suppress(SwitchRefusedError):
            self._provisioning.request("DBDelTree", {"Family": _TRACES, "Key": unique_id})

    def _on_channel(self, action: str, channel: str, **keys: str) -> Response:
        try:
            return self._client.request(action, keys)
        except SwitchRefusedError as error:
            if any(words in error.reason.lower() for words in _NO_CHANNEL):
                raise NoSuchChannelError(channel) from error
            raise


def agent_records(number: str, password: str, phone: Phone, rtp_timeout_seconds: int) -> dict[str, dict[str, str]]:
    """Return what Asterisk must know of an agent's telephone, by kind of record."""
    endpoint = {
        "context": "agent",
        "auth": number,
        "aors": number,
        "disallow": "all",
        # The citizen's line is G.711 anyway: offering it first saves transcoding.
        "allow": "alaw,ulaw",
        "direct_media": "no",
        "rtp_symmetric": "yes",
        "force_rport": "yes",
        "rewrite_contact": "yes",
        "dtmf_mode": "rfc4733",
        # A browser that died sends nothing: its channel ends, and the agent and the citizen are free.
        "rtp_timeout": str(rtp_timeout_seconds),
        "rtp_timeout_hold": str(rtp_timeout_seconds),
        "allow_subscribe": "no",
        "trust_id_outbound": "no",
        "set_var": "TRANSFER_CONTEXT=transfer",
    }
    if phone == "browser":
        endpoint |= {"webrtc": "yes", "dtls_auto_generate_cert": "yes"}
    return {
        "auth": {"auth_type": "userpass", "username": number, "password": password},
        # One browser a seat: a new log-in takes the place of the old one. Asked every few seconds, so that a dead one is noticed.
        "aor": {
            "max_contacts": "1",
            "remove_existing": "yes",
            "qualify_frequency": "4",
            "qualify_timeout": "3",
            "maximum_expiration": "300",
            "default_expiration": "120",
        },
        "endpoint": endpoint,
    }
