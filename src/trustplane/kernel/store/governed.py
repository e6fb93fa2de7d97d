"""Collects the governed rows that a session changes, so that the operation's event can carry their digests."""

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, UOWTransaction

from trustplane.kernel.store.base import Base, Governed, row_digest, row_key

GONE = "gone"


class Changes:
    """Watches one session. ``digests()`` gives ``{table:key: digest}`` of every governed row it has written, ``gone`` for a deleted one.

    ``added`` are the rows that are new.
    """

    def __init__(self, session: Session) -> None:
        self._rows: dict[str, Base | None] = {}
        self.added: list[object] = []
        event.listen(session, "after_flush", self._collect)

    def _collect(self, session: Session, _context: UOWTransaction) -> None:
        for row in session.new:
            self.added.append(row)
            self._note(row)
        for row in session.dirty:
            if session.is_modified(row) and _touched(row):
                self._note(row)
        for row in session.deleted:
            if isinstance(row, Governed) and isinstance(row, Base):
                self._rows[row_key(row)] = None

    def _note(self, row: object) -> None:
        if isinstance(row, Governed) and isinstance(row, Base):
            self._rows[row_key(row)] = row

    def digests(self) -> dict[str, str]:
        """The digests of the changed rows, as they stand now."""
        return {key: GONE if row is None else row_digest(row) for key, row in sorted(self._rows.items())}


def _touched(row: object) -> bool:
    """Whether a changed row changed in a column that its digest covers."""
    if not isinstance(row, Governed):
        return False
    state = inspect(row)
    return any(attr.history.has_changes() for attr in state.attrs if attr.key not in row.__volatile__)
