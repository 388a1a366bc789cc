"""What the worker does: counting what changed, freezing, correcting, reports, improvement items."""

import io
import re
import zipfile
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pypdf
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from callback.events import CallbackCompleted
from core.database import Database
from core.settings import Settings
from survey.events import SurveyAnswered
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.integration.statistics.test_pages import DEFINITION
from tests.integration.statistics.world import World, at, rated
from webui.statistics.closing import Closing
from webui.statistics.counting import PARTS, Counting, Span
from webui.statistics.definitions import MEASURES
from webui.statistics.handlers import StatisticsHandlers
from webui.statistics.improvements import Improvements
from webui.statistics.periods import SLOW, FrozenPeriod, Periods
from webui.statistics.printing import PrintingUnavailableError
from webui.statistics.reads import Filter, StatisticsReads
from webui.statistics.schedule import Reports

TUESDAY = Span(date(2026, 3, 17), date(2026, 3, 17))


@pytest.fixture
def closing(database: Database, clock: FakeClock, settings: Settings, counting: Counting) -> Closing:
    house: Any = SimpleNamespace(database=database, clock=clock, settings=settings)
    return Closing(house, counting)


def ratings(world: World, good: int, bad: int, day: str = "2026-03-17", **values: Any) -> None:
    version = world.versions.get("case_service") or world.version("case_service", DEFINITION)
    for number in range(good + bad):
        world.survey(version, f"{day} 15:00", {"satisfaction": rated(5 if number < good else 1)}, unit="市医保局", **values)


def test_a_past_day_is_counted_again_only_when_something_changed(
    world: World, counting: Counting, reads: StatisticsReads, database: Database
) -> None:
    ratings(world, 3, 0)
    assert counting.refresh() == len(PARTS)
    assert counting.wanting(TUESDAY, "surveys") == []
    # A change without a mark is not seen (the night's count will), one with a mark is.
    late = world.survey(world.versions["case_service"], "2026-03-17 16:00", {"satisfaction": rated(1)})
    assert counting.refresh() == 0
    assert reads.answers(Filter(TUESDAY), "satisfaction").count == 3
    handlers = StatisticsHandlers(database, counting, lambda: None)
    handlers.on_survey_answered(SurveyAnswered(survey_id=late, question_key="satisfaction"))
    assert counting.wanting(TUESDAY, "surveys") == [TUESDAY.first]
    assert counting.wanting(TUESDAY, "calls") == []
    assert counting.ensure(TUESDAY) == 0
    assert reads.answers(Filter(TUESDAY), "satisfaction").count == 4


def test_a_callback_reached_days_later_counts_where_it_was_owed(
    world: World, counting: Counting, reads: StatisticsReads, database: Database
) -> None:
    callback_id = world.callback("2026-03-16 09:00", state="owed", promised_by="2026-03-17 18:00")
    counting.refresh()
    monday = Filter(Span(date(2026, 3, 16), date(2026, 3, 16)))
    assert reads.callbacks(monday).contacted == 0
    with database.transaction() as session:
        session.execute(text("UPDATE callback SET state = 'done', contacted_at = :at"), {"at": at("2026-03-17 17:00")})
    StatisticsHandlers(database, counting, lambda: None).on_callback_completed(
        CallbackCompleted(callback_id=callback_id, state="done", disposition="completed")
    )
    counting.refresh()
    assert reads.callbacks(monday).contacted == 1
    assert reads.callbacks(Filter(TUESDAY)).in_time == 1


def test_other_rules_count_anew(
    world: World, database: Database, clock: FakeClock, counting: Counting, reads: StatisticsReads
) -> None:
    world.call("2026-03-17 10:00", wait=7, outcome="abandoned")
    counting.refresh()
    assert reads.calls(Filter(TUESDAY)).abandoned == 1
    lenient = Counting(database, clock, Settings(_env_file=None, short_abandon_seconds=10))  # type: ignore[call-arg]
    assert lenient.wanting(TUESDAY, "calls") == [TUESDAY.first]
    lenient.refresh()
    assert reads.calls(Filter(TUESDAY)).abandoned == 0
    assert reads.calls(Filter(TUESDAY)).short_abandoned == 1


