"""The hall's figures are what the tables say, as statistics define them."""

from datetime import timedelta
from typing import Any

from tests.integration.webui_wallboard.conftest import Hall
from webui.wallboard.compose import WINDOW_DAYS, WallReader


def read(hall: Hall) -> dict[str, Any]:
    """Return fresh figures; closed days are read anew too."""
    return WallReader(hall.database, hall.clock, hall.house.settings).read().model_dump(mode="json")


def ago(**units: float) -> timedelta:
    return timedelta(**units)


def test_an_empty_hotline_has_nothing_to_tell_and_no_error(hall: Hall) -> None:
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
    hall.call(ago(hours=25), 5)  # too long ago
    hall.call(ago(hours=1), 5, direction="out")  # an agent's own call
    told = read(hall)
    today = told["today"]
    assert (today["answered"], today["offered"], today["abandoned"], today["average_wait_seconds"]) == (3, 5, 1, 12.0)
    assert (today["in_time"]["part"], today["in_time"]["whole"], today["in_time"]["percent"]) == (2, 5, 40.0)
    assert (told["connect"]["part"], told["connect"]["whole"], told["connect"]["percent"]) == (4, 6, 66.7)
    by_hour = {hour["hour"]: (hour["answered"], hour["abandoned"]) for hour in today["hours"] if any(hour.values())}
    assert by_hour[9] == (2, 0)
    assert by_hour[8] == (1, 1)
    assert by_hour[7] == (0, 0)


def test_this_moment(hall: Hall) -> None:
    hall.call(ago(seconds=42), None)
    hall.call(ago(seconds=7), None, state="ringing")
    hall.call(ago(seconds=90), None, direction="out")
    for number, state in (("8001", "talking"), ("8002", "paused"), ("8003", "offline"), ("8004", "faulty")):
        hall.agent(number, state)
    assert read(hall)["live"] == {"waiting": 2, "longest_wait_seconds": 42.0, "agents_on_duty": 2}


def test_this_moment_is_unknown_while_nobody_follows_the_calls(hall: Hall) -> None:
    hall.call(ago(seconds=42), None)
    hall.bridge_heard(60)
    assert read(hall)["live"] == {"waiting": None, "longest_wait_seconds": None, "agents_on_duty": None}


def test_a_living_bridge_is_believed(hall: Hall) -> None:
    hall.call(ago(seconds=42), None)
    hall.bridge_heard(2)
    assert read(hall)["live"]["waiting"] == 1


def test_satisfaction_with_its_interval_and_n(hall: Hall) -> None:
    for score, days_ago in ((5, 0.0), (4, 0.1), (4, 3), (5, 29), (3, 12), (2, 12)):
        hall.rating(score, days_ago)
    hall.rating(1, 31)  # before the window
    hall.rating(1, 1, is_late=True)
    hall.rating(1, 1, withdrawn_at=hall.now)
    hall.rating(1, 1, kind="after_call")
    rate = read(hall)["satisfaction"]["rate"]
    assert (rate["part"], rate["whole"], rate["percent"]) == (4, 6, 66.7)
    assert (rate["low"], rate["high"]) == (30.0, 90.3)


def test_after_call_ratings_stand_apart_and_small_groups_are_left_out(hall: Hall) -> None:
    for _ in range(5):
        hall.rating(5, 2, kind="after_call", way="ivr")
    for _ in range(4):
        hall.rating(5, 2, way="web")
    for _ in range(5):
        hall.rating(4, 0, way="ivr")
    told = read(hall)["satisfaction"]
    assert told["after_call"]["whole"] == 5
    assert told["rate"]["whole"] == 9
    ways = {way["way"]: way["rate"] for way in told["ways"]}
    assert ways["ivr"]["percent"] == 100.0
    assert ways["web"]["is_suppressed"]
    assert ways["web"]["whole"] is None
    assert told["today"]["whole"] == 5
    assert [day["rate"]["whole"] for day in told["daily"] if day["rate"]["whole"]] == [5]


def test_weights_of_a_sample_count(hall: Hall) -> None:
    for score, weight in ((5, 1.0), (5, 1.0), (5, 1.0), (1, 3.0), (1, 3.0)):
        hall.rating(score, 1, weight=weight)
    rate = read(hall)["satisfaction"]["rate"]
    assert (rate["part"], rate["whole"], rate["percent"]) == (3, 5, 33.3)


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
    told = read(hall)
    assert told["topics_today"] == [{"topic": "居民医保补缴", "calls": 5}]
    assert told["topics"] == [{"topic": "少有人问", "calls": 5}, {"topic": "居民医保补缴", "calls": 5}]


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
    assert b'"whole":5' in hall.snapshots.refresh().body
    hall.rating(4)
    assert b'"part":6,"whole":6' in hall.snapshots.refresh().body
