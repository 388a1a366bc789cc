"""What every part of telephony's front door holds, and the rules that the site decided."""

from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clock
from core.database import Database
from core.settings import Settings
from telephony.ports import Switch


@dataclass(frozen=True)
class TelephonyRules:
    """What the site decided about calls and seats."""

    node: str
    wrapup: timedelta
    wrapup_extension: timedelta
    keep_days: int
    pause_reasons: tuple[str, ...]
    transfer_numbers: tuple[str, ...]
    trunk_lines: int = 30

    @classmethod
    def of(cls, settings: Settings) -> "TelephonyRules":
        """Return the rules that the settings give."""
        return cls(
            node=settings.node,
            wrapup=timedelta(seconds=settings.wrapup_seconds),
            wrapup_extension=timedelta(seconds=settings.wrapup_extension_seconds),
            keep_days=settings.recording_keep_days,
            pause_reasons=tuple(settings.pause_reasons),
            transfer_numbers=tuple(settings.hotline_numbers),
            # A site without a way out dials nobody.
            trunk_lines=settings.trunk_lines if settings.outbound_trunk else 0,
        )


class Door:
    """The parts share one database, clock and switch."""

    def __init__(self, database: Database, clock: Clock, switch: Switch, rules: TelephonyRules) -> None:
        self._database = database
        self._clock = clock
        self._switch = switch
        self._rules = rules
