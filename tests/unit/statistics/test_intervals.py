"""Intervals are statsmodels', and cover the truth as often as they say; rankings respect them."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from statsmodels.stats.proportion import proportion_confint

from core.settings import Settings
from webui.statistics.intervals import Interval, effective_size, interval, is_shown, ranking, wilson
from webui.statistics.kpi import Ratio


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (1, 1), (0, 30), (30, 30), (17, 18), (46, 50), (10894, 11437), (1, 1_000_000)])
def test_wilson_is_statsmodels(part: int, whole: int) -> None:
    low, high = proportion_confint(part, whole, alpha=0.05, method="wilson")
    found = wilson(part, whole)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


@given(st.integers(1, 100_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_wilson_is_statsmodels_everywhere(pair: tuple[int, int]) -> None:
    part, whole = pair
    low, high = proportion_confint(part, whole, alpha=0.05, method="wilson")
    found = wilson(part, whole)
    assert found is not None
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)
    assert 0 <= found.low <= part / whole <= found.high <= 1


def test_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert interval(Ratio(0, 0)) is None


def test_known_truth_is_covered_about_19_times_in_20() -> None:
    chance, truth, covered, rounds = random.Random(20260318), 0.87, 0, 2000
    for _round in range(rounds):
        part = sum(chance.random() < truth for _one in range(120))
        found = wilson(part, 120)
        assert found is not None
        covered += found.low <= truth <= found.high
    # 95 % ± 3 standard errors, and a little for the steps of whole numbers.
    assert 0.93 <= covered / rounds <= 0.97


def test_weighted_truth_is_covered_too() -> None:
    """Two strata of very different size, sampled at very different rates; the plain rate is far off, the weighted one is not."""
    chance, covered, plain_covered, rounds = random.Random(7), 0, 0, 1500
    big, small = (0.9, 9000, 90), (0.5, 1000, 90)  # satisfied, people, asked
    truth = (0.9 * 9000 + 0.5 * 1000) / 10_000
    for _round in range(rounds):
        part = whole = weighted_part = weighted_whole = squared = 0.0
        for share, people, asked in (big, small):
            weight = people / asked
            yes = sum(chance.random() < share for _one in range(asked))
            part, whole = part + yes, whole + asked
            weighted_part, weighted_whole = weighted_part + yes * weight, weighted_whole + asked * weight
            squared += asked * weight * weight
        ratio = Ratio(part, whole, weighted_part, weighted_whole, squared)
        assert ratio.is_weighted
        found, plain = interval(ratio), wilson(part, whole)
        assert found is not None
        assert plain is not None
        covered += found.low <= truth <= found.high
        plain_covered += plain.low <= truth <= plain.high
    assert covered / rounds >= 0.93  # Kish is careful: wider, never narrower than promised
    assert plain_covered / rounds < 0.2


def test_weighted_interval_is_wilsons_of_the_effective_size() -> None:
    # Weights 1 1 4: (1 + 1 + 4)² ÷ (1 + 1 + 16) = 2
    assert effective_size(6, 18) == 2
    found = interval(Ratio(1, 3, 4, 6, 18))
    low, high = proportion_confint(2 * 4 / 6, 2, alpha=0.05, method="wilson")
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


@given(st.floats(0.01, 100), st.integers(1, 500), st.integers(0, 500))
def test_equal_weights_change_nothing(weight: float, whole: int, part: int) -> None:
    part = min(part, whole)
    weighted = Ratio(part, whole, part * weight, whole * weight, whole * weight * weight)
    found, plain = interval(weighted), wilson(part, whole)
    assert found is not None
    assert plain is not None
    assert math.isclose(found.low, plain.low, abs_tol=1e-6)
    assert math.isclose(found.high, plain.high, abs_tol=1e-6)


def test_ranking_shares_ranks_where_intervals_overlap() -> None:
    found = ranking(
        [
            ("交通局", Ratio(498, 602)),
            ("气象局", Ratio(17, 18)),
            ("政务局", Ratio(806, 824)),
            ("公安局", Ratio(1498, 1562)),
            ("医保局", Ratio(1990, 2081)),
        ]
    )
    # 97.8 (96.6–98.6), 95.9 (94.8–96.8), 95.6 (94.7–96.4), 82.7 (79.5–85.5), 17 of 18
    assert [(one.name, one.rank) for one in found] == [("政务局", 1), ("公安局", 1), ("医保局", 2), ("交通局", 4), ("气象局", None)]


def test_nobody_is_ranked_below_thirty() -> None:
    assert not is_shown(Ratio(29, 29))
    assert is_shown(Ratio(29, 30))
    assert [one.rank for one in ranking([("a", Ratio(29, 29)), ("b", Ratio(1, 30))])] == [1, None]
    assert ranking([("a", Ratio(29, 29)), ("b", Ratio(1, 30))])[0].name == "b"


def test_intervals_that_touch_overlap() -> None:
    assert Interval(0.1, 0.2).overlaps(Interval(0.2, 0.3))
    assert not Interval(0.1, 0.2).overlaps(Interval(0.21, 0.3))


def test_no_site_can_rank_fewer_than_thirty() -> None:
    assert Settings(_env_file=None, statistics_least_answers=40).statistics_least_answers == 40  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Settings(_env_file=None, statistics_least_answers=29)  # type: ignore[call-arg]
