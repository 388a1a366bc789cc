"""Formulas at their edges; what they are of, the golden day pins."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.settings import PROJECT_DIR, Settings
from webui import languages
from webui.statistics import kpi
from webui.statistics.counting import Span
from webui.statistics.definitions import MEASURES, Definitions
from webui.statistics.figures import span_before, span_last_year
from webui.statistics.kpi import HourCount, Mean, Ratio, Tally
from webui.statistics.periods import closed_periods, corrections
from webui.statistics.query import read_query
from webui.statistics.words import percent, signed


def test_nothing_gives_nothing_and_never_a_division_by_zero() -> None:
    assert Ratio(0, 0).value is None
    assert Ratio(0, 0).percent is None
    assert Mean(0, 0).value is None
    assert kpi.percentile([], 0.5) is None
    assert kpi.satisfaction([]).value is None
    assert kpi.change_share(5, 0) is None


def test_satisfaction_and_whether_barely_counts() -> None:
    grades = [Tally(grade, 1, 1.0, 1.0) for grade in (5, 4, 3, 2, 1)]
    assert kpi.satisfaction(grades).value == pytest.approx(0.4)
    assert kpi.satisfaction(grades, counts_barely=True).value == pytest.approx(0.6)


def test_weights_count() -> None:
    assert kpi.solved_rate([Tally(1, 1, 3.0, 9.0), Tally(0, 1, 1.0, 1.0)]).value == pytest.approx(0.75)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5)), min_size=1), st.floats(0.01, 1))
def test_percentile_is_that_of_the_list_written_out(counts: list[tuple[int, int]], share: float) -> None:
    every = sorted(value for value, count in counts for _one in range(count))
    found = kpi.percentile([(float(value), count) for value, count in counts], share)
    assert found is not None
    assert sum(value <= found for value in every) >= share * len(every) - 1e-9
    assert sum(value < found for value in every) < share * len(every)


def test_rolling_day_looks_back_over_24_hours_and_hours_without_calls_count() -> None:
    start = datetime(2026, 3, 17, 16, tzinfo=UTC)
    hours = [HourCount(start - timedelta(hours=24), 0, 10), HourCount(start, 8, 10)]
    points = kpi.rolling_day(hours, start, start + timedelta(hours=3))
    # After one hour the first ten are gone: the window has just passed them.
    assert [(ratio.part, ratio.whole) for _at, ratio in points] == [(8, 10), (8, 10), (8, 10)]
    assert points[0][0] == start + timedelta(hours=1)
    assert kpi.rolling_day(hours, start, start) == []


def test_a_day_without_calls_neither_reaches_nor_misses() -> None:
    start = datetime(2026, 3, 17, 16, tzinfo=UTC)
    assert kpi.days_reached(kpi.rolling_day([], start, start + timedelta(days=2)), 0.95) == (0, 0)


def test_comparisons_take_as_many_days() -> None:
    assert span_before(Span(date(2026, 3, 1), date(2026, 3, 31))) == Span(date(2026, 1, 29), date(2026, 2, 28))
    assert span_last_year(Span(date(2028, 2, 29), date(2028, 2, 29))) == Span(date(2027, 2, 28), date(2027, 2, 28))


def test_closed_periods() -> None:
    wednesday = date(2026, 3, 18)
    assert next(closed_periods(wednesday, "day", date(2026, 1, 1))) == Span(date(2026, 3, 17), date(2026, 3, 17))
    assert next(closed_periods(wednesday, "week", date(2026, 1, 1))) == Span(date(2026, 3, 9), date(2026, 3, 15))
    assert next(closed_periods(wednesday, "month", date(2026, 1, 1))) == Span(date(2026, 2, 1), date(2026, 2, 28))
    assert next(closed_periods(date(2026, 3, 16), "week", date(2026, 1, 1))).last == date(2026, 3, 15)
    assert next(closed_periods(date(2026, 3, 1), "month", date(2026, 1, 1))).first == date(2026, 2, 1)
    assert [span.first.month for span in closed_periods(wednesday, "month", date(2025, 12, 15))] == [2, 1, 12]
    assert list(closed_periods(wednesday, "day", wednesday)) == []


def test_corrections_say_what_and_why() -> None:
    def figures(part: int, whole: int, withdrawn: int) -> dict[str, object]:
        return {"satisfaction": {"part": part, "whole": whole, "value": round(part / whole, 6)}, "late": 0, "withdrawn": withdrawn}

    assert corrections(figures(46, 50, 0), figures(46, 50, 0), same_rules=True) == []
    found = corrections(figures(46, 50, 0), figures(45, 49, 1), same_rules=True)
    assert [(one["measure"], one["why"]) for one in found] == [("satisfaction", {"kind": "withdrawn", "count": 1})]
    assert corrections(figures(46, 50, 0), figures(47, 51, 0), same_rules=True)[0]["why"] == {"kind": "added", "count": 1}
    assert corrections(figures(46, 50, 0), figures(45, 50, 0), same_rules=True)[0]["why"] == {"kind": "changed", "count": 1}
    assert corrections(figures(46, 50, 0), figures(45, 50, 0), same_rules=False)[0]["why"]["kind"] == "rules"


@pytest.mark.parametrize(("value", "shown"), [(1.0, "100.0"), (0.99999, "99.9"), (0.0, "0.0"), (0.9534, "95.3"), (None, "–")])
def test_what_is_not_all_is_never_shown_as_all(value: float | None, shown: str) -> None:
    assert percent(value) == shown


def test_signs() -> None:
    assert [signed(value) for value in (1.26, -0.9, 0.04, -0.04)] == ["+1.3", "−0.9", "0.0", "0.0"]


@given(st.dictionaries(st.sampled_from(["when", "from", "to", "by", "compare", "unit", "queue"]), st.text(max_size=30)))
def test_no_address_breaks_the_query(arguments: dict[str, str]) -> None:
    query = read_query(arguments, datetime(2026, 3, 18, 2, 30, tzinfo=UTC))
    assert query.span.first <= query.span.last
    assert query.span.days <= 1830


def _definitions() -> dict[str, str]:
    app = Flask("webui")
    languages.install(app)
    with app.test_request_context():
        words = Definitions(Settings(_env_file=None))  # type: ignore[call-arg]
        return {measure.key: words.sentence(measure.key) for measure in MEASURES}


def test_every_measure_says_numerator_denominator_and_clock() -> None:
    found = _definitions()
    assert len(found) == len(MEASURES) >= 16
    for sentence in found.values():
        assert " ÷ " in sentence
        assert sentence.endswith("。")
        assert "%(" not in sentence


def test_the_glossary_says_the_same_sentences() -> None:
    glossary = (PROJECT_DIR / "GLOSSARY.md").read_text(encoding="utf-8")
    missing = [key for key, sentence in _definitions().items() if sentence not in glossary]
    assert not missing
