"""Asterisk, the bridge and the database going away and coming back in the middle of calls: nothing lost, nothing stuck."""

import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.clock import SystemClock
from core.database import Database
from telephony.adapters.ami_client import AmiAddress, AmiClient, SwitchLoginRefusedError
from telephony.adapters.ami_switch import AmiSwitch
from telephony.door import TelephonyRules
from telephony.models import AgentStateChange
from telephony.service import TelephonyService
from tests.asterisk_server import AsteriskServer
from tests.integration.telephony.conftest import Hotline, eventually


def test_a_wrong_password_is_said_clearly(asterisk: AsteriskServer, database: Database) -> None:
    client = AmiClient(AmiAddress("127.0.0.1", asterisk.settings.ami_port, "tingjian", "wrong"))
    client.start()
    with pytest.raises(SwitchLoginRefusedError, match="Authentication failed"):
        client.wait_until_up(10)
    switch = AmiSwitch(client, client)
    service = TelephonyService(database, SystemClock(), switch, TelephonyRules.of(asterisk.settings))
    service.ensure_queues({"consult": "办事咨询"})
    agent_id = service.save_agent("8077", "甲", ["consult"])
    with pytest.raises(SwitchLoginRefusedError):
        service.log_in_agent(agent_id)
    assert service.get_agent(agent_id) is not None
    client.close()


def test_least_privilege(asterisk: AsteriskServer) -> None:
    """The manager users can do their work and nothing else."""
    client = asterisk.client()
    refused = [("Command", {"Command": "core show version"}), ("DBPut", {"Family": "x", "Key": "y", "Val": "z"}), ("Reload", {})]
    refused.append(("Originate", {"Channel": "Local/12345@hotline", "Application": "System", "Data": "touch /tmp/x"}))
    for action, keys in refused:
        with pytest.raises(Exception, match=r"ermission|Forbidden"):
            client.request(action, keys)
    # Speaking in calls is another user's, and that user's alone.
    speaker = asterisk.client(user=f"{asterisk.settings.ami_username}-ivr")
    with pytest.raises(Exception, match=r"ermission|Forbidden"):
        client.request("AGI", {"Channel": "PJSIP/carrier-1", "Command": "NOOP"})
    for action, keys in [
        ("Originate", {"Channel": "Local/12345@hotline", "Application": "Wait", "Data": "1"}),
        ("DBPut", {"Family": "x", "Key": "y", "Val": "z"}),
        ("Redirect", {"Channel": "PJSIP/8001-1", "Context": "transfer", "Exten": "12345", "Priority": "1"}),
        ("Command", {"Command": "core show version"}),
    ]:
        with pytest.raises(Exception, match=r"ermission|Forbidden"):
            speaker.request(action, keys)
    with pytest.raises(Exception, match=r"ermission|Forbidden"):
        asterisk.provisioning.request("Originate", {"Channel": "Local/12345@hotline", "Application": "Wait", "Data": "1"})


def test_asterisk_dies_with_a_call_up(hotline: Hotline) -> None:
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=60)
    eventually(lambda: hotline.state(agent_id) == "talking")
    # Asterisk writes registrations to disk about once a second; this telephone renews its own only once a minute.
    time.sleep(2)
    hotline.server.kill()
    hotline.server.start()
    eventually(lambda: hotline.only_call().state == "ended", timeout=15)
    call = hotline.only_call()
    assert (call.outcome, call.cause) == ("answered", "reconciled")
    assert [leg.ended_at is not None for leg in hotline.legs()] == [True]
    # The agent is in the queue again, and does the after-call work.
    assert hotline.agent(agent_id).wrapup_until is not None
    switch = hotline.server.shared_switch()
    eventually(lambda: [(seat.agent, seat.is_paused) for seat in _seats(hotline)] == [("8001", True)])
    eventually(lambda: "8001" in switch.state().registered, timeout=20)


