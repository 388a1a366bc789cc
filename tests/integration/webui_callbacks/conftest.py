"""The small hotline of the desk's tests, with citizens whom it owes a call."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from callback.listing import CallbackListing, ListFilter
from callback.rule import NextDay, Reason, RuleDefinition, Subject, Way
from callback.views import CallbackView
from tests.fakes.browser import Browser
from tests.integration.webui_desk.conftest import Hotline, _quick_hashes, hotline  # noqa: F401 - fixtures

EVIL = '<img src=x onerror="alert(1)">'
PHONE = "13800138000"


@dataclass
class Owing:
    """Makes callbacks as the program does, and plays the line."""

    hotline: Hotline
    made: int = 0

    def owe(
        self, phone: str = PHONE, reason: Reason = Reason.BAD_RATING, ways: tuple[Way, ...] = (Way.AGENT,), **words: Any
    ) -> CallbackView:
        """Owe a call; by an agent unless told otherwise."""
        self.made += 1
        rule = {name: words.pop(name) for name in ("questionnaire", "promised_working_days") if name in words}
        definition = RuleDefinition(title="试验规则", reason=reason, ways=list(ways), **rule)
        subject = Subject(**{"person": "王女士", "matter": "居住证签注", "unit": "市公安局", **words})
        return self.hotline.callback.owe(reason, f"test:{self.made}", phone, subject, definition=definition)

    def all(self) -> list[CallbackView]:
        """Return every callback."""
        found = CallbackListing(self.hotline.database, self.hotline.clock).list_callbacks(ListFilter(), limit=500)
        return [row.callback for row in found.rows]

    def agent(self, number: str = "8001") -> uuid.UUID:
        """Return an agent's id."""
        return self.hotline.agents[number]

    def dialled(self, callback_id: uuid.UUID, number: str = "8001") -> uuid.UUID:
        """Let an agent ring; returns the attempt's id."""
        return self.hotline.callback.dial(callback_id, self.agent(number)).attempt_id

    def questionnaire(self) -> str:
        """Launch the demonstration's questionnaires; returns the key of that for cases."""
        self.hotline.survey.ensure_demonstration("setup")
        return "case_service"

    def rule(self, key: str = "cases", **changes: Any) -> None:
        """Save a rule."""
        values = {"title": "办件办结后回访", "reason": Reason.CASE_CLOSED, "when": NextDay(), **changes}
        self.hotline.callback.save_rule(key, RuleDefinition(**values), "setup")


@pytest.fixture
def owing(hotline: Hotline) -> Owing:  # noqa: F811
    return Owing(hotline)


@pytest.fixture
def chen(hotline: Hotline) -> Browser:  # noqa: F811
    """陈敏, agent 8001."""
    return hotline.browser("chen")


@pytest.fixture
def zhou(hotline: Hotline) -> Browser:  # noqa: F811
    """The supervisor."""
    return hotline.browser("zhou")
