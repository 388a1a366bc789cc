"""What a site allows for text messages, out of its settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.settings import Settings
from workorder.sms_hours import QuietHours, read_quiet_hours


@dataclass(frozen=True, slots=True)
class SmsRules:
    """`daily_cap` counts parts, as the carrier bills them; 0 is no cap."""

    signature: str
    daily_cap: int
    quiet: QuietHours
    expires_after: timedelta
    has_gateway: bool

    @classmethod
    def of(cls, settings: Settings) -> SmsRules:
        """Return the rules of the site."""
        return cls(
            signature=settings.sms_signature,
            daily_cap=settings.sms_daily_cap,
            quiet=read_quiet_hours(settings.sms_quiet_hours),
            expires_after=timedelta(hours=settings.sms_expire_hours),
            has_gateway=settings.sms_gateway != "none",
        )
