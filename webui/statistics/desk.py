"""What every statistics page needs from the running program: the reads, the counting, the words, and the chosen conditions."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app, request
from flask_babel import gettext as _

from core.clock import local_date
from core.settings import Settings
from webui.house import House, current_house
from webui.statistics.counting import PARTS, SURVEYS, Counting, Span
from webui.statistics.definitions import Definitions
from webui.statistics.figures import Figures, read_figures, span_before, span_last_year
from webui.statistics.query import StatisticsQuery, read_query
from webui.statistics.questionnaires import QuestionnaireReads
from webui.statistics.reads import Filter, StatisticsReads
from webui.statistics.totals import SurveyTotals


@dataclass(frozen=True)
class Desk:
    """One request's view of the statistics."""

    house: House
    now: datetime
    query: StatisticsQuery
    wanted: Filter
    reads: StatisticsReads
    counting: Counting
    words: Definitions
    waiting_days: int
    earliest: date | None

    @property
    def settings(self) -> Settings:
        """The site's settings."""
        return self.house.settings

    @property
    def before(self) -> Filter | None:
        """The conditions on the days to compare with; None where part of these lie before anything was recorded."""
        match self.query.compare:
            case "previous":
                span = span_before(self.wanted.span)
            case "year":
                span = span_last_year(self.wanted.span)
            case _:
                return None
        return self.wanted.at(span) if self.earliest is not None and span.first >= self.earliest else None

    @property
    def compared(self) -> str:
        """环比 or 同比."""
        return str(_("同比")) if self.query.compare == "year" else str(_("环比"))

    def figures(self) -> tuple[Figures, Figures | None]:
        """Return the figures and those to compare with, the latter only where anything was counted then."""
        before = self.before
        now = read_figures(self.reads, self.wanted, self.now)
        return now, read_figures(self.reads, before, self.now) if before else None


def counting_of(house: House) -> Counting:
    """Return the process's own counting; it remembers when it last counted the present day."""
    known: Counting | None = current_app.extensions.get("statistics_counting")
    if known is None:
        known = Counting(house.database, house.clock, house.settings)
        current_app.extensions["statistics_counting"] = known
    return known


def surveys_by_version() -> dict[str, SurveyTotals]:
    """Return how many surveys each version of a questionnaire came to since the beginning, by the version's id."""
    house = current_house()
    counting = counting_of(house)
    first = counting.earliest()
    if first is None:
        return defaultdict(SurveyTotals)
    span = Span(first, local_date(house.clock.now()))
    counting.ensure(span, (SURVEYS,))
    return defaultdict(SurveyTotals, StatisticsReads(house.database).surveys_by(Filter(span, kind=""), "version_id"))


def current_desk(*, compares: bool = True) -> Desk:
    """Return the desk of this request, with good counts for its days."""
    house = current_house()
    now = house.clock.now()
    query = read_query(request.args, now)
    reads, counting = StatisticsReads(house.database), counting_of(house)
    versions: tuple[str, ...] = ()
    if query.texts["questionnaire"]:
        versions = QuestionnaireReads(house.database).versions_of(query.texts["questionnaire"])
    desk = Desk(house, now, query, query.filter(versions), reads, counting, Definitions(house.settings), 0, counting.earliest())
    waiting = counting.ensure(query.span, PARTS)
    if compares and desk.before:
        waiting += counting.ensure(desk.before.span, PARTS)
    return Desk(house, now, query, desk.wanted, reads, counting, desk.words, waiting, desk.earliest)
