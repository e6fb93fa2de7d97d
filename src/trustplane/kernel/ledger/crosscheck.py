"""``ledger verify``: the audit of the log, and whether the database and the objects say the same as the log.

Beyond the rules of :mod:`trustplane.kernel.ledger.verification`:

1. Each entry of the tree has its event in the database, the same to the byte, and each payload opens its commitment or was erased.
2. The time of an event fits its id and the event before it.
3. Each governed row is the one that the last event about it recorded, and each row that events tell of is there.
4. Each encrypted object is there and is what its address says.
5. The tree continues every checkpoint that was ever signed, published, or seen by this verifier.

All is read in one snapshot of the database, so that work may go on; nothing is written to it.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.orm import Session

from trustplane.kernel.ledger import seen
from trustplane.kernel.ledger.divergence import Divergence, Kind
from trustplane.kernel.ledger.merkle import EMPTY_ROOT
from trustplane.kernel.ledger.notes import open_checkpoint
from trustplane.kernel.ledger.records import decode_leaf
from trustplane.kernel.ledger.tables import LedgerCheckpoint, LedgerEvent
from trustplane.kernel.ledger.tiles import WIDTH, read_entries
from trustplane.kernel.ledger.trail import LISTED, Findings, Row, Trail
from trustplane.kernel.ledger.verification import DETAIL, Logged, Report, audit
from trustplane.kernel.plugins import load_tables
from trustplane.kernel.store.base import Base, Governed, row_digest, row_key
from trustplane.kernel.vault.blobs import BlobStore
from trustplane.kernel.vault.tables import VaultBlob
from trustplane.values.digests import parse_digest
from trustplane.values.errors import BadInput, NotFound, Tampered

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

Progress = Callable[[str, int], None]
"""Told the phase (``events``, ``rows``, ``objects``) and how many are done."""
_PAGE = 2048
_COLUMNS = tuple(getattr(LedgerEvent, name) for name in Row._fields)


def verify(plane: "Plane", seen_file: Path | None = None, progress: Progress | None = None) -> Report:
    """Audit the log of ``plane`` and compare database and objects with it.

    ``seen_file`` is where this verifier keeps the checkpoints that held (:mod:`~trustplane.kernel.ledger.seen`); the newest is added
    to it if nothing is wrong.
    """
    load_tables()
    tell = progress or (lambda _phase, _done: None)
    earlier = [] if seen_file is None else seen.load(seen_file)
    published = plane.ledger.tiles.read("checkpoint")  # before the snapshot, so that it is never newer than that
    found = Findings()
    with _snapshot(plane) as session:
        newest = session.scalar(select(LedgerCheckpoint).order_by(LedgerCheckpoint.size.desc()).limit(1))
        trail = Trail(found)
        report = _audit(plane, session, newest, [*earlier, *_published(plane, published, newest, found)], trail, tell)
        _judge_rows(session, trail, tell)
        figures = {"events": trail.events, "erased": trail.erased, "rows": trail.rows, "unknowable": trail.unknowable}
        figures["waiting"] = trail.events - report.size
        figures |= _judge_objects(plane, session, found, tell)
    whole = Report(report.size, report.root, (*report.discrepancies, *found.listed), figures)
    if seen_file is not None and newest is not None and not whole.discrepancies:
        seen.save(seen_file, newest.note)
    return whole


@contextmanager
def _snapshot(plane: "Plane") -> Iterator[Session]:
    """A session that sees one state of the database throughout, as a transaction of SQLite does in any case."""
    with plane.database.read() as session:
        if plane.database.kind == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


# --- the log


def _audit(
    plane: "Plane",
    session: Session,
    newest: LedgerCheckpoint | None,
    saved: Iterable[str],
    trail: Trail,
    tell: Progress,
) -> Report:
    """Audit the tree, compare the events with its entries, and let ``trail`` take every event."""
    found, rows = trail.found, _Rows(_events(session, tell))
    report = Report(0, EMPTY_ROOT, ())
    if newest is not None:
        divergence = Divergence()
        entries = _compared(read_entries(plane.ledger.tiles, newest.size), rows, trail, divergence)
        notes = (*saved, *_signed(session, found))
        report = audit(entries, plane.ledger.tiles, newest.note, (plane.ledger.vkey,), notes)
        _name_divergence(divergence, trail)
    for row in rows:
        if row.position is not None and row.position > trail.events:
            found.add(Kind.REMOVED, trail.events, f"no event in the database has the position {trail.events}")
            trail.lose(row.position - trail.events)
        trail.take(row, sound=True)
    return report


def _events(session: Session, tell: Progress) -> Iterator[Row]:
    """Every event: in the order of the tree, and then those that have no position yet as the sequencer will put them there."""
    placed = select(*_COLUMNS).where(LedgerEvent.position.is_not(None)).order_by(LedgerEvent.position)
    waiting = select(*_COLUMNS).where(LedgerEvent.position.is_(None))
    done = 0
    in_tree = (Row(*cells) for cells in session.execute(placed.execution_options(yield_per=_PAGE)))
    for row in chain(in_tree, _by_time(session.execute(waiting).all())):
        yield row
        done += 1
        if done % _PAGE == 0:
            tell("events", done)
    tell("events", done)


def _by_time(waiting: Iterable[Any]) -> list[Row]:
    """Events in the order of their times, which is that of their changes; at most those of about a second.

    One whose record cannot be read comes first: what it may have changed is told apart from what the others say.
    """

    def key(row: Row) -> tuple[str, str]:
        try:
            return decode_leaf(row.leaf).time, row.id
        except Tampered:
            return "", row.id

    return sorted((Row(*cells) for cells in waiting), key=key)


class _Rows:
    """Events in order, of which the next can be looked for by position."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next: Row | None = None

    def __iter__(self) -> Iterator[Row]:
        if self._next is not None:
            yield self._next
            self._next = None
        yield from self._rows

    def at(self, position: int) -> Row | None:
        """The event at ``position``, which is asked for in rising order; None if there is none."""
        if self._next is None:
            self._next = next(self._rows, None)
        if self._next is None or self._next.position != position:
            return None
        row, self._next = self._next, None
        return row


