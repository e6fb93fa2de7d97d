"""What the events say, gathered as they pass: the last digest of every row, times that go back, payloads that do not open.

Nothing here reads or writes. An event whose payload cannot be read any more, because it was erased or because the event itself was
tampered with, may have changed any row: from there on a row that differs from the last digest known of it is *unknowable*, not accused.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from trustplane.kernel.ledger.divergence import Kind
from trustplane.kernel.ledger.records import Leaf, decode_leaf, open_commitment
from trustplane.kernel.ledger.verification import Discrepancy
from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.actions import Kind as ActionKind
from trustplane.kernel.store.governed import GONE
from trustplane.values.clock import parse_rfc3339
from trustplane.values.errors import Tampered

BACK = timedelta(minutes=5)
"""How far the time of an event may go back: a queued event waits for long transactions, and the clocks of machines differ."""
LONGEST = timedelta(days=1)
"""How long an operation may take. Its id is made when it begins, and the time of its event is when it ends."""
LISTED = 100
"""Discrepancies of one kind beyond this are counted and not listed."""


class Row(NamedTuple):
    """An event as the database holds it."""

    id: str
    position: int | None
    resource: str
    leaf: bytes
    payload: bytes | None
    salt: bytes | None


class Findings:
    """Discrepancies as they are found, at most ``LISTED`` of each kind; ``counts`` has them all."""

    def __init__(self) -> None:
        self.listed: list[Discrepancy] = []
        self.counts: dict[Kind, int] = {}

    def add(self, kind: Kind, index: int | None, detail: str, where: str = "") -> None:
        """Take one."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= LISTED:
            self.listed.append(Discrepancy(kind, index, detail, where))


class Trail:
    """Takes the events in order and then judges the rows. Memory grows with the number of rows, not with that of the events."""

    def __init__(self, found: Findings) -> None:
        self.events = self.erased = self.rows = self.unknowable = 0
        """How many events there are or were, how many payloads were erased, how many rows there are, and of how many nothing is known."""
        self.found = found
        self.changed: list[int] = []
        self._states: dict[str, tuple[str, int]] = {}
        self._blind = -1
        self._before: datetime | None = None

    def take(self, row: Row, *, sound: bool) -> None:
        """Take the next event; ``sound`` says that its leaf is the one in the tree, or that it is not in the tree yet."""
        number, self.events = self.events, self.events + 1
        index = number if row.position is None else row.position
        try:
            leaf = decode_leaf(row.leaf)
        except Tampered as error:
            self._blind = number
            if sound:
                self.found.add(Kind.CHANGED, index, str(error), f"ledger_events:{row.id}")
            return
        if (row.id, row.resource) != (leaf.id, leaf.resource):
            detail = "the columns that repeat the record say something else"
            self.found.add(Kind.CHANGED, index, detail, f"ledger_events:{row.id}")
        self._judge_time(leaf, index)
        payload = self._open(row, index) if sound else None
        if payload is not None:
            for key, digest in payload.get("state", {}).items():
                self._states[key] = digest, number
        elif not sound or _may_change_state(leaf):  # of a forged record nothing is believed
            self._blind = number

    def _open(self, row: Row, index: int) -> dict[str, Any] | None:
        """The payload of an event if it is the recorded one; None otherwise."""
        if row.payload is None and row.salt is None:
            self.erased += 1
            return None
        if row.payload is None or row.salt is None:
            self.found.add(Kind.BAD_COMMITMENT, index, "of payload and salt one is missing; erasing takes both")
            return None
        try:
            open_commitment(row.leaf, row.payload, row.salt)
        except Tampered as error:
            self.found.add(Kind.BAD_COMMITMENT, index, str(error))
            return None
        payload: dict[str, Any] = msgspec.json.decode(row.payload)
        return payload

    def _judge_time(self, leaf: Leaf, index: int) -> None:
        """Whether the time of an event fits that of its id (RFC 9562 section 5.7) and of the event before it."""
        time, made = parse_rfc3339(leaf.time), _time_of(leaf.id)
        if made is None or not -BACK <= time - made <= LONGEST:
            begun = "holds no time" if made is None else f"was made at {made:%Y-%m-%dT%H:%M:%SZ}"
            self.found.add(Kind.BACK_DATED, index, f"the event says {leaf.time}, and its id {begun}")
            return
        if self._before is not None and self._before - time > BACK:
            detail = f"the event says {leaf.time}, and the one before it {self._before:%Y-%m-%dT%H:%M:%SZ}"
            self.found.add(Kind.BACK_DATED, index, detail)
        self._before = time

    def lose(self, count: int = 1) -> None:
        """Events are missing here; they may have changed anything."""
        self.events += count
        self._blind = self.events - 1

    def judge(self, key: str, digest: str | None) -> None:
        """Compare a row with the last event about it. ``digest`` is None for a row that cannot be read as one."""
        self.rows += 1
        known, last = self._states.pop(key, (GONE, -1))
        if known == digest:
            return
        if self._blind > last:
            self.unknowable += 1
        elif known == GONE:
            self.found.add(Kind.STATE_WITHOUT_EVENT, None, "no event says that the row exists", key)
        elif digest is None:
            self.found.add(Kind.STATE_CHANGED, None, "the row holds values that cannot be read", key)
        else:
            self.found.add(Kind.STATE_CHANGED, None, f"the row is not the one that entry {last} recorded", key)

    def judge_rest(self) -> None:
        """Judge the rows that events tell of and that are not there."""
        for key, last in self._leftover():
            if self._blind > last:
                self.unknowable += 1
            else:
                self.found.add(Kind.STATE_MISSING, None, f"entry {last} recorded the row, and it is gone", key)

    def _leftover(self) -> Iterator[tuple[str, int]]:
        return ((key, last) for key, (digest, last) in self._states.items() if digest != GONE)


def _may_change_state(leaf: Leaf) -> bool:
    """Whether an event of this record may have changed rows: only what was done and writes does."""
    action = ACTIONS.get(leaf.action)
    return leaf.outcome == "done" and (action is None or action.kind is ActionKind.WRITE)


def _time_of(event_id: str) -> datetime | None:
    """The time in a UUIDv7, to the millisecond; None if it is none."""
    try:
        parsed = UUID(event_id)
    except ValueError:
        return None
    return datetime.fromtimestamp((parsed.int >> 80) / 1000, UTC) if parsed.version == 7 else None
