"""The list of callbacks and one of them to read: who sees what, conditions in the address, masked numbers, hostile names."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from callback.disposition import Disposition
from callback.listing import CallbackListing, ListFilter
from callback.models import CallbackAttempt
from callback.rule import Reason, Way
from core.database import Database
from tests.fakes.browser import Browser
from tests.integration.webui_callbacks.conftest import EVIL, PHONE, Owing
from tests.integration.webui_desk.conftest import Hotline


def rows(page: str) -> list[str]:
    return re.findall(r'<tr id="cb-.*?</tr>', page, re.S)


def listed(browser: Browser, query: str = "") -> list[str]:
    answer = browser.get(f"/callbacks/{query}")
    assert answer.status_code == 200
    return rows(answer.get_data(as_text=True))


def test_who_is_owed_what_and_why(owing: Owing, zhou: Browser) -> None:
    owing.owe(promised_working_days=1)
    (row,) = listed(zhou)
    assert "差评回访" in row
    assert "居住证签注 · 市公安局" in row
    assert "王女士" in row
    assert "138****8000" in row
    assert "坐席外呼" in row
    assert PHONE not in row


def test_names_and_matters_are_hostile(owing: Owing, zhou: Browser) -> None:
    made = owing.owe(person=EVIL, matter=EVIL, unit=EVIL, category=EVIL, hall=EVIL, window=EVIL)
    for address in ("/callbacks/", f"/callbacks/{made.callback_id}", "/callbacks/rules/preview"):
        page = zhou.get(address).get_data(as_text=True)
        assert "<img src=x" not in page
    assert "&lt;img src=x" in listed(zhou)[0]


def test_agents_see_what_agents_ring_and_supervisors_everything(owing: Owing, chen: Browser, zhou: Browser) -> None:
    mine = owing.owe()
    machine = owing.owe("13900139000", Reason.CASE_CLOSED, (Way.IVR,), questionnaire=owing.questionnaire())
    assert len(listed(zhou)) == 2
    assert [str(mine.callback_id) in row for row in listed(chen)] == [True]
    assert chen.get(f"/callbacks/{machine.callback_id}").status_code == 403
    assert zhou.get(f"/callbacks/{machine.callback_id}").status_code == 200


def test_conditions_live_in_the_address(owing: Owing, zhou: Browser) -> None:
    owing.owe()
    owing.owe("13900139000", Reason.MISSED_CALL, person="李先生", matter="")
    assert len(listed(zhou, "?reason=missed_call")) == 1
    assert len(listed(zhou, "?q=9000")) == 1
    assert len(listed(zhou, "?q=李先生")) == 1
    assert len(listed(zhou, "?q=100%25")) == 0
    assert len(listed(zhou, f"?q={PHONE}")) == 1
    assert len(listed(zhou, "?way=ivr")) == 0
    assert len(listed(zhou, "?state=done")) == 0
    assert len(listed(zhou, "?state=all&reason=bad_rating")) == 1
    # What cannot be read is left out: an old link goes on working.
    assert len(listed(zhou, "?reason=nonsense&state=%00&way=fax&page=-3")) == 2


def test_whole_number_needs_the_right(owing: Owing, hotline: Hotline) -> None:
    owing.owe()
    manager = hotline.browser("manager")
    assert len(listed(manager)) == 1
    assert manager.get(f"/callbacks/?q={PHONE}").status_code == 403
    assert len(listed(manager, "?q=8000")) == 1


def test_missed_calls_are_one_entry_a_number(owing: Owing, hotline: Hotline, zhou: Browser) -> None:
    for _ in range(3):
        unique = hotline.queue("13700137000")
        hotline.hang_up(unique)
    with hotline.database.transaction() as session:
        ids = list(session.scalars(text("SELECT id FROM call WHERE caller_number = '13700137000'")))
    for call_id in ids:
        hotline.callback.owe_for_call(call_id)
    (row,) = listed(zhou, "?reason=missed_call")
    assert "漏接回拨" in row


@pytest.mark.parametrize(("hours", "shown", "filtered"), [(1, "前", "now"), (8.5, "前", "soon"), (12, "超时", "overdue")])
def test_the_promised_time_is_a_clock(owing: Owing, hotline: Hotline, hours: float, shown: str, filtered: str) -> None:
    made = owing.owe()
    begun = hotline.clock.now()
    _promise(hotline, made.callback_id, begun, begun + timedelta(hours=10))
    hotline.clock.advance(3600 * hours)
    zhou = hotline.browser("zhou")
    (row,) = listed(zhou, f"?due={filtered}")
    assert shown in row
    assert ("tag warn" in row) is (filtered == "soon")
    assert ("tag bad" in row.split("</td>")[4]) is (filtered == "overdue")
    others = {"soon", "overdue"} - {filtered}
    assert all(listed(zhou, f"?due={other}") == [] for other in others)


def _promise(hotline: Hotline, callback_id: uuid.UUID, created_at: datetime, promised_by: datetime) -> None:
    with hotline.database.transaction() as session:
        session.execute(
            text("UPDATE callback SET created_at = :c, promised_by = :p WHERE id = :id"),
            {"c": created_at, "p": promised_by, "id": callback_id},
        )


def test_one_callback_says_what_was_tried(owing: Owing, hotline: Hotline, zhou: Browser) -> None:
    hotline.seat("8001")
    made = owing.owe()
    owing.dialled(made.callback_id)
    hotline.callback.report(made.callback_id, owing.agent(), Disposition.NO_ANSWER)
    page = zhou.get(f"/callbacks/{made.callback_id}").get_data(as_text=True)
    assert "无人接听" in page
    assert "陈敏 8001" in page
    assert PHONE not in page


def test_a_citizen_who_got_no_agent_is_no_fault_of_the_line(owing: Owing, hotline: Hotline, zhou: Browser) -> None:
    made = owing.owe(reason=Reason.QUEUE_CALLBACK)
    ended = {"state": "ended", "disposition": "failed", "cause": "no_agent", "planned_at": hotline.now, "is_survey": False}
    with hotline.database.transaction() as session:
        session.add(CallbackAttempt(callback_id=made.callback_id, attempt_no=1, way="agent", phone=PHONE, **ended))
    page = zhou.get(f"/callbacks/{made.callback_id}").get_data(as_text=True)
    assert "没等到坐席" in page
    assert "线路故障" not in page


def test_the_desk_is_offered_for_what_agents_ring(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    hotline.seat("8001")
    made = owing.owe(ways=(Way.AGENT, Way.IVR), questionnaire=owing.questionnaire())
    owing.dialled(made.callback_id)
    for way_no, is_offered in ((0, True), (1, False)):
        with hotline.database.transaction() as session:
            session.execute(text("UPDATE callback SET way_no = :no"), {"no": way_no})
        page = chen.get(f"/callbacks/{made.callback_id}").get_data(as_text=True)
        assert ("到工作台外呼" in page) is is_offered


def test_years_of_callbacks_are_neither_read_nor_sorted_for_a_page(hotline: Hotline) -> None:
    with hotline.database.transaction() as session:
        session.execute(text(_YEARS))
        session.execute(text("ANALYZE callback"))
    listing = CallbackListing(hotline.database, hotline.clock)
    with explained(hotline.database) as plans:
        done = listing.list_callbacks(ListFilter(state="done"))
        every = listing.list_callbacks(ListFilter())
        campaign = listing.list_callbacks(ListFilter(campaign="spring"))
        day = hotline.callback.preview(date(2024, 5, 1))
    assert (done.total, every.total, campaign.total, day.counts) == (5000, 15_000, 10, {"sampled_out": 18})
    assert len(plans) == 4
    assert not [plan for plan in plans if "Seq Scan on callback" in plan]
    # A part of one page is put in order at most.
    assert not [plan for plan in plans[:2] if "->  Sort  (" in plan]


_YEARS = """
INSERT INTO callback (id, natural_key, reason, state, phone, person, ways, way_no, priority, next_at, why, attempt_count, weight,
    stratum, seed, campaign, hall, unit, region, category, matter_code, matter, "window", created_at, finished_at)
