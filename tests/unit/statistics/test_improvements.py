"""An improvement item keeps its rate as it was measured."""

from datetime import date

from webui.statistics.counting import Span
from webui.statistics.improvements import kept_ratio, measured
from webui.statistics.intervals import interval
from webui.statistics.kpi import Ratio


def test_a_weighted_rate_keeps_its_value_and_interval() -> None:
    ratio = Ratio(30, 40, 90.0, 100.0, 280.0)
    kept = measured(ratio, Span(date(2026, 3, 1), date(2026, 3, 30)))
    assert kept["value"] == 0.9
    assert kept_ratio(kept) == ratio
    assert interval(kept_ratio(kept)) == interval(ratio) != interval(Ratio(30, 40))
