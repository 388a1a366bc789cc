"""What callback tells the later stages."""

import uuid

from core.outbox import Event


class CallbackOwed(Event):
    """A call is owed."""

    callback_id: uuid.UUID


class CallbackAttempted(Event):
    """An attempt got its disposition."""

    callback_id: uuid.UUID
    attempt_id: uuid.UUID
    disposition: str


class CallbackCompleted(Event):
    """Nothing more is owed: done, given up or cancelled."""

    callback_id: uuid.UUID
    state: str
    disposition: str


class MessageDue(Event):
    """An attempt is to be made by a text message: survey makes the link and has it sent under the attempt's id."""

    callback_id: uuid.UUID
    attempt_id: uuid.UUID
