"""A day worked out by hand pins every measure: the arithmetic stands beside each.

Now is Wednesday 2026-03-18 10:30. The day that is counted is the 5th, so that the seven days of watching for repeats are over.

Calls of the 5th (queue consult unless said; agent 8001)
 1  09:00  waits 10  talks 100  wrap-up 60   即时答复  医保   13800000001  suggested, adopted
 2  09:10  waits 15  talks 200  wrap-up 40   转接      医保   13800000002  suggested, ignored     (15 s is still in time;
           8002 had it first, passed it on at 09:11:55 and wrote for 25 s)
 3  09:20  waits 16  talks 300               即时答复  户籍   13800000003  suggested, adopted, taken back
 4  09:30  waits 30  talks 400  enterprise   即时答复  注册   13800000001  nothing suggested   (rang again: 1 is repeated)
 5  09:40  waits 5   abandoned                                             (5 s: counts)
 6  09:41  waits 4   abandoned                                             (under 5 s: does not)
 7  09:50  waits 60  ended by us (failed)
 8  10:00  never joined a queue
 9  10:10  an agent's own call (out)
10  23:59:59 waits 2 talks 10              即时答复         anonymous      (still the 5th)
Of the 6th: 00:00:01 waits 3, talks 20, 即时答复, 13800000009.
"""

from datetime import date

import pytest

from tests.fakes.clock import FakeClock
from tests.integration.statistics.world import World, at, rated, solved
from webui.statistics import kpi
from webui.statistics.counting import Counting, Span
from webui.statistics.reads import Filter, StatisticsReads

DAY = date(2026, 3, 5)
ONE_DAY = Filter(Span(DAY, DAY))


@pytest.fixture
def calls(world: World) -> World:
    first = world.call(
        "2026-03-05 09:00", wait=10, talk=100, wrapup=60, disposition="即时答复", category="医保", caller="13800000001"
    )
    second = world.call("2026-03-05 09:10", wait=15, talk=200, wrapup=40, disposition="转接", category="医保", caller="13800000002")
    third = world.call("2026-03-05 09:20", wait=16, talk=300, disposition="即时答复", category="户籍", caller="13800000003")
    world.call(
        "2026-03-05 09:30", wait=30, talk=400, queue="enterprise", disposition="即时答复", category="注册", caller="13800000001"
    )
    world.call("2026-03-05 09:40", wait=5, outcome="abandoned")
    world.call("2026-03-05 09:41", wait=4, outcome="abandoned")
    world.call("2026-03-05 09:50", wait=60, outcome="failed")
    world.call("2026-03-05 10:00", wait=0, outcome="abandoned", queue=None)
    world.call("2026-03-05 10:10", wait=0, talk=50, direction="out")
    world.call("2026-03-05 23:59:59", wait=2, talk=10, disposition="即时答复")
    world.call("2026-03-06 00:00:01", wait=3, talk=20, disposition="即时答复", caller="13800000009")
    world.leg(second, "8002", "2026-03-05 09:10:15", "2026-03-05 09:11:55", "transferred", wrapup=25)
    world.suggestion(first, "adopted")
    world.suggestion(second, "ignored")
    world.suggestion(third, "adopted", undone=True)
    for lag in (1.0, 2.0, 6.0):
        world.segment(first, lag)
    world.segment(first, None)
    world.segment(first, 99.0, kind="final")
    return world


def test_calls(calls: World, counting: Counting, reads: StatisticsReads) -> None:
    counting.count(Span(DAY, DAY), "calls")
    found = reads.calls(ONE_DAY)
    # answered 1 2 3 4 10; abandoned 5; ended by us 7; short 6. Offered 5 + 1 + 1.
    assert (found.answered, found.abandoned, found.unserved, found.short_abandoned, found.offered) == (5, 1, 1, 1, 7)
    assert (found.service_level.part, found.service_level.whole) == (3, 7)  # 1, 2 and 10 within 15 s
    assert found.connect_rate.value == pytest.approx(5 / 7)
    assert found.abandonment.value == pytest.approx(1 / 7)
    assert found.average_speed_of_answer.value == pytest.approx((10 + 15 + 16 + 30 + 2) / 5)  # 14.6 s
    assert found.handle_time.value == pytest.approx((100 + 200 + 300 + 400 + 10 + 60 + 40 + 25) / 5)  # 227 s, both who wrote
    assert found.direct_answer_rate.value == pytest.approx(4 / 5)  # 1 3 4 10; 2 was passed on
    assert found.adoption_rate.value == pytest.approx(1 / 3)  # of 1 2 3; what was taken back does not count
    # Followed: answered with a number, 1 2 3 4. Settled: 3 and 4; 1 rang again as 4, 2 was not settled.
    assert (found.resolved, found.followed) == (2, 4)
    assert found.first_contact_resolution.value == pytest.approx(0.5)


