"""The hall's figures are what the tables say, as statistics define them."""

from datetime import timedelta
from typing import Any

from tests.integration.webui_wallboard.conftest import Hall
from webui.statistics.counting import Counting
from webui.statistics.figures import read_figures
from webui.statistics.reads import Filter, StatisticsReads, span_of_days
from webui.wallboard.compose import WINDOW_DAYS, WallReader


def read(hall: Hall) -> dict[str, Any]:
    """Return fresh figures; closed days are read anew too."""
    return WallReader(hall.database, hall.clock, hall.house.settings).read().model_dump(mode="json")


def ago(**units: float) -> timedelta:
    return timedelta(**units)


def test_an_empty_hotline_has_nothing_to_tell_and_no_error(hall: Hall) -> None:
    hall.bridge_heard()
    told = read(hall)
    assert told["live"] == {"waiting": 0, "longest_wait_seconds": 0.0, "agents_on_duty": 0}
    assert told["today"]["answered"] == 0
    assert told["today"]["in_time"]["percent"] is None
    assert told["connect"]["percent"] is None
    assert told["satisfaction"]["rate"]["is_suppressed"]
    assert told["topics_today"] == []
    assert len(told["today"]["hours"]) == 11  # 10:30 in the hall
    assert len(told["satisfaction"]["daily"]) == WINDOW_DAYS


def test_calls_of_today_and_of_24_hours(hall: Hall) -> None:
    hall.call(ago(hours=1), 5)
    hall.call(ago(hours=1), 15)
    hall.call(ago(hours=2), 16)
    hall.call(ago(hours=2), 40, "abandoned")
    hall.call(ago(hours=3), 3, "abandoned")  # hung up before anybody could answer
    hall.call(ago(hours=3), 30, "failed")
    hall.call(ago(hours=12), 5)  # yesterday evening
    hall.call(ago(hours=24, minutes=20), 5)  # 10:10 yesterday: the 24 hours began at ten
    hall.call(ago(hours=24, minutes=40), 5)  # too long ago
    hall.call(ago(minutes=20), 8)  # 10:10: today's, but the hour is not over
    hall.call(ago(hours=1), 5, direction="out")  # an agent's own call
    hall.call(ago(hours=1), 30, "abandoned", queued_at=None)  # never came to a queue
    told = read(hall)
    today = told["today"]
    assert (today["answered"], today["offered"], today["abandoned"], today["average_wait_seconds"]) == (4, 6, 1, 11.0)
    assert (today["in_time"]["part"], today["in_time"]["whole"], today["in_time"]["percent"]) == (3, 6, 50.0)
    # 5, 15 and 16 s, yesterday evening and 10:10 of yesterday, of these and the abandoned and the failed one.
    assert (told["connect"]["part"], told["connect"]["whole"], told["connect"]["percent"]) == (5, 7, 71.4)
    by_hour = {hour["hour"]: (hour["answered"], hour["abandoned"]) for hour in today["hours"] if any(hour.values())}
    assert by_hour[9] == (2, 0)
    assert by_hour[8] == (1, 1)
    assert by_hour[7] == (0, 0)


def test_the_24_hours_are_those_of_the_statistics(hall: Hall) -> None:
    for hours in range(30):
        hall.call(ago(hours=hours, minutes=7 * hours % 60), 5)
        hall.call(ago(hours=hours, minutes=11 * hours % 60), 20, "abandoned" if hours % 3 else "failed")
        hall.call(ago(hours=hours), 20, "abandoned", queued_at=None)
    counting = Counting(hall.database, hall.clock, hall.house.settings)
    span = span_of_days(hall.now, 3)
    counting.ensure(span, ["calls"])
    counted = read_figures(StatisticsReads(hall.database), Filter(span), hall.now).connect_rate_24h
    connect = read(hall)["connect"]
    assert (connect["part"], connect["whole"]) == (counted.part, counted.whole)
    assert 0 < connect["part"] < connect["whole"]