def test_the_present_day_is_never_taken_for_done(
    world: World, counting: Counting, clock: FakeClock, reads: StatisticsReads
) -> None:
    today = Span(date(2026, 3, 18), date(2026, 3, 18))
    world.call("2026-03-18 09:00", wait=5, talk=10)
    counting.ensure(today)
    clock.advance(24 * 3600)
    # What came after we last counted, before midnight:
    world.call("2026-03-18 20:00", wait=5, talk=10)
    assert counting.wanting(today, "calls") == [today.first]
    counting.ensure(today)
    assert reads.calls(Filter(today)).answered == 2
    assert counting.wanting(today, "calls") == []


def test_months_are_summed_and_say_the_same_as_days(
    world: World, counting: Counting, reads: StatisticsReads, database: Database
) -> None:
    ratings(world, 5, 2, day="2026-01-05")
    ratings(world, 4, 1, day="2026-02-10")
    ratings(world, 1, 1, day="2026-03-02")
    world.callback("2026-02-10 09:00", state="done", contacted_at="2026-02-10 10:00")
    span = Filter(Span(date(2026, 1, 1), date(2026, 3, 17)))
    counting.refresh()
    with database.transaction() as session:
        months = session.execute(text("SELECT count(*) FROM statistics_month")).scalar()
    assert months == 4  # January and February, callbacks and surveys
    summed = reads.answers(span, "satisfaction"), reads.callbacks(span), reads.surveys(span)
    assert summed[0].count == 14
    with database.transaction() as session:
        session.execute(text("DELETE FROM statistics_month"))
    assert (reads.answers(span, "satisfaction"), reads.callbacks(span), reads.surveys(span)) == summed
    # Counting a day of February anew takes its month's sum away until the worker makes it again.
    counting.refresh()
    ratings(world, 1, 0, day="2026-02-11")
    counting.count(Span(date(2026, 2, 11), date(2026, 2, 11)), "surveys")
    assert reads.answers(span, "satisfaction").count == 15
    counting.refresh()
    assert reads.answers(span, "satisfaction").count == 15


def test_too_many_uncounted_days_are_left_to_the_worker_and_said(world: World, counting: Counting, manager: Browser) -> None:
    ratings(world, 5, 0, day="2026-03-01")
    ratings(world, 5, 0)
    page = manager.get("/statistics/").get_data(as_text=True)
    assert "天还在汇总" in page
    counting.refresh()
    assert "天还在汇总" not in manager.get("/statistics/?compare=none").get_data(as_text=True)


def test_closed_periods_are_frozen_and_corrected(
    world: World, counting: Counting, database: Database, settings: Settings, clock: FakeClock, manager: Browser
) -> None:
    ratings(world, 40, 10)
    world.call("2026-03-17 10:00", wait=10, talk=60)
    counting.refresh()
    periods = Periods(database, settings, counting)
    assert periods.freeze(clock.now()) == 1  # the day; neither week nor month of anything is over
    assert periods.freeze(clock.now()) == 0
    assert periods.check(clock.now()) == 0
    with database.transaction() as session:
        session.execute(
            text("UPDATE survey SET withdrawn_at = now() WHERE id IN (SELECT survey_id FROM answer WHERE score = 1 LIMIT 4)")
        )
    counting.count(TUESDAY, "surveys")
    assert periods.check(clock.now()) == 1
    assert periods.check(clock.now()) == 0
    (frozen,) = periods.frozen("day")
    assert frozen.figures["satisfaction"] == {"part": 40, "whole": 50, "value": 0.8, "low": 0.669629, "high": 0.887562}
    correction = next(one for one in frozen.corrections if one["measure"] == "satisfaction")
    assert correction["present"] == {"part": 40, "whole": 46, "value": 0.869565, "low": 0.743341, "high": 0.938822}
    assert correction["why"] == {"kind": "withdrawn", "count": 4}
    page = manager.get("/statistics/reports").get_data(as_text=True)
    assert "冻结 80.0%，现为 87.0%" in page
    assert "4 份答卷被撤回" in page


