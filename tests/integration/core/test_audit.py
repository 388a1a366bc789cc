"""The audit cannot be rewritten, and shows it when someone with the database's own rights did."""

import pytest
from sqlalchemy import text

from core import audit
from core.database import Database, RowConflictError


def test_rows_cannot_be_changed_and_a_forced_change_is_found(database: Database) -> None:
    with database.transaction() as session:
        for number in range(3):
            audit.record(session, "admin", "phone.reveal", f"call:{number}", {"reason": "核对"})
    with database.transaction() as session:
        assert audit.verify(session) is None
    with pytest.raises(RowConflictError), database.transaction() as session:
        session.execute(text("UPDATE audit_entry SET actor = 'nobody' WHERE id = 2"))
    with database.transaction() as session:
        assert audit.verify(session) is None
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only"))
        session.execute(text("UPDATE audit_entry SET actor = 'nobody' WHERE id = 2"))
    with database.transaction() as session:
        assert audit.verify(session) == 2
