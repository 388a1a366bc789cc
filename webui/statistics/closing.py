"""What is done every night once a day is over: count, freeze, compare, open and measure improvement items, make reports."""

from typing import Any

import structlog
from flask import Flask
from flask_babel import gettext as _

from core.clock import Clock
from core.database import Database
from core.settings import Settings
from webui import assets, formats, languages, paging
from webui.house import House
from webui.statistics.counting import Counting, Span
from webui.statistics.excel import overview_workbook
from webui.statistics.improvements import Improvements
from webui.statistics.pages import blueprint
from webui.statistics.periods import Periods
from webui.statistics.printing import PrintingUnavailableError, overview_pdf
from webui.statistics.report import kind_word, printed_context, report_desk
from webui.statistics.schedule import Files, Reports

log = structlog.get_logger()


class Closing:
    """Closes what is over. Doing it twice, or days late, changes nothing that was done."""

    def __init__(self, house: House, counting: Counting) -> None:
        self._house = house
        self._counting = counting
        self._settings: Settings = house.settings
        self._database: Database = house.database
        self._clock: Clock = house.clock

    def run(self) -> None:
        """Do all of it, in the order in which one needs the other."""
        now = self._clock.now()
        # Whether a caller rang again is known days later, and a note may be written the day after.
        self._counting.recount(self._settings.repeat_call_days + 2)
        self._counting.refresh()
        periods = Periods(self._database, self._settings, self._counting)
        frozen, corrected = periods.freeze(now), periods.check(now)
        items = Improvements(self._database, self._settings)
        opened, measured = items.open_poor_results(now), items.measure_again(now)
        made = self.make_reports()
        log.info("periods_closed", frozen=frozen, corrected=corrected, opened=opened, measured=measured, reports=made)

    def make_reports(self) -> int:
        """Make the reports that are due; return how many."""
        now = self._clock.now()
        earliest = self._counting.earliest()
        reports = Reports(self._database, self._settings.reports, self._settings.report_keep_days)
        reports.expire(now)
        if earliest is None:
            return 0
        due = reports.due(now, earliest)
        if not due:
            return 0
        # Templates and words come with a Flask application; this one answers no request.
        with _paper(self._house).test_request_context():
            return reports.make(due, self._make, now)

    def _make(self, kind: str, span: Span) -> Files:
        now = self._clock.now()
        name = f"{self._settings.city_name}{self._settings.hotline_name}"
        title = _("%(name)s统计%(kind)s（%(day)s）", name=name, kind=kind_word(kind), day=_day_words(kind, span))
        self._counting.refresh()
        context = printed_context(report_desk(self._house, self._counting, span, now), title, [])
        return Files(title, overview_workbook(context), _printed(context))


def _printed(context: dict[str, Any]) -> bytes:
    """Return the report on paper, or nothing where this machine cannot set pages: the workbook is there all the same."""
    try:
        return overview_pdf(context)
    except PrintingUnavailableError as error:
        log.warning("report_not_printed", error=str(error)[:200])
        return b""


def _day_words(kind: str, span: Span) -> str:
    if kind == "monthly":
        return f"{span.first:%Y-%m}"
    return f"{span.first:%Y-%m-%d}" if span.days == 1 else f"{span.first:%Y-%m-%d} – {span.last:%m-%d}"


def _paper(house: House) -> Flask:
    app = Flask("webui")
    app.extensions["house"] = house
    app.jinja_env.trim_blocks = True
    for part in (formats, paging):
        part.install(app)
    languages.install(app)
    assets.install(app, house.settings)
    app.register_blueprint(blueprint)
    return app