def test_calls_by_queue_category_and_day(calls: World, counting: Counting, reads: StatisticsReads) -> None:
    both = Filter(Span(DAY, date(2026, 3, 6)))
    counting.count(both.span, "calls")
    assert {name: one.offered for name, one in reads.calls_by(ONE_DAY, "queue_name").items()} == {"consult": 6, "enterprise": 1}
    assert {name: one.answered for name, one in reads.calls_by(ONE_DAY, "category").items()} == {
        "医保": 2,
        "户籍": 1,
        "注册": 1,
        "": 1,
    }
    assert {day: one.offered for day, one in reads.calls_by_day(both).items()} == {DAY: 7, date(2026, 3, 6): 1}
    assert reads.calls(Filter(Span(DAY, DAY), queue_name="enterprise")).talking_seconds == 400
    assert reads.calls(Filter(Span(DAY, DAY), category="医保")).answered == 2


def test_waiting_and_lag_are_spread(calls: World, counting: Counting, reads: StatisticsReads) -> None:
    counting.count(Span(DAY, DAY), "calls")
    waits = reads.spread(ONE_DAY, "wait")
    assert waits == [(2.0, 1), (10.0, 1), (15.0, 1), (16.0, 1), (30.0, 1)]
    assert kpi.percentile(waits, 0.5) == 15.0
    assert kpi.percentile(waits, 0.95) == 30.0
    lags = reads.spread(ONE_DAY, "lag")
    assert lags == [(1.0, 1), (2.0, 1), (6.0, 1)]  # what was written after the call has no lag


def test_rolling_day_passes_midnight(calls: World, counting: Counting, reads: StatisticsReads) -> None:
    counting.count(Span(DAY, date(2026, 3, 6)), "calls")
    start, end = Span(date(2026, 3, 6), date(2026, 3, 6)).bounds
    points = kpi.rolling_day(reads.hours(ONE_DAY, Span(DAY, DAY).bounds[0], end), start, end)
    assert len(points) == 24
    # 01:00 of the 6th looks back on the whole 5th from 01:00 on and on the first hour of the 6th: 6 of 8.
    assert (points[0][0], points[0][1].part, points[0][1].whole) == (at("2026-03-06 01:00"), 6, 8)
    # 10:00 of the 6th: the 9 o'clock hour of the 5th is gone; calls 10 and that of the 6th are left.
    assert (points[9][1].part, points[9][1].whole) == (2, 2)
    # 01:00 to 09:00 saw 75 %: below the target, so the day did not reach it.
    assert kpi.days_reached(points, 0.95) == (0, 1)
    assert kpi.days_reached(points, 0.75) == (1, 1)