def test_what_is_only_known_later_is_frozen_later(
    world: World, counting: Counting, database: Database, settings: Settings, clock: FakeClock, manager: Browser
) -> None:
    world.callback("2026-03-17 09:00", state="owed", promised_by="2026-03-17 18:00")
    counting.refresh()
    periods = Periods(database, settings, counting)
    periods.freeze(clock.now())
    (tuesday,) = periods.frozen("day")
    assert set(tuesday.figures) == {measure.key for measure in MEASURES} - set(SLOW) | {"late", "withdrawn"}
    assert tuesday.figures["response_rate"]["part"] == 0  # the promise of that day was broken for good
    assert tuesday.figures["response_rate"]["whole"] == 1
    assert "待冻结" in manager.get("/statistics/reports").get_data(as_text=True)
    # Three days later the citizen was reached after all.
    with database.transaction() as session:
        session.execute(text("UPDATE callback SET state = 'done', contacted_at = :at"), {"at": at("2026-03-20 10:00")})
    counting.mark([TUESDAY.first], "callbacks")
    counting.count(TUESDAY, "callbacks")
    clock.advance(timedelta(days=19).total_seconds())
    counting.refresh()
    periods.freeze(clock.now())  # 6 April
    assert set(SLOW) & set(frozen_on(periods, TUESDAY).figures) == set()
    clock.advance(timedelta(days=1).total_seconds())
    periods.freeze(clock.now())  # 21 days after the 17th
    assert frozen_on(periods, TUESDAY).figures["contact_rate"]["value"] == 1.0
    assert periods.check(clock.now()) == 0
    manager.log_in("manager", "Hotline-2026")
    definitions = manager.get("/statistics/definitions").get_data(as_text=True)
    assert "首次解决率、接触率、拒访率、问卷应答率在期末 21 天后冻结" in definitions


def frozen_on(periods: Periods, span: Span) -> FrozenPeriod:
    return next(one for one in periods.frozen("day") if one.span == span)


def test_a_day_last_counted_too_early_is_counted_again_however_long_nobody_did(
    world: World, counting: Counting, reads: StatisticsReads, clock: FakeClock, closing: Closing
) -> None:
    world.call("2026-03-17 10:00", wait=5, talk=60, caller="13800000001", disposition="即时答复")
    counting.refresh()
    assert reads.calls(Filter(TUESDAY)).followed == 0  # who rings again is not known yet
    clock.advance(timedelta(days=40).total_seconds())  # and for forty days no worker ran
    closing.run()
    assert (reads.calls(Filter(TUESDAY)).followed, reads.calls(Filter(TUESDAY)).resolved) == (1, 1)
    counted = counting_moments(world.database)
    clock.advance(timedelta(days=1).total_seconds())
    counting.recount(9)
    # Once it was counted long enough after, a day is left alone.
    assert counting_moments(world.database)[TUESDAY.first] == counted[TUESDAY.first]


def counting_moments(database: Database) -> dict[date, datetime]:
    with database.transaction() as session:
        return {
            row.day: row.built_at for row in session.execute(text("SELECT day, built_at FROM statistics_day WHERE part = 'calls'"))
        }


def test_without_a_printer_the_workbook_is_there_all_the_same(
    world: World, closing: Closing, manager: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_prints(_context: dict[str, Any]) -> bytes:
        raise PrintingUnavailableError("no Pango")

    monkeypatch.setattr("webui.statistics.closing.overview_pdf", nothing_prints)
    ratings(world, 36, 4)
    closing.run()
    page = manager.get("/statistics/reports").get_data(as_text=True)
    assert "PDF 未生成" in page
    (report_id,) = set(re.findall(r"/statistics/reports/([0-9a-f-]{36})\.xlsx", page))
    assert manager.get(f"/statistics/reports/{report_id}.xlsx").status_code == 200
    assert manager.get(f"/statistics/reports/{report_id}.pdf").status_code == 404


def test_reports_are_made_once_and_can_be_taken_away(
    world: World, closing: Closing, database: Database, settings: Settings, manager: Browser
) -> None:
    ratings(world, 36, 4)
    world.survey(world.versions["case_service"], "2026-03-17 15:00", {"satisfaction": rated(5)}, unit='=cmd|"/c calc"!A1')
    world.call("2026-03-17 10:00", wait=10, talk=60, category="+1-800", disposition="即时答复")
    closing.run()
    closing.run()
    reports = Reports(database, settings.reports, settings.report_keep_days).made()
    assert [report.kind for report in reports] == ["daily"]
    title, excel = Reports(database, settings.reports, 1).file(reports[0].report_id, "xlsx")
    assert "日报" in title
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(excel))
    assert sheets.sheet_names == ["概览", "三率", "走势", "三率走势", "单位比较", "热点事项", "口径"]
    units = sheets.get_sheet_by_name("单位比较").to_python()
    assert any("'=cmd|" in str(cell) for row in units for cell in row)
    assert not any(str(cell).startswith(("=", "+", "-", "@")) for row in units for cell in row)
    with zipfile.ZipFile(io.BytesIO(excel)) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/"))
    answer = manager.get(f"/statistics/reports/{reports[0].report_id}.pdf")
    assert answer.mimetype == "application/pdf"
    words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
    assert "云川市政务服务便民热线统计日报" in words
    assert "90.2" in words  # 37 of 41
    assert "承诺时限内联系到市民的回访 ÷ 承诺时限到期的回访" in words.replace("\n", "")
    page = manager.get("/statistics/reports").get_data(as_text=True)
    assert title in page