def _compared(entries: Iterator[bytes], rows: _Rows, trail: Trail, divergence: Divergence) -> Iterator[Logged]:
    """The entries of the tree for the audit; on the way each is compared with its event, which ``trail`` takes."""
    held, signed = list[bytes](), list[bytes]()
    try:
        for index, entry in enumerate(entries):
            row = rows.at(index)
            if row is None:
                trail.found.add(Kind.REMOVED, index, "the tree holds the event, and the database does not")
                trail.lose()
            else:
                trail.take(row, sound=row.leaf == entry)
                if row.leaf != entry and len(trail.changed) < LISTED:
                    trail.changed.append(index)
            held.append(entry if row is None else row.leaf)
            signed.append(entry)
            if len(held) == WIDTH:
                divergence.feed(held, signed)
                held, signed = [], []
            yield Logged(entry)
    finally:  # also where a bundle is damaged and no more entries can be read
        divergence.feed(held, signed)


def _name_divergence(divergence: Divergence, trail: Trail) -> None:
    """Say what was done to the events in the database, where they are not those of the tree."""
    if divergence.index is None:
        return
    kind = divergence.kind()
    for index in trail.changed if kind is Kind.CHANGED else (divergence.index,):
        trail.found.add(kind, index, f"in the database, {DETAIL[kind]}", "ledger_events")


def _signed(session: Session, found: Findings) -> Iterator[str]:
    """The note of every checkpoint that was ever signed; names those whose row says something else."""
    for row in session.scalars(
        select(LedgerCheckpoint).order_by(LedgerCheckpoint.size).execution_options(yield_per=_PAGE)
    ):
        yield row.note
        lines = row.note.split("\n")
        try:
            stated = [str(row.size), b64encode(bytes.fromhex(row.root)).decode()]
        except ValueError:
            stated = []
        if lines[1:3] != stated:
            found.add(Kind.CHANGED, None, "the row and its note differ", f"ledger_checkpoints:{row.size}")