def test_this_moment(hall: Hall) -> None:
    hall.bridge_heard()
    hall.call(ago(seconds=42), None)
    hall.call(ago(seconds=7), None, state="ringing")
    hall.call(ago(seconds=90), None, direction="out")
    for number, state in (("8001", "talking"), ("8002", "paused"), ("8003", "offline"), ("8004", "faulty")):
        hall.agent(number, state)
    assert read(hall)["live"] == {"waiting": 2, "longest_wait_seconds": 42.0, "agents_on_duty": 2}


UNKNOWN = {"waiting": None, "longest_wait_seconds": None, "agents_on_duty": None}


def test_this_moment_is_unknown_while_nobody_follows_the_calls(hall: Hall) -> None:
    hall.call(ago(seconds=42), None)
    assert read(hall)["live"] == UNKNOWN  # a bridge that stopped in order leaves no sign
    hall.bridge_heard(60)
    assert read(hall)["live"] == UNKNOWN


def test_one_node_that_nobody_follows_makes_the_sum_unknown(hall: Hall) -> None:
    hall.call(ago(seconds=42), None)
    hall.bridge_heard()
    hall.bridge_heard(60, node="node2")
    assert read(hall)["live"] == UNKNOWN


def test_a_bridge_that_does_not_hear_the_exchange_follows_nothing(hall: Hall) -> None:
    hall.call(ago(seconds=42), None)
    hall.bridge_heard(problem="no log-in", hears_exchange=False)
    assert read(hall)["live"] == UNKNOWN


def test_a_living_bridge_is_believed(hall: Hall) -> None:
    hall.call(ago(seconds=42), None)
    hall.bridge_heard(300)  # it died, and another follows its node
    hall.bridge_heard(problem="no weights", live_text=False)  # no live text: the calls are followed all the same
    assert read(hall)["live"]["waiting"] == 1


def test_satisfaction_with_its_interval_and_n(hall: Hall) -> None:
    # Today is Wednesday the 18th. Six on the 17th; on the week that ended with the 15th three on one day and two on another.
    for score, days_ago in ((5, 1), (4, 1), (4, 1), (5, 1), (3, 1), (2, 1), (4, 5), (4, 5), (1, 5), (5, 4), (5, 4)):
        hall.rating(score, days_ago)
    for _ in range(4):
        hall.rating(1, 2)  # Monday: four, and their week is not over
        hall.rating(1, 0)
    hall.rating(1, 31)  # before the window
    hall.rating(1, 1, is_late=True)
    hall.rating(1, 1, withdrawn_at=hall.now)
    hall.rating(1, 1, kind="after_call")
    rate = read(hall)["satisfaction"]["rate"]
    assert (rate["part"], rate["whole"], rate["percent"]) == (8, 11, 72.7)  # 4 of 6, and 4 of 5
    assert (rate["low"], rate["high"]) == (43.4, 90.3)  # Wilson's


def test_after_call_ratings_stand_apart_and_small_groups_are_left_out(hall: Hall) -> None:
    for _ in range(5):
        hall.rating(5, 2, kind="after_call", way="ivr")
    for _ in range(4):
        hall.rating(5, 2, way="web")
    for _ in range(5):
        hall.rating(4, 2, way="ivr")
        hall.rating(4, 2, way="agent")
        hall.rating(4, 2, way="agent")
        hall.rating(3, 0, way="ivr")
    told = read(hall)["satisfaction"]
    assert told["after_call"]["whole"] == 5
    assert told["rate"]["whole"] == 19
    ways = {way["way"]: way["rate"] for way in told["ways"]}
    assert ways["agent"]["percent"] == 100.0
    # The four by web would be 19 - 10 - 5: the smaller of the others is left out with them.
    assert [ways[way]["whole"] for way in ("web", "ivr")] == [None, None]
    assert ways["ivr"]["is_suppressed"]
    assert (told["today"]["part"], told["today"]["whole"]) == (0, 5)
    assert [day["rate"]["whole"] for day in told["daily"] if day["rate"]["whole"]] == [19]