def test_the_bridge_was_away_while_a_call_ended_and_another_came(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001", pick_up_after=0)
    first = hotline.ring(stay_seconds=60)
    eventually(lambda: hotline.state(agent_id) == "talking")
    hotline.stop_bridge()
    first.kill()
    phone.do("hangup")
    hotline.server.command("channel request hangup all")
    eventually(lambda: not hotline.server.shared_switch().state().channels)
    second = hotline.ring(number="13900139000", display_name="王\u2028Channel: x", stay_seconds=60)
    eventually(lambda: len(hotline.server.shared_switch().state().channels) == 1)
    assert hotline.only_call().state == "talking"
    hotline.start_bridge()
    eventually(lambda: len(hotline.calls()) == 2)
    ended, running = hotline.calls()
    assert (ended.state, ended.outcome, ended.cause) == ("ended", "answered", "16")
    assert (running.state, running.caller_number, running.caller_name, running.queue_name, running.dialled) == (
        "queued",
        "13900139000",
        "王 Channel: x",
        "consult",
        "12345",
    )
    assert len(hotline.recordings()) == 4
    eventually(lambda: hotline.state(agent_id) == "wrapup")
    hotline.service.finish_wrapup(agent_id)
    eventually(lambda: hotline.state(agent_id) == "talking")
    second.kill()


def test_a_whole_call_while_the_bridge_was_away(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001", pick_up_after=0)
    hotline.stop_bridge()
    hotline.ring(number="13900139000", display_name="赵|1|2", stay_seconds=3).wait_for("ended")
    phone.wait_for("call_closed")
    eventually(lambda: not hotline.server.shared_switch().state().channels)
    assert hotline.calls() == []
    hotline.start_bridge()
    eventually(lambda: hotline.calls())
    call, (leg,) = hotline.only_call(), hotline.legs()
    assert (call.outcome, call.caller_number, call.caller_name, call.queue_name, call.agent_id) == (
        "answered",
        "13900139000",
        "赵|1|2",
        "consult",
        agent_id,
    )
    assert call.talking_seconds == pytest.approx(3, abs=1.2)
    assert (leg.agent_id, leg.outcome) == (agent_id, "answered")
    eventually(lambda: {row.state for row in hotline.recordings()} == {"kept"})
    assert hotline.server.shared_switch().traces() == []
    # A second look finds nothing more.
    hotline.stop_bridge()
    hotline.start_bridge()
    assert len(hotline.calls()) == 1


def test_the_bridge_was_away_while_a_call_was_answered(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001")
    hotline.ring(stay_seconds=60)
    phone.wait_for("ringing")
    eventually(lambda: hotline.state(agent_id) == "ringing")
    hotline.stop_bridge()
    phone.do("answer")
    phone.wait_for("answered")
    hotline.start_bridge()
    eventually(lambda: hotline.state(agent_id) == "talking")
    assert hotline.only_call().state == "talking"
    phone.do("hangup")
    eventually(lambda: hotline.only_call().state == "ended")
    assert [leg.outcome for leg in hotline.legs()] == ["answered"]


def test_the_database_is_away_for_a_while(hotline: Hotline) -> None:
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    name = hotline.database.engine.url.database
    with Database(hotline.database.url.replace(f"/{name}", "/postgres")).engine.connect() as admin:
        admin = admin.execution_options(isolation_level="AUTOCOMMIT")
        admin.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        admin.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
        hotline.ring(stay_seconds=3).wait_for("ended")
        admin.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    eventually(lambda: hotline.calls() and hotline.only_call().state == "ended", timeout=15)
    call = hotline.only_call()
    assert (call.outcome, call.agent_id) == ("answered", agent_id)
    # Recorded late, but with the times at which it happened.
    assert call.talking_seconds == pytest.approx(3, abs=1.0)
    eventually(lambda: hotline.state(agent_id) == "wrapup")


def test_stretches_of_state_have_no_gap(hotline: Hotline) -> None:
    # A number of its own: a telephone that an earlier test killed may still count as there, and then as gone.
    agent_id, _ = hotline.seat("8041", pick_up_after=0)
    hotline.ring(stay_seconds=2).wait_for("ended")
    eventually(lambda: hotline.state(agent_id) == "wrapup")
    hotline.service.log_out_agent(agent_id)
    with hotline.database.transaction() as session:
        rows = list(session.scalars(select(AgentStateChange).order_by(AgentStateChange.id)))
    assert [row.state for row in rows] == ["offline", "paused", "ready", "ringing", "talking", "wrapup", "offline"]
    assert [row.ended_at for row in rows[:-1]] == [row.started_at for row in rows[1:]]
    assert rows[-1].ended_at is None


def test_a_recording_that_cannot_be_written_is_shown_and_the_call_goes_on(hotline: Hotline) -> None:
    folder = hotline.server.recordings / datetime.now(UTC).strftime("%Y/%m/%d")
    with _Obstructed(folder):
        agent_id, _ = hotline.seat("8001", pick_up_after=0)
        citizen = hotline.ring(stay_seconds=60)
        eventually(lambda: hotline.state(agent_id) == "talking")
        eventually(lambda: {row.state for row in hotline.recordings()} == {"lost"}, timeout=15)
        assert {row.loss_reason for row in hotline.recordings()} == {"missing"}
        assert hotline.only_call().state == "talking"
        citizen.kill()
    assert hotline.events().count("RecordingLost") == 2


def test_old_recordings_are_deleted(hotline: Hotline) -> None:
    hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=1).wait_for("ended")
    eventually(lambda: {row.state for row in hotline.recordings()} == {"kept"})
    paths = [hotline.server.recordings / row.path for row in hotline.recordings()]
    assert hotline.service.delete_expired_recordings(hotline.server.recordings) == 0
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE recording SET delete_on = current_date - 1"))
    assert all(path.exists() for path in paths)
    assert hotline.service.delete_expired_recordings(hotline.server.recordings) == 2
    assert not any(path.exists() for path in paths)
    assert {row.state for row in hotline.recordings()} == {"deleted"}


def _seats(hotline: Hotline) -> tuple[object, ...]:
    try:
        return hotline.server.shared_switch().state().seats
    except Exception:
        return ()


class _Obstructed:
    """A file where the folder of the day should be: nothing can be written there, not even by root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside = folder.with_name(f"{folder.name}-{uuid.uuid4().hex[:6]}")

    def __enter__(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        if self._folder.exists():
            self._folder.rename(self._aside)
        self._folder.write_text("")

    def __exit__(self, *_: object) -> None:
        self._folder.unlink()
        if self._aside.exists():
            self._aside.rename(self._folder)
