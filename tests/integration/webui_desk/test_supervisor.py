"""The supervisor's board: real figures by their definitions, and for whom."""

from tests.integration.webui_desk.conftest import Hotline


def test_only_those_who_may(hotline: Hotline) -> None:
    for who, status in (("zhou", 200), ("manager", 200), ("chen", 403), ("editor", 403)):
        assert hotline.browser(who).get("/supervisor/").status_code == status
        assert hotline.browser(who).get("/supervisor/board").status_code == status


def test_figures_are_counted_as_they_are_defined(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    for waited in (5, 40):
        unique = hotline.queue()
        hotline.clock.advance(waited)
        hotline.answer(unique)
        hotline.hang_up(unique)
        hotline.telephony.ready_agent(hotline.agents["8001"])
    for waited in (2, 20):  # who hangs up within five seconds was not waiting yet
        unique = hotline.queue()
        hotline.clock.advance(waited)
        hotline.hang_up(unique)
    talking = hotline.answer(hotline.queue())
    hotline.say(talking, "社保断了两个月有影响吗")
    hotline.queue(number="13900139000")
    hotline.clock.advance(31)
    board = hotline.browser("zhou").get("/supervisor/board").json or {}
    assert board["today"] == {"offered": 4, "answered": 3, "abandoned": 1, "in_time": 2}
    assert board["last_day"] == board["today"]
    calls = {call["state"]: call for call in board["calls"]}
    assert calls["talking"]["text"] == "社保断了两个月有影响吗"
    assert calls["talking"]["agent"] == "陈敏 8001"
    assert calls["queued"]["caller"]["shown"] == "139****9000"
    states = {agent["number"]: agent["state"] for agent in board["agents"]}
    assert states == {"8001": "talking", "8002": "ready"}
    consult = next(queue for queue in board["queues"] if queue["name"] == "consult")
    assert (consult["waiting"], consult["ready"]) == (1, 1)
    assert [alert["kind"] for alert in board["alerts"]] == ["long_wait"]
    assert "139001" not in str(board)


def test_what_the_program_could_not_do_is_shown(hotline: Hotline) -> None:
    from sqlalchemy import text

    with hotline.database.transaction() as session:
        session.execute(text("INSERT INTO outbox_event (name, payload, attempts, parked_at) VALUES ('X', '{}', 8, now())"))
        session.execute(
            text("INSERT INTO job (queue, task, args, state, priority, attempts, max_attempts) VALUES ('q','t','{}','dead',1,5,5)")
        )
    board = hotline.browser("zhou").get("/supervisor/board").json or {}
    assert {(alert["kind"], alert["count"]) for alert in board["alerts"]} == {("parked_events", 1), ("dead_jobs", 1)}
