"""What the hall may see: aggregates, and nothing of fewer than five who said something."""

from types import SimpleNamespace

import pytest

from bootstrap import processes
from webui.statistics.kpi import Ratio
from webui.wallboard.figures import LEAST, hot_topics, hours, operating_rate, opinion_rate, reasons


@pytest.mark.parametrize("whole", range(LEAST))
def test_an_opinion_of_fewer_than_five_is_not_told_in_any_way(whole: int) -> None:
    rate = opinion_rate(Ratio(whole, whole))
    assert rate.is_suppressed
    assert (rate.part, rate.whole, rate.percent, rate.low, rate.high) == (None, None, None, None, None)


def test_an_opinion_of_five_is_told_with_its_interval() -> None:
    rate = opinion_rate(Ratio(4, 5))
    assert (rate.part, rate.whole, rate.percent, rate.is_suppressed) == (4, 5, 80.0, False)
    assert (rate.low, rate.high) == (37.6, 96.4)  # Wilson's, by hand


def test_a_weighted_rate_keeps_the_plain_counts_beside_it() -> None:
    rate = opinion_rate(Ratio(8, 10, weighted_part=4.0, weighted_whole=10.0, squared=20.0))
    assert (rate.part, rate.whole, rate.percent) == (8, 10, 40.0)
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 40 < rate.high


def test_the_hotlines_own_work_is_told_whatever_its_size() -> None:
    assert operating_rate(Ratio(1, 2)).percent == 50.0
    nothing = operating_rate(Ratio(0, 0))
    assert (nothing.percent, nothing.whole, nothing.is_suppressed) == (None, 0, False)


def test_topics_of_four_calls_are_left_out() -> None:
    found = hot_topics({"居住证": 9, "医保": 5, "罕见病": 4, "": 40, "社保": 9})
    assert [(topic.topic, topic.calls) for topic in found] == [("居住证", 9), ("社保", 9), ("医保", 5)]


def test_no_more_topics_than_fit() -> None:
    assert len(hot_topics({str(number): number for number in range(5, 40)}, most=8)) == 8


def test_hours_go_up_to_now_and_have_no_gaps() -> None:
    told = hours({0: (3, 1), 2: (5, 0)}, until=3)
    assert [(hour.hour, hour.answered, hour.abandoned) for hour in told] == [(0, 3, 1), (1, 0, 0), (2, 5, 0), (3, 0, 0)]


def test_reasons_most_first() -> None:
    assert [reason.reason for reason in reasons([("missed_call", 2), ("case_closed", 7)])] == ["case_closed", "missed_call"]


def test_the_bridges_sign_says_whether_it_hears_the_exchange() -> None:
    """Missing live text is a problem too, but not one of the figures."""
    deaf = processes._bridge_detail(SimpleNamespace(line=SimpleNamespace(problem="no log-in", is_up=False)), None, "")  # type: ignore[arg-type]
    assert (deaf["hears_exchange"], deaf["problem"]) == (False, "no log-in")
    textless = processes._bridge_detail(SimpleNamespace(line=SimpleNamespace(problem="", is_up=True)), None, "no weights")  # type: ignore[arg-type]
    assert (textless["hears_exchange"], textless["problem"]) == (True, "no weights")
