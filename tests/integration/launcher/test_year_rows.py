"""A small made-up year in a real database: whole, within every constraint, and counted by the statistics as its truth says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from callback.rule import RuleDefinition
from core.database import Base, Database
from core.settings import Settings
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.service import KnowledgeService
from launcher.year import attempts, outreach, surveys
from launcher.year.fill import DatabaseNotEmptyError, fill, is_filled
from launcher.year.plan import YearPlan
from launcher.year.truth import truth_of
from launcher.year.year import Year
from survey.interview import Interview
from survey.schema import QuestionnaireDefinition
from tests.fakes.clock import FakeClock
from tests.fakes.conversation import FakeConversation
from tests.fakes.search_index import FakeSearchIndex
from tests.servers import PostgresServer
from webui.statistics.counting import Counting, Span
from webui.statistics.intervals import wilson
from webui.statistics.reads import RESOLVED, SATISFACTION, Filter, StatisticsReads
from webui.statistics.totals import AgentTotals

END = datetime(2026, 11, 20, 7, 10, tzinfo=UTC)
PLAN = YearPlan(END, calls=5_000, answers=2_500, days=45)


class World:
    """A filled database and what it was filled with."""

    def __init__(self, database: Database, year: Year, truth_file: Path) -> None:
        self.database = database
        self.year = year
        self.truth = truth_of(year)
        self.truth_file = truth_file

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Return the rows of a query."""
        with self.database.transaction() as session:
            return list(session.execute(text(query), values))

    def value(self, query: str, **values: Any) -> Any:
        """Return the one value of a query."""
        return self.rows(query, **values)[0][0]


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    url = postgres.new_database(template_url.partition("?")[0].rsplit("/", 1)[1])
    database = Database(url)
    kb = KnowledgeService(database, FakeClock(END), FakeSearchIndex(), MemorySearchIndex(), FakeConversation())
    kb.load_demonstration("setup")
    truth = tmp_path_factory.mktemp("year") / "truth.json"
    yield World(database, fill(url, PLAN, truth), truth)
    database.close()


@pytest.fixture(scope="module")
def reads(world: World) -> StatisticsReads:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    counting = Counting(world.database, FakeClock(END), settings, fresh_seconds=0)
    counting.refresh()
    counting.ensure(Span(END.date(), END.date()))
    return StatisticsReads(world.database)


@pytest.fixture
def whole() -> Filter:
    return Filter(Span(PLAN.first_day, END.date()))


def test_every_reference_leads_somewhere(world: World) -> None:
    """The rows were copied with the checks of foreign keys off."""
    checked = 0
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            own, other = key.parent, key.column
            lost = world.value(
                f'SELECT count(*) FROM "{table.name}" a WHERE a."{own.name}" IS NOT NULL '
                f'AND NOT EXISTS (SELECT FROM "{other.table.name}" b WHERE b."{other.name}" = a."{own.name}")'
            )
            assert lost == 0, f"{table.name}.{own.name}"
            checked += 1
    assert checked > 15


def test_ids_that_no_key_holds_lead_somewhere_too(world: World) -> None:
    pairs = [
        ("callback", "call_id", "call"), ("callback", "case_id", "approval_case"), ("callback", "survey_id", "survey"),
        ("callback", "questionnaire_version_id", "questionnaire_version"), ("callback_attempt", "call_id", "call"),
        ("callback_attempt", "agent_id", "agent"), ("callback_attempt", "survey_id", "survey"),
        ("survey", "callback_id", "callback"),
        ("survey", "call_id", "call"), ("survey", "case_id", "approval_case"), ("survey", "agent_id", "agent"),
        ("suggestion", "call_id", "call"), ("agent_state_change", "call_id", "call"),
    ]  # fmt: skip
    for table, column, other in pairs:
        assert world.value(f"SELECT count({column}) FROM {table}") > 0
        missing = f"NOT EXISTS (SELECT FROM {other} b WHERE b.id = a.{column})"
        lost = f"SELECT count(*) FROM {table} a WHERE {column} IS NOT NULL AND {missing}"
        assert world.value(lost) == 0, f"{table}.{column}"


def test_every_array_became_its_rows(world: World) -> None:
    year = world.year
    assert world.value("SELECT count(*) FROM call WHERE direction = 'in'") == PLAN.calls
    assert world.value("SELECT count(*) FROM call WHERE direction = 'out'") > 300
    for table, many in (
        ("approval_case", year.cases), ("callback", year.owed), ("survey", year.surveys), ("answer", year.answers)
    ):  # fmt: skip
        assert world.value(f"SELECT count(*) FROM {table}") == len(many)
    assert world.value("SELECT count(*) FROM callback_attempt") == len(year.attempts.id)
    assert world.value("SELECT count(DISTINCT call_id) FROM segment") == 500
    answered = world.value("SELECT count(DISTINCT survey_id) FROM answer")
    assert PLAN.answers <= answered <= PLAN.answers * 1.05