SELECT gen_random_uuid(), 'made:' || n, 'case_closed', (ARRAY['done', 'given_up', 'cancelled', 'not_sampled'])[n % 4 + 1],
    '13800138000', '', '{ivr}', 0, 60, moment, 'sampled_out', 0, 1, '', '', CASE WHEN n % 2000 = 0 THEN 'spring' ELSE '' END,
    '', '', '', '', '', '', '', moment, CASE WHEN n % 4 < 3 THEN moment END
FROM (SELECT n, timestamptz '2024-01-01 00:00Z' + n * interval '1 hour' AS moment FROM generate_series(1, 20000) n) made
"""


@contextmanager
def explained(database: Database) -> Iterator[list[str]]:
    """Collect how PostgreSQL finds the rows of callbacks that are asked for meanwhile, page by page."""
    asked: list[tuple[str, Any]] = []
    plans: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "FROM callback" in statement and "LIMIT" in statement:
            asked.append((f"EXPLAIN {statement}", parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
        with database.engine.connect() as connection:
            plans += ["\n".join(connection.exec_driver_sql(*one).scalars()) for one in asked]


def test_whole_number_is_shown_to_whom_it_concerns_and_audited(
    owing: Owing, hotline: Hotline, chen: Browser, zhou: Browser
) -> None:
    made = owing.owe()
    address = f"/callbacks/{made.callback_id}/reveal"
    assert chen.post(address).status_code == 403
    assert zhou.post(address).get_json() == {"number": PHONE}
    hotline.callback.hold(made.callback_id, owing.agent())
    assert chen.post(address).get_json() == {"number": PHONE}
    assert [row["actor"] for row in hotline.audited("number.revealed")] == ["zhou", "chen"]
    assert PHONE not in str(hotline.audited("number.revealed"))


def test_nothing_for_those_without_the_right(owing: Owing, hotline: Hotline) -> None:
    made = owing.owe()
    editor = hotline.browser("editor")
    for address in (
        "/callbacks/",
        f"/callbacks/{made.callback_id}",
        "/callbacks/rules/",
        "/callbacks/campaigns/",
        "/callbacks/opt-outs/",
    ):
        assert editor.get(address).status_code == 403, address
    assert hotline.browser("chen").get("/callbacks/rules/").status_code == 403
    assert hotline.browser("zhou").get(f"/callbacks/{uuid.uuid4()}").status_code == 404


def test_the_call_behind_is_readable_for_whoever_rings_back(owing: Owing, hotline: Hotline, chen: Browser) -> None:
    hotline.seat("8002")
    unique = hotline.queue(PHONE)
    call_id = hotline.answer(unique, "8002")
    hotline.say(call_id, f"我的居住证到期了{EVIL}")
    hotline.hang_up(unique, "8002")
    made = owing.owe(call_id=str(call_id))
    assert chen.get(f"/calls/{call_id}").status_code == 403
    hotline.callback.hold(made.callback_id, owing.agent())
    assert chen.get(f"/calls/{call_id}").status_code == 200
    assert chen.post(f"/calls/{call_id}/reveal").status_code == 403
    page = chen.get(f"/callbacks/{made.callback_id}").get_data(as_text=True)
    assert "我的居住证到期了" in page
    assert "<img src=x" not in page
