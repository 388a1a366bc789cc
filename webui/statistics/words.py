"""How figures read on a page, in an export and in a report: one place for rounding, signs and dashes."""

from dataclasses import dataclass

from flask_babel import gettext as _

from webui.formats import NOTHING, duration
from webui.statistics import kpi
from webui.statistics.intervals import Interval, interval, is_shown
from webui.statistics.kpi import Ratio


def percent(value: float | None, digits: int = 1) -> str:
    """93.4, for a share of 0.934; a dash for nothing. Never rounds up to 100 what is not all."""
    if value is None:
        return NOTHING
    shown = f"{100 * value:.{digits}f}"
    if shown == f"{100:.{digits}f}" and value < 1:
        return f"{100 - 10**-digits:.{digits}f}"
    return shown


def percent_sign(value: float | None) -> str:
    """93.4%, or a dash."""
    return NOTHING if value is None else f"{percent(value)}%"


def count(value: float) -> str:
    """18,240; a weighted count is rounded."""
    return f"{round(value):,}"


def fraction(ratio: Ratio) -> str:
    """71,302 / 76,341."""
    return f"{count(ratio.part)} / {count(ratio.whole)}"


def span_words(span: Interval | None) -> str:
    """95.7–96.3%, or a dash."""
    return NOTHING if span is None else f"{percent(span.low)}–{percent(span.high)}%"


def interval_words(ratio: Ratio) -> str:
    """Return a rate's 95 % interval: 95.7–96.3%, or a dash."""
    return span_words(interval(ratio))


def signed(value: float, digits: int = 1) -> str:
    """+1.2 or −0.9, with a real minus."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return f"{0:.{digits}f}"
    return f"+{text}" if value > 0 else f"−{text}"


@dataclass(frozen=True)
class Change:
    """How a figure moved against the period it is compared with. `tone` is ok, bad or empty."""

    text: str = ""
    tone: str = ""


def change_of_ratio(now: Ratio, before: Ratio, better: str, word: str) -> Change:
    """Return the change in percentage points."""
    points = kpi.change_points(now, before)
    if points is None:
        return Change(_("%(word)s无数据", word=word))
    return Change(_("%(word)s %(value)s 点", word=word, value=signed(points)), tone(points, better, 0.05))


def change_of_seconds(now: float | None, before: float | None, better: str, word: str, *, as_clock: bool = False) -> Change:
    """Return the change in seconds."""
    if now is None or before is None:
        return Change(_("%(word)s无数据", word=word))
    if as_clock:
        shown = duration(abs(now - before))
        sign = "" if shown == "00:00" else "+" if now > before else "−"
        return Change(f"{word} {sign}{shown}", tone(now - before, better, 1))
    return Change(_("%(word)s %(value)s 秒", word=word, value=signed(now - before)), tone(now - before, better, 0.05))


def change_of_count(now: float, before: float) -> Change:
    """Return the change of a number as a share; a rise of a fifth and more is marked, for it asks for a look."""
    share = kpi.change_share(now, before)
    if share is None:
        return Change(NOTHING)
    return Change(f"{signed(100 * share, 0)}%", "bad" if share >= 0.2 and now >= 30 else "")


def tone(difference: float, better: str, least: float) -> str:
    """Say whether a change is good (ok), bad, or neither."""
    if not better or abs(difference) < least:
        return ""
    return "ok" if (difference > 0) == (better == "high") else "bad"


@dataclass(frozen=True)
class Rate:
    """A rate as it is drawn: value, interval, denominator, target; none of the first two below the least number of answers."""

    ratio: Ratio
    target: float | None = None
    least: int = 30

    @property
    def is_shown(self) -> bool:
        """Whether there are answers enough."""
        return is_shown(self.ratio, self.least)

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval, when the rate is shown."""
        return interval(self.ratio) if self.is_shown else None

    @property
    def value(self) -> str:
        """93.4, or a dash."""
        return percent(self.ratio.value) if self.is_shown else NOTHING

    @property
    def shown_percent(self) -> float | None:
        """The value in percent for a chart; nothing where there are too few answers."""
        return self.ratio.percent if self.is_shown else None

    @property
    def fraction(self) -> str:
        """Part and whole, and that there are too few where there are."""
        words = fraction(self.ratio)
        if self.is_shown or not self.ratio.whole:
            return words
        return str(_("%(fraction)s，不足 %(least)s 份，不计算比率", fraction=words, least=self.least))

    @property
    def span(self) -> str:
        """The interval in words."""
        return span_words(self.interval)

    @property
    def is_below_target(self) -> bool:
        """Whether even the interval's upper end misses the target: not by chance."""
        found = self.interval
        return found is not None and self.target is not None and 100 * found.high < self.target
