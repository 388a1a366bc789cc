"""What other stages ask about single callbacks; `listing` answers the pages' larger questions."""

import uuid

from sqlalchemy import select

from callback.door import Door, UnknownCallbackError
from callback.models import Callback, CallbackAttempt
from callback.views import AttemptView, CallbackView, attempt_view, callback_view


class CallbackReads:
    """Reads, and changes nothing."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def get(self, callback_id: uuid.UUID) -> CallbackView:
        """Return one callback."""
        with self._door.database.transaction() as session:
            row = session.get(Callback, callback_id)
            if row is None:
                raise UnknownCallbackError(callback_id)
            return callback_view(row)

    def attempts(self, callback_id: uuid.UUID) -> list[AttemptView]:
        """Return its attempts, oldest first."""
        query = select(CallbackAttempt).where(CallbackAttempt.callback_id == callback_id).order_by(CallbackAttempt.attempt_no)
        with self._door.database.transaction() as session:
            return [attempt_view(row) for row in session.scalars(query)]

    def of_call(self, call_id: uuid.UUID) -> list[CallbackView]:
        """Return what a call led to."""
        query = select(Callback).where(Callback.call_id == call_id).order_by(Callback.created_at)
        with self._door.database.transaction() as session:
            return [callback_view(row) for row in session.scalars(query)]

    def of_case(self, case_id: uuid.UUID) -> list[CallbackView]:
        """Return what a case led to."""
        query = select(Callback).where(Callback.case_id == case_id).order_by(Callback.created_at)
        with self._door.database.transaction() as session:
            return [callback_view(row) for row in session.scalars(query)]