def _published(plane: "Plane", data: bytes | None, newest: LedgerCheckpoint | None, found: Findings) -> tuple[str, ...]:
    """The published checkpoint, for it was seen by everybody; names it where it is none of this log."""
    if data is None:
        if newest is not None:
            found.add(Kind.BAD_TILE, None, "the published checkpoint is missing", "checkpoint")
        return ()
    note = data.decode("utf-8", "replace")
    try:
        open_checkpoint(note, (plane.ledger.vkey,))
    except (BadInput, Tampered) as error:
        found.add(Kind.WRONG_KEY, None, f"the published checkpoint: {error}", "checkpoint")
        return ()
    return (note,)


# --- the state


def _judge_rows(session: Session, trail: Trail, tell: Progress) -> None:
    for table in sorted(governed_tables(), key=lambda c: c.__tablename__):
        for key, digest in _digests(session, table):
            trail.judge(key, digest)
            if trail.rows % _PAGE == 0:
                tell("rows", trail.rows)
    tell("rows", trail.rows)
    trail.judge_rest()


def governed_tables() -> list[type[Base]]:
    """Every mapped class whose row changes are events."""
    mapped: list[type[Base]] = [mapper.class_ for mapper in Base.registry.mappers]
    return [table for table in mapped if issubclass(table, Governed)]


def _digests(session: Session, table: type[Base]) -> Iterator[tuple[str, str | None]]:
    """The key and digest of each row of a table; the digest is None where a cell holds what its column cannot."""
    key = inspect(table).primary_key
    done = 0
    try:
        for row in session.scalars(select(table).order_by(*key).execution_options(yield_per=_PAGE)):
            yield row_key(row), row_digest(row)
            done += 1
    except (ValueError, TypeError):
        for cells in session.execute(select(*key).order_by(*key).offset(done)).all():
            yield _digest_of(session, table, [column == cell for column, cell in zip(key, cells, strict=True)], cells)


def _digest_of(
    session: Session, table: type[Base], where: list[ColumnElement[bool]], cells: Iterable[object]
) -> tuple[str, str | None]:
    try:
        row = session.scalars(select(table).where(*where)).one()
        return row_key(row), row_digest(row)
    except (ValueError, TypeError):
        return f"{table.__tablename__}:{'/'.join(map(str, cells))}", None


# --- the objects


def _judge_objects(plane: "Plane", session: Session, found: Findings, tell: Progress) -> dict[str, int]:
    """Read each object whole and compare it with its address. Objects that no row names are only counted."""
    done = present = 0
    query = select(VaultBlob.digest, VaultBlob.subject).order_by(VaultBlob.digest)
    for address, subject in session.execute(query.execution_options(yield_per=_PAGE)):
        try:
            plane.blobs.verify(parse_digest(address))
            present += 1
        except NotFound as error:
            if _still_due(plane, address):
                found.add(Kind.OBJECT_MISSING, None, f"of {subject}: {error}", address)
        except Tampered as error:
            present += 1
            found.add(Kind.OBJECT_CHANGED, None, f"of {subject}: {error}", address)
        except ValueError:
            found.add(Kind.OBJECT_MISSING, None, f"of {subject}: the row names no address", f"vault_blobs:{address}")
        done += 1
        tell("objects", done)
    return {"objects": done, "strays": max(0, _count_objects(plane.blobs) - present)}


def _still_due(plane: "Plane", address: str) -> bool:
    """Whether the row is there now too: an erasure since the snapshot took the object away rightly."""
    with plane.database.read() as session:
        return session.scalar(select(VaultBlob.digest).where(VaultBlob.digest == address)) is not None


def _count_objects(blobs: BlobStore) -> int:
    """How many objects the store holds."""
    if "://" not in blobs.url:
        return sum(len(files) for _, _, files in os.walk(Path(blobs.url) / "sha256"))
    import obstore
    from obstore.store import from_url

    return sum(len(page) for page in obstore.list(from_url(blobs.url), "sha256"))