def test_agents(calls: World, counting: Counting, reads: StatisticsReads) -> None:
    # Wrap-ups of calls 1 and 2 are 100 s together. The rest of the day, by hand:
    calls.state("8001", "ready", "2026-03-05 08:00", "2026-03-05 08:30")  # 1800 s
    calls.state("8001", "talking", "2026-03-05 08:30", "2026-03-05 08:40")  # 600 s
    calls.state("8001", "held", "2026-03-05 08:40", "2026-03-05 08:41")  # 60 s
    calls.state("8001", "ringing", "2026-03-05 08:41", "2026-03-05 08:41:40")  # 40 s
    calls.state("8001", "paused", "2026-03-05 12:00", "2026-03-05 13:00")  # 3600 s
    calls.state("8001", "ready", "2026-03-05 23:50", "2026-03-06 00:10")  # 600 s of the 5th, 600 s of the 6th
    calls.state("8001", "offline", "2026-03-05 14:00", "2026-03-05 20:00")
    version = calls.version("after_call")
    for answers, state in (
        ({"satisfaction": rated(5)}, "completed"),
        ({"satisfaction": rated(3)}, "completed"),
        (None, "skipped"),
        (None, "hung_up"),
    ):
        calls.survey(version, "2026-03-05 11:00", answers, kind="after_call", state=state, agent_id=calls.agents["8001"])
    counting.count(Span(DAY, date(2026, 3, 6)), "agents")
    found = reads.agents(ONE_DAY)[str(calls.agents["8001"])]
    assert (found.ready_seconds, found.talking_seconds, found.ringing_seconds) == (2400, 660, 40)
    assert (found.wrapup_seconds, found.paused_seconds) == (100, 3600)
    assert (found.occupancy.part, found.occupancy.whole) == (800, 3200)  # 25 %
    assert reads.agents(Filter(Span(date(2026, 3, 6), date(2026, 3, 6))))[str(calls.agents["8001"])].ready_seconds == 600
    # Answered 1 2 3 4 10, all to their end; asked 4 of them, two rated, one skipped, one hung up.
    assert (found.answered, found.concluded, found.rating_offered, found.not_offered) == (5, 5, 4, 1)
    assert (found.rated, found.rating_skipped, found.rating_hung_up) == (2, 1, 1)
    # 8002 passed call 2 on: whether to ask at its end was not theirs to say.
    other = reads.agents(ONE_DAY)[str(calls.agents["8002"])]
    assert (other.answered, other.concluded, other.not_offered, other.wrapup_seconds) == (1, 0, 0, 25)
    assert found.after_call_rate.value == 0.5
    assert found.after_call_satisfaction(counts_barely=False).value == 0.5
    assert found.after_call_satisfaction(counts_barely=True).value == 1.0


def test_callbacks(world: World, counting: Counting, reads: StatisticsReads, clock: FakeClock) -> None:
    made = "2026-03-05 09:00"
    world.callback(
        made,
        state="done",
        disposition="completed",
        promised_by="2026-03-05 18:00",
        contacted_at="2026-03-05 17:59",
        unit="市医保局",
    )
    world.callback(
        made,
        state="done",
        disposition="completed",
        promised_by="2026-03-05 18:00",
        contacted_at="2026-03-05 18:01",
        unit="市医保局",
    )
    world.callback(made, state="given_up", disposition="no_answer", promised_by="2026-03-05 18:00", unit="市公安局")
    world.callback(made, state="given_up", disposition="refused", contacted_at="2026-03-05 10:00")  # no promise
    world.callback(made, state="given_up", disposition="wrong_number")
    world.callback(made, state="cancelled", promised_by="2026-03-05 18:00")
    world.callback(made, state="not_sampled")
    # Due on the 18th at noon, and it is half past ten: neither is due yet, not even the one that was done early.
    world.callback(made, state="owed", promised_by="2026-03-18 12:00")
    world.callback(made, state="done", promised_by="2026-03-18 12:00", contacted_at="2026-03-06 09:00")
    # Due on another day than it was owed, and never reached.
    world.callback(made, state="given_up", disposition="no_answer", promised_by="2026-03-10 12:00", unit="市住建局")
    counting.count(Span(DAY, date(2026, 3, 18)), "callbacks")
    found = reads.callbacks(ONE_DAY)
    assert (found.owed, found.contacted, found.refused, found.unreachable) == (8, 4, 1, 1)
    assert (found.cancelled, found.not_sampled) == (1, 1)
    assert found.contact_rate.value == pytest.approx(4 / 8)
    assert found.refusal_rate.value == pytest.approx(1 / 4)
    assert (found.in_time, found.due) == (1, 3)
    assert found.response_rate.value == pytest.approx(1 / 3)
    today = Filter(Span(date(2026, 3, 18), date(2026, 3, 18)))
    assert (reads.callbacks(today).in_time, reads.callbacks(today).due) == (0, 0)
    clock.advance(2 * 3600)  # half past twelve: both are due, one was reached
    counting.count(today.span, "callbacks")
    assert (reads.callbacks(today).in_time, reads.callbacks(today).due) == (1, 2)
    assert {unit: one.due for unit, one in reads.callbacks_by(ONE_DAY, "unit").items()} == {
        "市医保局": 2,
        "市公安局": 1,
        "市住建局": 0,
        "": 0,
    }
    tenth = reads.callbacks(Filter(Span(date(2026, 3, 10), date(2026, 3, 10))))
    assert (tenth.in_time, tenth.due, tenth.owed) == (0, 1, 0)


