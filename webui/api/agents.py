"""Agents and queues over the API: who does what, who waits, and changing an agent's state."""

import uuid
from typing import Any, Literal

from pydantic import BaseModel, Field

from core import audit
from webui.api.agents_by_number import agent_of_number
from webui.api.application import resource
from webui.api.fields import Asked, FullLine, Line, Moment, Told, tell
from webui.api.refusals import refuse
from webui.house import board_reads, current_house
from webui.permissions import Permission, requires
from webui.person import actor

blueprint = resource("agents")


class AgentItem(Told):
    """An agent: offline, ready, ringing, talking, held, wrapup, paused or faulty, and since when."""

    agent_id: uuid.UUID
    number: str
    name: str
    state: str
    since: Moment
    pause_reason: str
    wrapup_until: Moment | None
    is_logged_in: bool
    is_registered: bool
    call_id: uuid.UUID | None
    queues: list[str]


class AgentList(Told):
    """All active agents, by number."""

    items: list[AgentItem]


class QueueCount(Told):
    """Today's calls of a queue. offered = answered + abandoned after 5 s; in_time = answered within the target."""

    offered: int
    answered: int
    abandoned: int
    in_time: int


class QueueItem(Told):
    """A queue now and today."""

    name: str
    title: str
    waiting: int
    longest_since: Moment | None
    ready: int
    count: QueueCount = Field(description="今日数字")


class QueueList(Told):
    """All queues."""

    at: Moment
    items: list[QueueItem]


class AgentPath(BaseModel):
    """Which agent, by number."""

    number: FullLine


class StateBody(Asked):
    """The state an agent is to be in."""

    state: Literal["ready", "paused", "offline"] = Field(description="ready 就绪（未登录的先登录），paused 小休，offline 退出登录")
    reason: Line = Field("", description="小休原因，paused 时必填，取 PAUSE_REASONS 之一")


@blueprint.get("/agents", responses={200: AgentList}, operation_id="list_agents", summary="坐席与状态")
@requires(Permission.VIEW_SUPERVISOR)
def list_agents() -> Any:
    """List the active agents with their states."""
    return tell(AgentList(items=[AgentItem.model_validate(view) for view in board_reads().agents()]))


@blueprint.get("/agents/<number>", responses={200: AgentItem}, operation_id="get_agent", summary="一位坐席")
@requires(Permission.VIEW_SUPERVISOR)
def get_agent(path: AgentPath) -> Any:
    """Return one agent."""
    return tell(AgentItem.model_validate(agent_of_number(path.number)))


@blueprint.put("/agents/<number>/state", responses={200: AgentItem}, operation_id="set_agent_state", summary="改变坐席状态")
@requires(Permission.ACT_ON_AGENTS)
def set_agent_state(path: AgentPath, body: StateBody) -> Any:
    """Make an agent ready, pause them with a reason, or log them out. What the line does can't be set: it comes from Asterisk."""
    agent = agent_of_number(path.number)
    house = current_house()
    if body.state == "paused" and body.reason not in house.settings.pause_reasons:
        refuse("reason", "must be one of " + "、".join(house.settings.pause_reasons))
    if body.state == "offline":
        house.telephony.log_out_agent(agent.agent_id)
    elif not agent.is_logged_in:
        house.telephony.log_in_agent(agent.agent_id)
    if body.state == "ready":
        house.telephony.ready_agent(agent.agent_id)
    elif body.state == "paused":
        house.telephony.pause_agent(agent.agent_id, body.reason)
    with house.database.transaction() as session:
        detail = {"state": body.state, "reason": body.reason, "over": "api"}
        audit.record(session, actor(), "agent.state_set", f"agent:{agent.number}", detail)
    return tell(AgentItem.model_validate(agent_of_number(path.number)))


@blueprint.get("/queues", responses={200: QueueList}, operation_id="list_queues", summary="队列现状")
@requires(Permission.VIEW_SUPERVISOR)
def list_queues() -> Any:
    """Return every queue: who waits, since when, how many agents are ready, and how today goes."""
    board = board_reads().board()
    return tell(QueueList(at=board.at, items=[QueueItem.model_validate(view) for view in board.queues]))