def test_the_database_is_filled_once(world: World) -> None:
    assert is_filled(world.database.url)
    with pytest.raises(DatabaseNotEmptyError):
        fill(world.database.url, PLAN)
    assert json.loads(world.truth_file.read_text()) == json.loads(json.dumps(world.truth))


def test_call_numbers_count_up_within_each_day(world: World) -> None:
    wrong = world.value(
        "SELECT count(*) FROM (SELECT number, to_char(started_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad(CAST("
        "row_number() OVER (PARTITION BY (started_at AT TIME ZONE 'Asia/Shanghai')::date ORDER BY started_at, direction) AS text), "
        "6, '0') AS wanted FROM call) x WHERE number <> wanted"
    )
    assert wrong == 0


def test_a_call_fits_its_legs_and_its_story(world: World) -> None:
    assert world.value(
        "SELECT count(*) FROM call c WHERE c.answered_at IS NOT NULL AND NOT EXISTS (SELECT FROM call_leg l WHERE l.call_id = c.id "
        "AND l.answered_at = c.answered_at AND l.ended_at = c.ended_at AND l.agent_id = c.agent_id)"
    ) == 0  # fmt: skip
    assert world.value(
        "SELECT count(*) FROM call c WHERE direction = 'in' AND NOT EXISTS (SELECT FROM call_event e WHERE e.call_id = c.id "
        "AND e.kind = 'ended' AND e.at = c.ended_at AND e.detail ->> 'outcome' = c.outcome)"
    ) == 0  # fmt: skip
    held = world.value(
        "SELECT count(*) FROM call c JOIN call_event h ON h.call_id = c.id AND h.kind = 'held' JOIN call_event r "
        "ON r.call_id = c.id AND r.kind = 'resumed' WHERE abs(extract(epoch FROM r.at - h.at) - c.hold_seconds) < 0.01"
    )
    assert held == world.value("SELECT count(*) FROM call WHERE hold_seconds > 0")


def test_rules_and_questionnaires_are_read_by_the_program(world: World) -> None:
    for (definition,) in world.rows("SELECT definition FROM callback_rule_version"):
        RuleDefinition.model_validate(definition)
    for (definition,) in world.rows("SELECT definition FROM questionnaire_version"):
        QuestionnaireDefinition.model_validate(definition)


def test_answers_are_such_as_their_questionnaire_takes(world: World) -> None:
    """Every kind of answer, put through the interview that real answers go through."""
    rows = world.rows(
        "SELECT v.definition, jsonb_object_agg(a.question_key, a.value), min(s.state) FROM survey s "
        "JOIN answer a ON a.survey_id = s.id JOIN questionnaire_version v ON v.id = s.questionnaire_version_id "
        "GROUP BY s.id, v.id ORDER BY random() LIMIT 400"
    )
    for definition, answers, state in rows:
        known = QuestionnaireDefinition.model_validate(definition)
        for key in answers:
            assert known.question(key) is not None, key
        if state == "completed":
            interview = Interview(known, answers)
            assert interview.answers == answers
            assert all(question.key in answers for question in interview.visible() if question.required)
    scores = world.rows("SELECT DISTINCT kind, value, score FROM answer WHERE kind IN ('rating', 'yes_no', 'scale')")
    for kind, value, score in scores:
        assert score == ({"yes": 1, "no": 0}[value] if kind == "yes_no" else value)


def test_states_and_words_are_the_programs_own(world: World) -> None:
    for table, column, words in (
        ("callback", "state", attempts.STATES), ("survey", "state", surveys.SURVEY_STATES), ("survey", "way", surveys.SURVEY_WAYS),
        ("callback", "reason", outreach.REASONS), ("callback_attempt", "way", outreach.WAYS),
    ):  # fmt: skip
        assert {row[0] for row in world.rows(f"SELECT DISTINCT {column} FROM {table}")} <= {str(word) for word in words}


# --- the statistics against the truth


