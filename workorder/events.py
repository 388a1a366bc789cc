"""What workorder tells the later stages."""

import uuid

from core.outbox import Event


class CaseClosed(Event):
    """An approval case was closed, or became known closed."""

    case_id: uuid.UUID


class SmsFinished(Event):
    """A text message was delivered, failed, or is parked as unknown. `reference` is what its sender called it."""

    message_id: uuid.UUID
    reference: str
    state: str
