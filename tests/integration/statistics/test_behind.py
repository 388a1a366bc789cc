"""The lists behind a number hold exactly what was counted, and every number leads to its list."""

import re
from datetime import date
from html import unescape

import pytest

from core.database import Database
from core.settings import Settings
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.integration.statistics.test_pages import DEFINITION, text_of
from tests.integration.statistics.world import World, rated, solved
from webui.statistics.behind import BEHIND, BehindReads
from webui.statistics.counting import PARTS, Counting, Span
from webui.statistics.counting_sql import CALL_CONDITIONS, CALLBACK_CONDITIONS, SURVEY_CONDITIONS
from webui.statistics.reads import AFTER_CALL, Filter, StatisticsReads
from webui.statistics.totals import AgentTotals

DAY = date(2026, 3, 5)
ONE_DAY = Filter(Span(DAY, DAY))


@pytest.fixture
def day(world: World, counting: Counting) -> World:
    """A day with something of everything."""
    version = world.version("case_service", DEFINITION)
    after_call = world.version("after_call")
    at = "2026-03-05 09:00"
    first = world.call(at, wait=10, talk=100, disposition="即时答复", category="医保", caller="13800000001")
    second = world.call("2026-03-05 09:10", wait=40, talk=200, disposition="转接", category="户籍", caller="13800000002")
    world.call("2026-03-05 09:20", wait=3, talk=50, queue="enterprise", disposition="即时答复", caller="13800000002")
    world.call("2026-03-05 09:40", wait=20, outcome="abandoned")
    world.call("2026-03-05 09:41", wait=4, outcome="abandoned")
    world.call("2026-03-05 09:50", wait=60, outcome="failed")
    world.call("2026-03-05 10:00", wait=0, talk=50, direction="out")
    world.suggestion(first, "adopted")
    world.suggestion(second, "ignored")
    late, promise = "2026-03-05 18:01", "2026-03-05 18:00"
    for contacted in ("2026-03-05 17:00", late):
        world.callback(at, state="done", promised_by=promise, contacted_at=contacted, unit="市医保局", matter="居民医保补缴")
    world.callback(at, state="given_up", disposition="refused", contacted_at=late)
    world.callback(at, state="given_up", disposition="wrong_number", promised_by=promise)
    world.callback(at, state="cancelled", promised_by=promise)
    world.callback(at, state="not_sampled")
    for grade in (5, 4, 3, 1):
        said = {"satisfaction": rated(grade), "resolved": solved(grade > 3), "reason": ("multiple", ["slow"], None)}
        world.survey(version, at, said, unit="市医保局")
    for state in ("refused", "expired", "partial"):
        world.survey(version, at, state=state)
    world.survey(version, at, {"satisfaction": rated(1)}, withdrawn_at="2026-03-06 09:00")
    world.survey(version, at, {"satisfaction": rated(1)}, late=True)
    for answers, state in (({"satisfaction": rated(5)}, "completed"), (None, "skipped"), (None, "expired")):
        world.survey(after_call, at, answers, kind="after_call", state=state, agent_id=world.agents["8001"])
    for part in PARTS:
        counting.count(Span(DAY, DAY), part)
    return world


@pytest.fixture
def behind(database: Database, settings: Settings, clock: FakeClock) -> BehindReads:
    return BehindReads(database, settings, clock.now())


@pytest.mark.parametrize("column", CALL_CONDITIONS)
def test_calls(day: World, reads: StatisticsReads, behind: BehindReads, column: str) -> None:
    for wanted in (ONE_DAY, Filter(ONE_DAY.span, queue_name="consult"), Filter(ONE_DAY.span, category="医保")):
        assert len(behind.calls(wanted, column, 0, 100)) == getattr(reads.calls(wanted), column)


@pytest.mark.parametrize("column", CALLBACK_CONDITIONS)
def test_callbacks(day: World, reads: StatisticsReads, behind: BehindReads, column: str) -> None:
    for wanted in (ONE_DAY, Filter(ONE_DAY.span, unit="市医保局")):
        assert len(behind.callbacks(wanted, column, 0, 100)) == getattr(reads.callbacks(wanted), column)


