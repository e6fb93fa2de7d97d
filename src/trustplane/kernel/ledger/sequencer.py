"""The sequencer: takes committed events into the tree, in order, and signs what it has taken.

Order of things, so that a crash at any point loses nothing and signs nothing twice: positions are committed, tiles written, the
checkpoint signed and committed, and only then published. Tiles are derived from the events; after a crash they are written again from
the last signed size.
"""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from trustplane.kernel.ledger.notes import Checkpoint, Signer, sign
from trustplane.kernel.ledger.records import decode_leaf
from trustplane.kernel.ledger.tables import LedgerCheckpoint, LedgerEvent
from trustplane.kernel.ledger.tiles import TileStore, append, root
from trustplane.kernel.store.engine import Database
from trustplane.values.clock import Clock
from trustplane.values.errors import Tampered, Unavailable

CHUNK = 16_384
PAUSE = 0.2  # seconds between checkpoints under load; well within the second that is promised
_POSITIONS = text(
    "UPDATE ledger_events SET position = given.position"
    " FROM unnest(CAST(:ids AS text[]), CAST(:positions AS bigint[])) AS given(id, position) WHERE ledger_events.id = given.id"
)
_PG_LOCK = 0x7470_6C6F_67  # "tplog": the advisory lock of the one sequencer


class Sequencer:
    """The one that gives positions and signs. ``integrate`` may be called from anywhere; one call at a time does the work."""

    def __init__(self, database: Database, tiles: TileStore, folder: Path, signer: Signer, clock: Clock) -> None:
        self._database = database
        self._tiles = tiles
        self._lock_file = folder / "sequencer.lock"
        self._signer = signer
        self._clock = clock
        self._turn = threading.Lock()
        self._nudged = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble: Exception | None = None
        self._published = False

    def start(self) -> None:
        """Integrate in the background from now on."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="trustplane-sequencer", daemon=True)
            thread.start()
            self._thread = thread

    def nudge(self) -> None:
        """Say that there are new events."""
        self._nudged.set()

    def close(self) -> None:
        """Stop, after taking in what is there."""
        self._stop.set()
        self._nudged.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stop.is_set():
            self._nudged.wait(timeout=1.0)
            self._nudged.clear()
            try:
                self.integrate()
                self.trouble = None
            except Exception as error:  # noqa: BLE001 - the edge of a thread: kept for doctor and the next receipt, tried again
                self.trouble = error
            self._stop.wait(PAUSE)

    def integrate(self) -> int | None:
        """Take in every committed event and return the size that is signed; None if another process is at it."""
        with self._turn, self._exclusive() as mine:
            if not mine:
                return None
            if self._database.kind == "postgresql":
                self._give_positions()
            return self._extend()

    def _extend(self) -> int:
        with self._database.read() as session:
            last = session.scalar(select(func.max(LedgerCheckpoint.size)))
            size = last or 0
            grown = append(self._tiles, size, _leaves(session, size))
        if last is None or grown > size:
            self._sign(grown)
        elif not self._published:
            self._publish_newest()
        return grown

    def _sign(self, size: int) -> None:
        checkpoint = Checkpoint(self._signer.vkey.name, size, root(self._tiles, size))
        note = sign(checkpoint, self._signer)
        with self._database.write() as session:
            session.add(LedgerCheckpoint(size=size, root=checkpoint.root.hex(), note=note, signed_at=self._clock.now()))
        self._publish(note)

    def _publish_newest(self) -> None:
        """Publish the newest checkpoint: a crash may have come between signing it and publishing it."""
        with self._database.read() as session:
            note = session.scalar(select(LedgerCheckpoint.note).order_by(LedgerCheckpoint.size.desc()).limit(1))
        if note is not None:
            self._publish(note)

    def _publish(self, note: str) -> None:
        self._published = False
        if self._tiles.read("checkpoint") != note.encode():
            self._tiles.write("checkpoint", note.encode())
        self._published = True

    def _give_positions(self) -> None:
        """Give positions to the events that have none yet, in the order of their times.

        An event takes its time after it has changed its rows and before it commits, while others wait for those rows. So of two
        events about one row the later change has the later time, which the ids, made when operations begin, do not promise.
        """
        with self._database.write() as session:
            last = session.scalar(select(func.max(LedgerEvent.position)))
            waiting = session.execute(
                select(LedgerEvent.id, LedgerEvent.leaf).where(LedgerEvent.position.is_(None))
            ).all()
            first = 0 if last is None else last + 1
            if waiting:
                order = [one for _, one in sorted((decode_leaf(leaf).time, one) for one, leaf in waiting)]
                session.execute(_POSITIONS, {"ids": order, "positions": list(range(first, first + len(order)))})

    @contextmanager
    def _exclusive(self) -> Iterator[bool]:
        """Hold the lock of the folder and, on PostgreSQL, of the database; gives whether both were free."""
        with self._lock_file.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            if self._database.kind == "sqlite":
                yield True
                return
            with self._database.engine.connect() as connection:
                mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _PG_LOCK}))
                try:
                    yield mine
                finally:
                    if mine:
                        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _PG_LOCK})
                    connection.rollback()


def _leaves(session: Session, size: int) -> Iterator[bytes]:
    """The leaves of the events from position ``size`` on, in order; raise if there is a gap."""
    expected = size
    while True:
        wanted = (
            select(LedgerEvent.position, LedgerEvent.leaf)
            .where(LedgerEvent.position >= expected)
            .order_by(LedgerEvent.position)
            .limit(CHUNK)
        )
        # Straight from the driver: both columns come as they are, and a row object for each costs more than its hash.
        rows = session.connection().execute(wanted).cursor.fetchall()
        for position, leaf in rows:
            if position != expected:
                raise Tampered("TP-LEDGER-022", f"the event at position {expected} is missing")
            yield leaf
            expected += 1
        if len(rows) < CHUNK:
            return


def not_ready(event_id: str) -> Unavailable:
    """The error for an event that is durable and not yet in a signed tree."""
    return Unavailable("TP-LEDGER-024", f"the event {event_id} is not in the signed tree yet")
