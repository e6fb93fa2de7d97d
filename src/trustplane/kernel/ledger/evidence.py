"""Finding the events that state stands on."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.ledger.records import decode_leaf
from trustplane.kernel.ledger.tables import LedgerEvent


def events_about(session: Session, resource: str, action: str | None = None, outcome: str = "done") -> tuple[str, ...]:
    """The ids of events about a resource (``Type::id``), the oldest first, of one action where it is given."""
    found = []
    for event_id, leaf in session.execute(
        select(LedgerEvent.id, LedgerEvent.leaf).where(LedgerEvent.resource == resource).order_by(LedgerEvent.id)
    ):
        record = decode_leaf(leaf)
        if record.outcome == outcome and action in (None, record.action):
            found.append(event_id)
    return tuple(found)