def test_surveys_and_answers(world: World, counting: Counting, reads: StatisticsReads) -> None:
    version = world.version("case_service")
    day = "2026-03-05 15:00"
    grades = [5, 5, 4, 3, 2, 1]
    for grade in grades:
        reason = {"reason": ("multiple", ["slow", "rude"], None)} if grade <= 2 else {}
        world.survey(version, day, {"satisfaction": rated(grade), "resolved": solved(grade >= 3), **reason}, unit="市医保局")
    world.survey(version, day, {"satisfaction": rated(1)}, late=True)
    world.survey(
        version, day, {"satisfaction": rated(1), "reason": ("multiple", ["slow", "rude"], None)}, withdrawn_at="2026-03-06 09:00"
    )
    world.survey(version, day, {"satisfaction": rated(1)}, kind="after_call")  # counted apart
    world.survey(version, day, state="refused")
    world.survey(version, day, state="expired")
    world.survey(version, "2026-03-04 15:00", {"resolved": solved(True)}, answered=day, weight=3.0)  # offered the day before
    counting.count(Span(date(2026, 3, 4), DAY), "surveys")
    satisfaction = reads.answers(ONE_DAY, "satisfaction")
    assert [(option, tally.count) for option, tally in satisfaction.tallies] == [("1", 1), ("2", 1), ("3", 1), ("4", 1), ("5", 2)]
    assert (satisfaction.late, satisfaction.withdrawn) == (1, 1)
    assert satisfaction.satisfied(counts_barely=False).value == pytest.approx(3 / 6)  # 5 5 4
    assert satisfaction.satisfied(counts_barely=True).value == pytest.approx(4 / 6)
    assert kpi.average_score(satisfaction.scores).value == pytest.approx(20 / 6)
    # yes 4 of 6 with weight 1, and one yes of weight 3: (4 + 3) ÷ (6 + 3); plainly 5 of 7.
    resolved = reads.answers(ONE_DAY, "resolved").solved()
    assert (resolved.part, resolved.whole) == (5, 7)
    assert resolved.value == pytest.approx(7 / 9)
    assert resolved.is_weighted
    # The same keys, asked as another kind, are no grade and no yes or no.
    world.survey(version, day, {"satisfaction": ("scale", 9, 9.0), "resolved": ("rating", 1, 1.0)})
    counting.count(ONE_DAY.span, "surveys")
    assert reads.answers(ONE_DAY, "satisfaction").satisfied(counts_barely=False).whole == 6
    assert reads.answers(ONE_DAY, "resolved").solved().whole == 7
    reasons = reads.answers(ONE_DAY, "reason")
    assert {option: tally.count for option, tally in reasons.tallies} == {"*": 2, "slow": 2, "rude": 2}
    assert reasons.withdrawn == 1  # one person, whatever number of reasons
    surveys = reads.surveys(ONE_DAY)
    # Offered on the 5th for a callback: 7 + late 1 + refused 1 + expired 1; the one withdrawn and the after-call one are apart.
    assert (surveys.offered, surveys.answered, surveys.refused, surveys.expired, surveys.withdrawn) == (10, 8, 1, 1, 1)
    assert surveys.survey_response_rate.value == pytest.approx(8 / 10)
    by_unit = reads.answers_by(ONE_DAY, "satisfaction", "unit")
    assert by_unit["市医保局"].count == 6
    assert reads.answers(Filter(ONE_DAY.span, kind="after_call"), "satisfaction").count == 1
    assert reads.answers(Filter(ONE_DAY.span, unit="市公安局"), "satisfaction").count == 0
    assert reads.answers(Filter(ONE_DAY.span, versions=(str(version),)), "satisfaction").count == 6
