"""Puts the hall screen's figures together: today from the tables at each reading, closed days kept for some minutes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from core.clock import Clock, day_bounds, local_date, local_time
from core.database import Database
from core.settings import Settings
from webui.statistics import kpi
from webui.wallboard import reads
from webui.wallboard.figures import Callbacks, Live, Today, WallFigures, hot_topics, hours, operating_rate, reasons
from webui.wallboard.opinions import AnswerCount, satisfaction
from webui.wallboard.reads import CallbackCounts, HourCalls, LiveCounts

WINDOW_DAYS = 30
# What was said on closed days changes only by withdrawal: a few minutes later is soon enough.
_PAST_LASTS = timedelta(minutes=5)


@dataclass(frozen=True)
class _Past:
    """The closed days of the window, the last of them yesterday."""

    read_at: datetime
    today: date
    days: list[date]
    answers: list[AnswerCount]
    topics: Counter[str]
    reached: int
    owed: int


class WallReader:
    """Reads the figures. One for each process: it keeps what closed days came to."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._past: _Past | None = None

    def read(self) -> WallFigures:
        """Return the figures of this moment, read in one transaction."""
        now = self._clock.now()
        today = local_date(now)
        start, _end = day_bounds(today)
        hour = now.replace(minute=0, second=0, microsecond=0)
        target, short = self._settings.answer_target_seconds, self._settings.short_abandon_seconds
        after = now + timedelta(seconds=1)
        with self._database.transaction() as session:
            live = reads.live_counts(session)
            last_day = reads.calls_by_hour(session, hour - timedelta(days=1), after, target, short)
            answers = reads.answer_counts(session, start, after)
            topics = _by_topic(reads.topic_counts(session, start, after))
            callbacks = reads.callback_counts(session, start, after)
            past = self._closed_days(session, now, today)
        full_hours = [one for one in last_day if one.hour_at < hour]
        return WallFigures(
            at=now,
            live=_live(live, now),
            today=_today([one for one in last_day if one.hour_at >= start], local_time(now).hour),
            connect=operating_rate(kpi.connect_rate(sum(one.answered for one in full_hours), _offered(full_hours))),
            connect_target=self._settings.connect_rate_target,
            answer_target_seconds=target,
            satisfaction=satisfaction(past.answers, answers, past.days, counts_barely=self._settings.satisfaction_counts_barely),
            topics_today=hot_topics(topics),
            topics=hot_topics(past.topics),
            callbacks=_callbacks(callbacks, kpi.contact_rate(past.reached, past.owed)),
        )

    def _closed_days(self, session: Session, now: datetime, today: date) -> _Past:
        past = self._past
        if past is None or past.today != today or now - past.read_at > _PAST_LASTS:
            days = [today - timedelta(days=back) for back in range(WINDOW_DAYS, 0, -1)]
            since, until = day_bounds(days[0])[0], day_bounds(today)[0]
            reached, owed = reads.contact_counts(session, since, until)
            answers = reads.answer_counts(session, since, until)
            past = _Past(now, today, days, answers, _by_topic(reads.topic_counts(session, since, until)), reached, owed)
            self._past = past
        return past


def _live(counts: LiveCounts, now: datetime) -> Live:
    if not counts.is_known:
        return Live()
    waited = (now - counts.longest_since).total_seconds() if counts.longest_since else 0.0
    return Live(waiting=counts.waiting, longest_wait_seconds=max(0.0, round(waited, 1)), agents_on_duty=counts.on_duty)


def _today(calls: Sequence[HourCalls], hour: int) -> Today:
    answered = sum(one.answered for one in calls)
    speed = kpi.average_speed_of_answer(sum(one.waiting_seconds for one in calls), answered).value
    return Today(
        offered=_offered(calls),
        answered=answered,
        abandoned=sum(one.abandoned for one in calls),
        average_wait_seconds=None if speed is None else round(speed, 1),
        in_time=operating_rate(kpi.service_level(sum(one.in_time for one in calls), _offered(calls))),
        hours=hours({local_time(one.hour_at).hour: (one.answered, one.abandoned) for one in calls}, hour),
    )


def _offered(calls: Iterable[HourCalls]) -> int:
    return sum(kpi.offered(one.answered, one.abandoned, one.unserved) for one in calls)


def _callbacks(counts: CallbackCounts, contact: kpi.Ratio) -> Callbacks:
    return Callbacks(
        done_today=sum(done for _, done in counts.done_by_reason),
        due_now=counts.due,
        attempts_today=counts.attempts,
        missed_today=counts.missed,
        missed_settled=counts.missed_settled,
        reasons=reasons(counts.done_by_reason),
        contact=operating_rate(contact),
    )


def _by_topic(rows: Iterable[tuple[date, str, int]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for _, topic, count in rows:
        counts[topic] += count
    return counts