@pytest.mark.parametrize("column", SURVEY_CONDITIONS)
def test_surveys(day: World, reads: StatisticsReads, behind: BehindReads, column: str) -> None:
    for wanted in (ONE_DAY, Filter(ONE_DAY.span, unit="市医保局"), Filter(ONE_DAY.span, kind=AFTER_CALL)):
        assert len(behind.surveys(wanted, column, 0, 100)) == getattr(reads.surveys(wanted), column)


@pytest.mark.parametrize("column", ["rating_offered", "rated", "rating_skipped"])
def test_ratings_after_calls(day: World, reads: StatisticsReads, behind: BehindReads, column: str) -> None:
    total = sum(reads.agents(ONE_DAY).values(), AgentTotals())
    wanted = Filter(ONE_DAY.span, kind=AFTER_CALL)
    assert len(behind.surveys(wanted, column, 0, 100)) == getattr(total, column) > 0
    assert behind.surveys(wanted, column, 0, 100, agent=day.agents["8002"]) == []


@pytest.mark.parametrize("measure", BEHIND)
def test_every_measure_can_be_opened(day: World, manager: Browser, measure: str) -> None:
    for side in ("part", "whole"):
        answer = manager.get(f"/statistics/behind/{measure}/{side}?from=2026-03-05&to=2026-03-05")
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200
        told = re.search(r"共 (\d+) 条", text_of(page))
        assert told is not None, measure
        assert page.count("<tr>") - 1 == int(told[1]) > 0
        assert "1380000" not in page  # no number of anybody's


def test_an_unknown_measure(manager: Browser) -> None:
    assert manager.get("/statistics/behind/luck/part").status_code == 404
    assert manager.get("/statistics/behind/satisfaction/most").status_code == 404
    assert manager.get("/statistics/behind/after_call_rate/whole?agent=x&page=0&_external=1&form=q").status_code == 200


def test_every_link_of_the_overview_says_its_number(day: World, manager: Browser) -> None:
    page = manager.get("/statistics/?from=2026-03-05&to=2026-03-05&_scheme=x").get_data(as_text=True)
    links = re.findall(r'<a href="(/statistics/behind/[^"]+)"[^>]*>([\d,]+)</a>', page)
    assert len(links) > 25
    for address, number in {(unescape(address), number) for address, number in links}:
        words = text_of(manager.get(address).get_data(as_text=True))
        assert (f"共 {number} 条" if number != "0" else "没有符合条件的") in words, address


def test_a_bar_opens_who_answered_so(day: World, manager: Browser, counting: Counting) -> None:
    # The second version words the question anew, so that its answers are another bar's.
    changed = {**DEFINITION, "questions": [{**DEFINITION["questions"][0], "title": {"zh": "办得如何"}}]}  # type: ignore[list-item]
    second = day.version("case_service", changed, number=2)
    day.survey(second, "2026-03-05 10:00", {"satisfaction": rated(5)})
    counting.count(Span(DAY, DAY), "surveys")
    for number, title in ((1, "您对这次办理满意吗"), (2, "办得如何")):
        page = manager.get(f"/statistics/questionnaires?from=2026-03-05&to=2026-03-05&questionnaire=case_service:{number}")
        links = re.findall(r'<a href="(/statistics/surveys[^"]+)">(\d+)</a>', page.get_data(as_text=True))
        assert links
        for address, count in links:
            listed = text_of(manager.get(unescape(address)).get_data(as_text=True))
            assert (f"共 {count} 条" if count != "0" else "没有符合条件的") in listed, address
            if count != "0":
                # Each answer is called what its own version called it.
                assert title in listed
                assert ({"您对这次办理满意吗", "办得如何"} - {title}).isdisjoint(re.findall(r"您对这次办理满意吗|办得如何", listed))