def test_weights_of_a_sample_count(hall: Hall) -> None:
    for score, weight in ((5, 1.0), (5, 1.0), (5, 1.0), (1, 3.0), (1, 3.0)):
        hall.rating(score, 1, weight=weight)
    rate = read(hall)["satisfaction"]["rate"]
    assert (rate["part"], rate["whole"], rate["percent"]) == (3, 5, 33.3)


def test_the_same_question_asked_as_another_kind_is_no_rating(hall: Hall) -> None:
    for score in (5, 5, 4, 4, 2):
        hall.rating(score, 1)
    hall.rating(1, 1, answer_kind="scale")
    assert read(hall)["satisfaction"]["rate"]["whole"] == 5


def test_solved_or_not(hall: Hall) -> None:
    for score in (1, 1, 1, 1, 0):
        hall.rating(score, 1, question_key="resolved")
    solved = read(hall)["satisfaction"]["solved"]
    assert (solved["part"], solved["whole"], solved["percent"]) == (4, 5, 80.0)


def test_topics_of_five_calls_or_more(hall: Hall) -> None:
    for _ in range(5):
        hall.call(ago(hours=1), 5, topic="居民医保补缴")
    for _ in range(4):
        hall.call(ago(hours=1), 5, topic="少有人问")
        hall.call(ago(days=2), 5, topic="少有人问")
    hall.call(ago(days=3), 5, topic="少有人问")
    told = read(hall)
    assert told["topics_today"] == [{"topic": "居民医保补缴", "calls": 5}]
    # Of closed days alone: today's four would be nine less five.
    assert told["topics"] == [{"topic": "少有人问", "calls": 5}]


def test_callbacks(hall: Hall) -> None:
    for _ in range(3):
        hall.callback()
    hall.callback("missed_call")
    hall.callback("missed_call", "cancelled")
    hall.callback("missed_call", "owed")
    hall.callback("case_closed", "owed", next_at=hall.now + timedelta(hours=1))
    hall.callback("case_closed", "done", created_at=hall.now - timedelta(days=3), finished_at=hall.now - timedelta(days=2))
    told = read(hall)["callbacks"]
    assert told["done_today"] == 4
    assert told["reasons"] == [{"reason": "case_closed", "done": 3}, {"reason": "missed_call", "done": 1}]
    assert (told["missed_settled"], told["missed_today"], told["due_now"], told["attempts_today"]) == (2, 3, 1, 8)
    assert (told["contact"]["part"], told["contact"]["whole"]) == (1, 1)  # closed days only


def test_midnight_begins_a_new_day(hall: Hall) -> None:
    hall.call(ago(minutes=5), 5)
    reader = WallReader(hall.database, hall.clock, hall.house.settings)
    assert reader.read().today.answered == 1
    hall.rating(5)
    hall.clock.advance(14 * 3600)  # 00:30
    told = reader.read()
    assert told.today.answered == 0
    assert [hour.hour for hour in told.today.hours] == [0]
    assert told.connect.part == 1


def test_nothing_that_leaves_names_anybody(hall: Hall) -> None:
    hall.call(ago(seconds=42), None, caller_number="13912345678", caller_name="张三")
    hall.agent("8001", "talking")
    hall.callback(phone="13700000001", person="李四")
    body = hall.snapshots.refresh().body.decode()
    for secret in ("13912345678", "5678", "张三", "李四", "13700000001", "陈敏", "8001"):
        assert secret not in body


def test_an_answer_reaches_the_feed_at_the_next_reading(hall: Hall) -> None:
    for _ in range(5):
        hall.rating(5, 1)
        hall.rating(5)
    assert hall.snapshots.refresh().body.count(b'"part":5,"whole":5') == 4  # 30 days, yesterday, its way, and today
    hall.rating(4)
    body = hall.snapshots.refresh().body
    assert body.count(b'"part":6,"whole":6') == 1  # today alone
    assert body.count(b'"part":5,"whole":5') == 3
