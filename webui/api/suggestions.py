"""What an agent made of a suggestion, told by a program: adopted, ignored, wrong, or taken back."""

import uuid
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field

from core import audit
from kb.service import KnowledgeService
from kb.suggestion_view import SuggestionView
from webui.api.application import resource
from webui.api.fields import Asked, FullLine, Identifier, tell
from webui.api.refusals import refuse
from webui.api.suggestion_items import SuggestionItem
from webui.house import call_reads, current_house
from webui.permissions import Permission, requires
from webui.person import actor

blueprint = resource("suggestions")
Judge = Callable[[KnowledgeService, uuid.UUID | None], SuggestionView]


class SuggestionPath(BaseModel):
    """Which suggestion."""

    suggestion_id: Identifier


class WrongBody(Asked):
    """What is wrong with it."""

    reason: FullLine = Field(description="哪里不对，知识库管理员会看到")


@blueprint.post(
    "/suggestions/<suggestion_id>/adoption", responses={200: SuggestionItem}, operation_id="adopt_suggestion", summary="采纳"
)
@requires(Permission.ACT_ON_AGENTS)
def adopt_suggestion(path: SuggestionPath) -> Any:
    """Record that the agent of the call told the citizen this answer."""
    return _judge(path.suggestion_id, lambda kb, agent_id: kb.adopt(path.suggestion_id, agent_id))


@blueprint.post(
    "/suggestions/<suggestion_id>/ignoring", responses={200: SuggestionItem}, operation_id="ignore_suggestion", summary="忽略"
)
@requires(Permission.ACT_ON_AGENTS)
def ignore_suggestion(path: SuggestionPath) -> Any:
    """Record that it does not bear on the question."""
    return _judge(path.suggestion_id, lambda kb, agent_id: kb.ignore(path.suggestion_id, agent_id))


@blueprint.post(
    "/suggestions/<suggestion_id>/wrong", responses={200: SuggestionItem}, operation_id="report_suggestion", summary="报错"
)
@requires(Permission.ACT_ON_AGENTS)
def report_suggestion(path: SuggestionPath, body: WrongBody) -> Any:
    """Record that the article is wrong, with the reason."""
    if not body.reason.strip():
        refuse("reason", "must say what is wrong")
    return _judge(path.suggestion_id, lambda kb, agent_id: kb.mark_wrong(path.suggestion_id, agent_id, body.reason))


@blueprint.delete(
    "/suggestions/<suggestion_id>/judgement", responses={200: SuggestionItem}, operation_id="undo_judgement", summary="撤回评判"
)
@requires(Permission.ACT_ON_AGENTS)
def undo_judgement(path: SuggestionPath) -> Any:
    """Take the judgement back; without one nothing happens."""
    return _judge(path.suggestion_id, lambda kb, agent_id: kb.undo(path.suggestion_id, agent_id))


def _judge(suggestion_id: uuid.UUID, judge: Judge) -> Any:
    kb = current_house().kb
    call = call_reads().get_call(kb.get_suggestion(suggestion_id).call_id)
    # A program judges for the agent who talked with the citizen.
    view = judge(kb, call.agent_id)
    with current_house().database.transaction() as session:
        detail = {"suggestion": suggestion_id, "verdict": view.verdict or "undone", "over": "api"}
        audit.record(session, actor(), "suggestion.judged", f"call:{call.call_id}", detail)
    return tell(SuggestionItem.of(view))