def test_export_of_the_present_view(world: World, manager: Browser, database: Database) -> None:
    ratings(world, 36, 4)
    answer = manager.get("/statistics/export/xlsx?unit=市医保局")
    assert answer.status_code == 200
    cover = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_name("概览").to_python()
    assert any("单位：市医保局" in str(cell) for row in cover for cell in row)
    assert manager.get("/statistics/export/pdf").data.startswith(b"%PDF")
    assert manager.get("/statistics/export/doc").status_code == 404
    with database.transaction() as session:
        acts = session.execute(text("SELECT count(*) FROM audit_entry WHERE action = 'statistics.exported'")).scalar()
    assert acts == 2


def test_a_poor_result_opens_an_item_that_is_measured_again(
    world: World, database: Database, settings: Settings, clock: FakeClock, manager: Browser
) -> None:
    place = {"matter": "居民医保补缴", "window": "3 号窗口"}
    ratings(world, 20, 20, **place)  # 50 % (35–65): far below 90 %
    ratings(world, 38, 2, matter="居住证签注", window="5 号窗口")  # 95 %
    ratings(world, 0, 20, matter="新生儿落户", window="6 号窗口")  # bad, but too few to say
    for _number in range(40):  # asked as another kind: no rating
        scale = {"satisfaction": ("scale", 1, 1.0)}
        world.survey(
            world.versions["case_service"], "2026-03-17 15:00", scale, unit="市医保局", matter="居住证签注", window="7 号窗口"
        )
    items = Improvements(database, settings)
    assert items.open_poor_results(clock.now()) == 1
    assert items.open_poor_results(clock.now()) == 0
    (item,) = items.items()
    assert (item.place.matter, item.place.window, item.state) == ("居民医保补缴", "3 号窗口", "open")
    assert (item.before["part"], item.before["whole"]) == (20, 40)
    assert item.deadline_on == date(2026, 4, 17)
    path = f"/statistics/improvements/{item.item_id}"
    assert "居民医保补缴" in manager.get("/statistics/improvements").get_data(as_text=True)
    assert manager.post(path, data={"owner": "王科长", "deadline_on": "2026-03-30", "note": "加开一个窗口"}).status_code == 302
    assert manager.post(path, data={"owner": "王科长", "deadline_on": "昨天", "note": ""}).status_code == 400
    assert manager.post(path, data={"owner": "王科长", "deadline_on": "2020-01-01", "note": ""}).status_code == 400
    assert "加开一个窗口" in manager.get(path).get_data(as_text=True)
    assert manager.post(f"{path}/close").status_code == 302
    assert manager.post(path, data={"owner": "x", "deadline_on": "2026-03-30", "note": ""}).status_code == 409
    assert items.measure_again(clock.now()) == 0  # its days of proof are not over
    clock.advance(timedelta(days=31).total_seconds())
    assert items.measure_again(clock.now()) == 0  # nobody rated yet
    ratings(world, 35, 1, day="2026-04-05", **place)
    assert items.measure_again(clock.now()) == 1
    found = items.get(item.item_id)
    assert found.state == "improved"
    assert found.after is not None
    assert (found.after["part"], found.after["whole"]) == (35, 36)
    assert [step["what"] for step in found.story] == ["opened", "edited", "closed", "improved"]
    manager.log_in("manager", "Hotline-2026")  # a log-in does not last a month
    assert "复测：已改善" in manager.get(path).get_data(as_text=True)


def test_who_may_not_manage_items_may_not_close_them(
    world: World, database: Database, settings: Settings, clock: FakeClock, app: Any
) -> None:
    ratings(world, 20, 20)
    items = Improvements(database, settings)
    assert items.open_poor_results(clock.now()) == 1  # the unit as a whole: no matter was known
    (item,) = items.items()
    client = app.test_client()
    client.log_in("supervisor", "Hotline-2026")
    assert client.get(f"/statistics/improvements/{item.item_id}").status_code == 200
    assert client.post(f"/statistics/improvements/{item.item_id}/close").status_code == 403
