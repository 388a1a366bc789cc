"""The outbox keeps its promises: with the change or not at all, in order, at least once, parked in the end."""

import uuid

import pytest
from sqlalchemy import select, text

from core.database import Database, new_id
from core.outbox import Dispatcher, Event, OutboxEvent, publish, retry_parked


class LampLit(Event):
    """An event of these tests."""

    number: int = 0


def lit(database: Database, number: int, call_id: uuid.UUID | None = None) -> int:
    with database.transaction() as session:
        return publish(session, LampLit(number=number, call_id=call_id))


def make_due(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE outbox_event SET retry_at = clock_timestamp() WHERE retry_at IS NOT NULL"))


def test_a_rolled_back_change_leaves_no_event(database: Database) -> None:
    class Interrupted(Exception): ...

    def interrupted_change() -> None:
        with database.transaction() as session:
            written.append(publish(session, LampLit(number=1)))
            raise Interrupted

    written: list[int] = []
    with pytest.raises(Interrupted):
        interrupted_change()
    with database.transaction() as session:
        assert session.get(OutboxEvent, written[0]) is None


def test_a_failing_event_holds_back_its_own_call_only(database: Database) -> None:
    first_call, other_call = new_id(), new_id()
    failing = {1}
    seen: list[int] = []

    def handler(event: LampLit) -> None:
        if event.number in failing:
            raise RuntimeError("bulb")
        seen.append(event.number)

    for number, call in ((1, first_call), (2, first_call), (3, other_call)):
        lit(database, number, call)
    dispatcher = Dispatcher(database, {LampLit: [handler]})
    dispatcher.run_once()
    dispatcher.run_once()
    assert seen == [3]
    failing.clear()
    make_due(database)
    dispatcher.run_once()
    assert seen == [3, 1, 2]


def test_an_event_that_never_succeeds_is_parked_and_can_be_retried(database: Database) -> None:
    works = False
    seen: list[int] = []

    def handler(event: LampLit) -> None:
        if not works:
            raise RuntimeError("bulb")
        seen.append(event.number)

    event_id = lit(database, 9)
    dispatcher = Dispatcher(database, {LampLit: [handler]})
    for _ in range(8):
        make_due(database)
        dispatcher.run_once()
    with database.transaction() as session:
        row = session.scalars(select(OutboxEvent).where(OutboxEvent.id == event_id)).one()
        assert row.parked_at is not None
        assert "bulb" in (row.error or "")
        retry_parked(session, event_id)
    works = True
    dispatcher.run_once()
    assert seen == [9]
