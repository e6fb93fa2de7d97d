"""The ledger of one workspace: write, read, prove, export."""

import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from trustplane.kernel.ledger.events import Entry, Event
from trustplane.kernel.ledger.journal import Companion, Journal
from trustplane.kernel.ledger.notes import Checkpoint, Signer, Vkey
from trustplane.kernel.ledger.proofs import encode_receipt, make_receipt
from trustplane.kernel.ledger.records import Leaf, decode_leaf, open_commitment
from trustplane.kernel.ledger.sequencer import Sequencer, not_ready
from trustplane.kernel.ledger.tables import LedgerCheckpoint, LedgerEvent
from trustplane.kernel.ledger.tiles import WIDTH, FolderTiles, TileHashes, bundle_path, read_entries, tile_path
from trustplane.kernel.ledger.writing import insert_entries
from trustplane.kernel.store.engine import Database
from trustplane.values.clock import Clock
from trustplane.values.errors import NotFound, nearest

RECEIPT_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the ledger holds it. ``payload`` is None once erased; ``position`` until it is in the tree."""

    leaf: Leaf
    position: int | None
    payload: dict[str, Any] | None


class Ledger:
    """What stages and the door write to and read from."""

    def __init__(self, database: Database, folder: Path, signer: Signer, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database = database
        self.folder = folder
        self.tiles = FolderTiles(folder)
        self.vkey: Vkey = signer.vkey
        self.sequencer = Sequencer(database, self.tiles, folder, signer, clock)
        self.journal = Journal(database, self.sequencer.nudge)

    def start(self) -> None:
        """Publish the verifier key and integrate in the background."""
        self.tiles.write("log.vkey", f"{self.vkey}\n".encode())
        self.sequencer.start()

    def close(self) -> None:
        """Make durable what is queued, take it into the tree, and stop."""
        self.journal.close()
        self.sequencer.close()
        self.sequencer.integrate()

    # --- writing

    def insert(self, connection: Connection, events: Sequence[Event]) -> None:
        """Insert events in the caller's transaction; call ``sequencer.nudge`` once it has committed."""
        insert_entries(connection, [Entry.of(e) for e in events])

    def append(self, event: Event, companions: tuple[Companion, ...] = ()) -> None:
        """Write an event that comes without a change of state; return when it is durable."""
        self.journal.append_blocking(Entry.of(event), companions)

    # --- reading

    def get(self, event_id: str) -> Recorded:
        """The event with this id, its commitment opened and checked; raise :class:`NotFound` or :class:`Tampered`."""
        with self._database.read() as session:
            row = session.get(LedgerEvent, event_id)
            if row is None:
                raise NotFound("TP-LEDGER-023", f"there is no event {event_id[:64]!r}")
            return _recorded(row)

    def feed(self, *, before: str | None = None, resource: str | None = None, limit: int = 50) -> list[Recorded]:
        """Events, the newest first; ``before`` is the id that the last page ended with."""
        query = select(LedgerEvent).order_by(LedgerEvent.id.desc()).limit(limit)
        if before is not None:
            query = query.where(LedgerEvent.id < before)
        if resource is not None:
            query = query.where(LedgerEvent.resource == resource)
        with self._database.read() as session:
            return [_recorded(row) for row in session.scalars(query)]

    def checkpoint(self) -> LedgerCheckpoint | None:
        """The newest signed checkpoint."""
        with self._database.read() as session:
            return session.scalar(select(LedgerCheckpoint).order_by(LedgerCheckpoint.size.desc()).limit(1))

    def waiting(self) -> int:
        """How many durable events are not in the signed tree yet."""
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(LedgerEvent)) or 0
            return total - (session.scalar(select(func.max(LedgerCheckpoint.size))) or 0)

    # --- proving

    def receipt(self, event_id: str, wait: float = RECEIPT_WAIT) -> str:
        """The ``tlog-proof`` of an event. Takes the event into the tree if it is not there yet, or waits for the one who does."""
        deadline = time.monotonic() + wait
        while True:
            with self._database.read() as session:
                row = session.get(LedgerEvent, event_id)
                if row is None:
                    raise NotFound("TP-LEDGER-023", f"there is no event {event_id[:64]!r}", why=nearest(event_id, ()))
                newest = session.scalar(select(LedgerCheckpoint).order_by(LedgerCheckpoint.size.desc()).limit(1))
            if row.position is not None and newest is not None and row.position < newest.size:
                checkpoint = Checkpoint(self.vkey.name, newest.size, bytes.fromhex(newest.root))
                return encode_receipt(
                    make_receipt(row.leaf, row.position, checkpoint, newest.note, TileHashes(self.tiles, newest.size))
                )
            if time.monotonic() > deadline:
                raise not_ready(event_id)
            if self.sequencer.integrate() is None:
                time.sleep(0.02)

    def export(self, target: Path) -> int:
        """Write the log as a folder that ``tools/verify_log.py`` and any tlog-tiles reader verify; return its size."""
        self.sequencer.integrate()
        newest = self.checkpoint()
        size = 0 if newest is None else newest.size
        out = FolderTiles(target)
        for path in _paths(size):
            data = self.tiles.read(path)
            if data is not None:
                out.write(path, data)
        with (target / "payloads.jsonl").open("wb") as file:
            for row in self._payloads(size):
                file.write(msgspec.json.encode(row) + b"\n")
        out.write("log.vkey", f"{self.vkey}\n".encode())
        if newest is not None:
            out.write("checkpoint", newest.note.encode())
        return size

    def _payloads(self, size: int) -> Iterator[dict[str, Any]]:
        with self._database.read() as session:
            query = (
                select(LedgerEvent.position, LedgerEvent.payload, LedgerEvent.salt)
                .where(LedgerEvent.position < size, LedgerEvent.payload.is_not(None))
                .order_by(LedgerEvent.position)
                .execution_options(yield_per=4096)
            )
            for position, payload, salt in session.execute(query):
                if payload is not None and salt is not None:
                    yield {"index": position, "payload": b64encode(payload).decode(), "salt": b64encode(salt).decode()}

    def entries(self, size: int) -> Iterator[bytes]:
        """The entries of the published tree, from its bundles."""
        return read_entries(self.tiles, size)


def _recorded(row: LedgerEvent) -> Recorded:
    if row.payload is None or row.salt is None:
        return Recorded(decode_leaf(row.leaf), row.position, None)
    leaf = open_commitment(row.leaf, row.payload, row.salt)
    return Recorded(leaf, row.position, msgspec.json.decode(row.payload))


def _paths(size: int) -> Iterator[str]:
    """Every tile and bundle of the tree of ``size`` leaves."""
    level, count = 0, size
    while count:
        for index in range(count // WIDTH):
            yield tile_path(level, index)
            if level == 0:
                yield bundle_path(index)
        if count % WIDTH:
            yield tile_path(level, count // WIDTH, count % WIDTH)
            if level == 0:
                yield bundle_path(count // WIDTH, count % WIDTH)
        level, count = level + 1, count // WIDTH
