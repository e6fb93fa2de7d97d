"""Where two sequences of leaf hashes part, and what was done to the one to make it part from the other."""

from collections.abc import Sequence
from enum import StrEnum

_WINDOW = 1024  # how far ahead a run of dropped or inserted entries is looked for
_RESUMED = 8  # how many hashes in a row must agree for the sequences to count as together again


class Kind(StrEnum):
    """What is wrong with a log, or with what stands beside it."""

    CHANGED = "changed"  # an entry is another than the one that was signed
    DROPPED = "dropped"  # entries are missing and later ones took their places
    INSERTED = "inserted"  # entries stand between or after those that were signed
    REORDERED = "reordered"  # the entries are those that were signed, in another order
    TRUNCATED = "truncated"  # the last entries are missing
    ROLLED_BACK = "rolled-back"  # the checkpoint is older than one that was seen before
    FORKED = "forked"  # the signed tree does not continue one that was signed before
    WRONG_KEY = "wrong-key"  # the checkpoint is not signed by the log's key
    BAD_TILE = "bad-tile"  # a tile is missing or is not what the tree says
    BAD_COMMITMENT = "bad-commitment"  # a payload is not the one that was recorded
    REMOVED = "removed"  # the database lacks an event that the tree holds
    BACK_DATED = "back-dated"  # the time of an event is not the time at which it was written
    STATE_CHANGED = "state-changed"  # a row is not the one that the last event about it recorded
    STATE_WITHOUT_EVENT = "state-without-event"  # a row exists and no event says so
    STATE_MISSING = "state-missing"  # a row is gone and no event says so
    OBJECT_MISSING = "object-missing"  # an object that a row names is not in the store
    OBJECT_CHANGED = "object-changed"  # an object is not what its address says


class Divergence:
    """Compares the hashes at hand with the signed ones, a stretch at a time, in bounded memory."""

    def __init__(self) -> None:
        self.index: int | None = None
        self._held = 0
        self._signed = 0
        self._held_window: list[bytes] = []
        self._signed_window: list[bytes] = []
        self._surplus = 0

    @property
    def count(self) -> int:
        """How many hashes were at hand."""
        return self._held

    def feed(self, held: Sequence[bytes], signed: Sequence[bytes]) -> None:
        """Take the next stretch of both. One may be shorter than the other once it has come to its end."""
        skip = 0
        if self.index is None and held != signed:
            skip = next(
                (i for i, (h, s) in enumerate(zip(held, signed, strict=False)) if h != s), min(len(held), len(signed))
            )
            self.index = self._held + skip
        self._held += len(held)
        self._signed += len(signed)
        if self.index is not None:
            self._remember(held[skip:], signed[skip:])

    def _remember(self, held: Sequence[bytes], signed: Sequence[bytes]) -> None:
        self._held_window += held[: _WINDOW - len(self._held_window)]
        self._signed_window += signed[: _WINDOW - len(self._signed_window)]
        # Equal sums of equally many hashes mean, but for malice that gains nothing, the same hashes in another order.
        self._surplus += sum(map(int.from_bytes, held)) - sum(map(int.from_bytes, signed))

    def kind(self) -> Kind:
        """What was done at :attr:`index`; meaningful only where the sequences part."""
        held, signed = self._held_window, self._signed_window
        if not held:
            return Kind.TRUNCATED
        if not signed:
            return Kind.INSERTED
        if self._held == self._signed and self._surplus == 0:
            return Kind.REORDERED
        if any(_resumes(held, signed[d:]) for d in range(1, len(signed))):
            return Kind.DROPPED
        if any(_resumes(held[d:], signed) for d in range(1, len(held))):
            return Kind.INSERTED
        return Kind.CHANGED


def _resumes(one: Sequence[bytes], other: Sequence[bytes]) -> bool:
    """Whether the sequences agree from here: for long enough, or to the end of both."""
    return one[0] == other[0] and one[:_RESUMED] == other[:_RESUMED]
