"""How events reach the database: in the transaction of the state that they tell of, or by the journal's batches."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from trustplane.kernel.ledger.events import Entry
from trustplane.kernel.ledger.tables import LedgerEvent

CHUNK = 128
"""Rows of one statement on SQLite. The driver lets other threads run once for each statement, not for each row: with a row a
statement, a writer beside a busy thread waits for its turn again and again."""


@cache
def _statement(rows: int) -> str:
    places = ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows)
    return f"INSERT INTO ledger_events (id, position, resource, leaf, payload, salt) VALUES {places}"  # noqa: S608 - placeholders alone


def insert_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    """Insert ``entries`` in order.

    SQLite has one writer, which holds the write lock here, so the position in the tree is given at once. PostgreSQL commits several
    writers at a time in an order known only afterwards, so there the sequencer gives it.
    """
    dialect = connection.dialect.name
    if dialect == "sqlite":
        last = connection.exec_driver_sql("SELECT max(position) FROM ledger_events").scalar()
        first = 0 if last is None else last + 1
        for start in range(0, len(entries), CHUNK):
            chunk = entries[start : start + CHUNK]
            values: list[str | bytes | int] = []
            for position, e in enumerate(chunk, first + start):
                sealed = e.sealed
                values += (e.id, position, e.resource, sealed.leaf, sealed.payload, sealed.salt)
            connection.exec_driver_sql(_statement(len(chunk)), tuple(values))
    else:
        connection.execute(
            insert(LedgerEvent),
            [
                {
                    "id": e.id,
                    "position": None,
                    "resource": e.resource,
                    "leaf": e.sealed.leaf,
                    "payload": e.sealed.payload,
                    "salt": e.sealed.salt,
                }
                for e in entries
            ],
        )
