"""Group commit: events that come without a change of state are written together, and each producer hears only of what is durable.

While one batch is being committed the next one gathers. A lone event is committed at once. Where several producers were at it, the next
commit waits until as many are there again, for a millisecond at most: half as many commits, each twice as large, cost less than their
producers lose by waiting. A batch never holds more than 4,096 entries.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, cast

from sqlalchemy import Table, insert, inspect

from trustplane.kernel.ledger.events import Entry
from trustplane.kernel.ledger.writing import insert_entries
from trustplane.kernel.store.base import Base
from trustplane.kernel.store.engine import Database
from trustplane.values.errors import Unavailable

BATCH = 4096
GATHER = 0.001
"""Seconds that a commit waits for producers that were there before."""
_GLANCE = 0.0001


@dataclass(frozen=True, slots=True)
class Companion:
    """A row that must become durable together with an event, such as a decision of the gateway."""

    table: Table
    values: dict[str, Any]


def companion_of(row: Base) -> Companion:
    """A row that was made but is in no session, as a companion."""
    table = cast("Table", row.__table__)
    return Companion(table, {a.columns[0].name: getattr(row, a.key) for a in inspect(type(row)).column_attrs})


@dataclass(slots=True)
class _Pending:
    entry: Entry
    companions: tuple[Companion, ...]
    waiter: "asyncio.Future[None] | Future[None]"


class Journal:
    """One thread that commits batches. ``on_commit`` is called after each, to wake the sequencer."""

    def __init__(self, database: Database, on_commit: Callable[[], None]) -> None:
        self._database = database
        self._on_commit = on_commit
        self._queue: deque[_Pending] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None

    async def append(self, entry: Entry, companions: tuple[Companion, ...] = ()) -> None:
        """Return when ``entry`` and its companions are durable; raise if they could not be written."""
        waiter = asyncio.get_running_loop().create_future()
        self._push(_Pending(entry, companions, waiter))
        await waiter

    def append_blocking(self, entry: Entry, companions: tuple[Companion, ...] = ()) -> None:
        """The same for a thread. One that finds nobody else at it commits by itself: nobody gains from a handing over."""
        waiter: Future[None] = Future()
        pending = _Pending(entry, companions, waiter)
        if not self._queue and not self._closing and self._turn.acquire(blocking=False):
            try:
                error = self._commit([pending])
            finally:
                self._turn.release()
            if error is not None:
                raise error
            return
        self._push(pending)
        waiter.result()

    def append_all(self, entries: Sequence[Entry]) -> None:
        """Write many events in batches of 4,096, each one transaction."""
        for start in range(0, len(entries), BATCH):
            with self._database.connection() as connection:
                insert_entries(connection, entries[start : start + BATCH])
        self._on_commit()  # once: the sequencer looks every second anyway, and meanwhile the writer has the processor

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _push(self, pending: _Pending) -> None:
        if self._closing:
            raise Unavailable("TP-LEDGER-021", "the ledger is closing and takes no more events")
        self._queue.append(pending)
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="trustplane-journal", daemon=True)
                thread.start()
                self._thread = thread  # only now: whoever closes joins what it finds here

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            expected = 0
            while self._queue:
                self._gather(min(expected, BATCH))
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]
                with self._turn:
                    error = self._commit(batch)
                expected = len(batch) + len(self._queue)
                _settle(batch, error)
            if self._closing:
                return

    def _gather(self, expected: int) -> None:
        until = monotonic() + GATHER
        while len(self._queue) < expected and not self._closing and monotonic() < until:
            sleep(_GLANCE)

    def _commit(self, batch: list[_Pending]) -> Exception | None:
        try:
            with self._database.connection() as connection:
                insert_entries(connection, [p.entry for p in batch])
                for table, rows in _by_table(batch):
                    connection.execute(insert(table), rows)
        except Exception as error:  # noqa: BLE001 - handed to every producer of the batch, none of which may be left waiting
            return error
        self._on_commit()
        return None


def _by_table(batch: list[_Pending]) -> list[tuple[Table, list[dict[str, Any]]]]:
    tables: dict[str, tuple[Table, list[dict[str, Any]]]] = {}
    for pending in batch:
        for companion in pending.companions:
            tables.setdefault(companion.table.name, (companion.table, []))[1].append(companion.values)
    return list(tables.values())


def _settle(batch: list[_Pending], error: Exception | None) -> None:
    """Tell the producers; those of one event loop are woken by one call into it."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for pending in batch:
        waiter = pending.waiter
        if isinstance(waiter, Future):
            waiter.set_exception(error) if error else waiter.set_result(None)
        else:
            loops.setdefault(waiter.get_loop(), []).append(waiter)
    for loop, waiters in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, waiters, error)


def _resolve(waiters: "list[asyncio.Future[None]]", error: Exception | None) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_exception(error) if error else waiter.set_result(None)
