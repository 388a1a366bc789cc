"""What a supervisor has to look at."""

import uuid
from datetime import UTC, datetime, timedelta

from telephony.board import AgentView, Board, LiveCall, LostRecording, ServiceCount
from webui.supervisor_rules import AlertKind, Backlog, Limits, agent_limit_seconds, is_over, needs_attention

NOW = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)
LIMITS = Limits(
    answer_target_seconds=15,
    pause_minutes={"用餐": 40},
    wrapup_seconds=120,
    long_call_seconds=600,
    long_hold_seconds=90,
    long_wait_seconds=30,
)


def agent(state: str, seconds: float, reason: str = "", wrapup: float | None = None) -> AgentView:
    since = NOW - timedelta(seconds=seconds)
    until = since + timedelta(seconds=wrapup) if wrapup else None
    return AgentView(uuid.uuid4(), "8001", "陈敏", state, since, reason, until, True, True, None, "")


def call(waited: float | None = None, lag: float | None = None) -> LiveCall:
    answered = None if waited is not None else NOW - timedelta(seconds=60)
    queued = NOW - timedelta(seconds=waited or 70)
    return LiveCall(
        uuid.uuid4(), "20260318-000001", "13800138000", False, "consult", "办事咨询", "x", None, queued, queued, answered, None,
        lag_seconds=lag,
    )  # fmt: skip


def board(
    agents: list[AgentView] | None = None, calls: list[LiveCall] | None = None, lost: list[LostRecording] | None = None
) -> Board:
    return Board(NOW, agents or [], calls or [], [], ServiceCount(), ServiceCount(), lost or [])


def kinds(found: Board, backlog: Backlog | None = None) -> list[AlertKind]:
    return [alert.kind for alert in needs_attention(found, backlog or Backlog(), LIMITS)]


def test_all_is_well() -> None:
    agents = [
        agent("ready", 9999),
        agent("talking", 500),
        agent("paused", 1000, "用餐"),
        agent("wrapup", 60),
        agent("offline", 9e5),
    ]
    assert kinds(board(agents, [call(waited=20), call(lag=3.0)])) == []


def test_every_limit_has_its_alert() -> None:
    agents = [
        agent("faulty", 5),
        agent("paused", 2500, "用餐"),
        agent("wrapup", 121),
        agent("talking", 700),
        agent("held", 100),
    ]
    found = kinds(board(agents, [call(waited=31), call(lag=9.0)]), Backlog(2, NOW, 1, NOW))
    assert set(found) == {
        AlertKind.UNREACHABLE, AlertKind.LONG_PAUSE, AlertKind.LONG_WRAPUP, AlertKind.LONG_CALL, AlertKind.LONG_HOLD,
        AlertKind.LONG_WAIT, AlertKind.LAGGED, AlertKind.PARKED_EVENTS, AlertKind.DEAD_JOBS,
    }  # fmt: skip


def test_an_extension_moves_the_limit_and_an_unknown_reason_has_none() -> None:
    assert agent_limit_seconds(agent("wrapup", 10, wrapup=240), LIMITS) == 240
    assert not is_over(agent("wrapup", 200, wrapup=240), LIMITS, NOW)
    assert agent_limit_seconds(agent("paused", 9999, "未接来电"), LIMITS) is None


def test_what_is_broken_comes_first_and_numbers_stay_masked() -> None:
    lost = LostRecording(uuid.uuid4(), "20260318-000009", "citizen", "disk_full", NOW - timedelta(hours=2))
    alerts = needs_attention(board([agent("talking", 700)], [call(waited=60)], [lost]), Backlog(), LIMITS)
    assert [alert.is_serious for alert in alerts] == [True, False, False]
    waiting = next(alert for alert in alerts if alert.kind is AlertKind.LONG_WAIT)
    assert waiting.who == "138****8000"