def test_calls_are_counted_as_they_were_drawn(world: World, reads: StatisticsReads, whole: Filter) -> None:
    truth, found = world.truth["drawn"]["calls"], reads.calls(whole)
    for name in ("offered", "answered", "in_time", "abandoned", "short_abandoned"):
        assert getattr(found, name) == truth[name], name
    assert found.average_speed_of_answer.value == pytest.approx(truth["average_speed_of_answer"], abs=1e-3)
    assert found.talking.value == pytest.approx(truth["average_talk"], abs=1e-2)
    # Writing ends with the shift's data at the very end; everything else is to the millisecond.
    assert found.wrapup.value == pytest.approx(truth["average_wrapup"], rel=0.01)
    assert found.direct == truth["dispositions"]["即时答复"]
    assert (found.followed, found.resolved) == (truth["first_contact"]["followed"], truth["first_contact"]["resolved"])
    assert (found.suggested, found.adopted) == (truth["suggestions"]["suggested"], truth["suggestions"]["adopted"])


def test_queues_are_counted_as_they_were_drawn(world: World, reads: StatisticsReads, whole: Filter) -> None:
    found = reads.calls_by(whole, "queue_name")
    for queue, truth in world.truth["drawn"]["calls_by_queue"].items():
        assert (found[queue].offered, found[queue].in_time) == (truth["offered"], truth["in_time"])


def test_callbacks_are_counted_as_they_were_drawn(world: World, reads: StatisticsReads, whole: Filter) -> None:
    truth, found = world.truth["drawn"]["callbacks"], reads.callbacks(whole)
    for name in ("owed", "contacted", "refused", "done"):
        assert getattr(found, name) == truth[name], name


def test_answers_are_counted_as_they_were_drawn(world: World, reads: StatisticsReads, whole: Filter) -> None:
    versions = tuple(
        str(row[0])
        for row in world.rows(
            "SELECT v.id FROM questionnaire_version v JOIN questionnaire q ON q.id = v.questionnaire_id "
            "WHERE q.key = 'case_service'"
        )
    )
    of_cases = Filter(whole.span, versions=versions)
    truth = world.truth["drawn"]["case_service_by_unit"]
    rated, solved = reads.answers_by(of_cases, SATISFACTION, "unit"), reads.answers_by(of_cases, RESOLVED, "unit")
    for unit, one in truth.items():
        if not one["rated"]:
            continue
        assert [rated[unit].option(str(grade)).count for grade in range(1, 6)] == one["grades"], unit
        assert rated[unit].satisfied(counts_barely=False).value == pytest.approx(one["satisfied_weighted"], abs=1e-6)
        if one["solved"] is not None:
            solved_ratio = solved[unit].solved()
            assert solved_ratio.part / solved_ratio.whole == pytest.approx(one["solved"], abs=1e-6)


def test_intervals_hold_the_truth_about_as_often_as_they_promise(world: World, reads: StatisticsReads, whole: Filter) -> None:
    """Of all units with enough answers: 95 of 100 intervals should hold what these people truly think."""
    held = shown = 0
    for unit, one in world.truth["drawn"]["case_service_by_unit"].items():
        if one["rated"] < 30:
            continue
        found = reads.answers(Filter(whole.span, unit=unit), SATISFACTION).satisfied(counts_barely=False)
        interval = wilson(found.part, found.whole)
        shown += 1
        held += interval.low <= one["satisfied_truth"] <= interval.high
    assert shown >= 8
    assert held >= shown * 0.8


def test_ratings_after_calls_are_counted_as_they_were_drawn(world: World, reads: StatisticsReads, whole: Filter) -> None:
    truth = world.truth["drawn"]["after_call"]
    found = reads.surveys(Filter(whole.span, kind="after_call"))
    assert (found.offered, found.completed, found.skipped) == (truth["offered"], truth["answered"], truth["skipped"])
    everybody = sum(reads.agents(whole).values(), AgentTotals())
    assert (everybody.rating_offered, everybody.rating_skipped) == (truth["offered"], truth["skipped"])
    assert everybody.rating_hung_up == truth["hung_up"] == truth["offered"] - truth["answered"] - truth["skipped"] > 0
    answers = reads.answers(Filter(whole.span, kind="after_call"), SATISFACTION)
    assert answers.satisfied(counts_barely=False).value == pytest.approx(truth["satisfied"], abs=1e-6)


def test_the_worst_unit_of_the_truth_shows(world: World, reads: StatisticsReads, whole: Filter) -> None:
    opinions = world.truth["model"]["opinions"]
    found = reads.answers_by(whole, SATISFACTION, "unit")
    poor = found[opinions["poor"]].satisfied(counts_barely=False).value
    everybody = reads.answers(whole, SATISFACTION).satisfied(counts_barely=False).value
    assert poor is not None
    assert everybody is not None
    assert poor < everybody - 0.05
