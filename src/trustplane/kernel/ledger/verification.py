"""The audit of a log: do the entries, the tiles and the signed checkpoints say the same, and the same as ever before?

The rules, in the order in which they are applied:

1. The checkpoint is signed by the log's key. Nothing can be judged without it.
2. It is not older than any checkpoint that the auditor has saved.
3. The tiles make up the signed root, each full tile the hash in the tile above.
4. Where they do, each entry hashes to its place in the lowest tiles. Where they do not, the entries alone may make up the
   signed root, and then the tiles are at fault; otherwise both are.
5. The tree begins with the tree of every saved checkpoint.
6. Each payload that is not erased opens the commitment of its entry.

Nothing is fetched here but from what the caller hands in. Memory does not grow with the log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import NamedTuple

from trustplane.kernel.ledger.divergence import Divergence, Kind
from trustplane.kernel.ledger.merkle import EMPTY_ROOT, HASH_SIZE, Frontier, leaf_hashes, range_root, subtree_root
from trustplane.kernel.ledger.notes import Checkpoint, Vkey, open_checkpoint
from trustplane.kernel.ledger.records import open_commitment
from trustplane.kernel.ledger.tiles import HEIGHT, WIDTH, TileHashes, TileStore, levels, read_tile
from trustplane.values.errors import BadInput, Tampered

_LISTED = 100  # bad commitments beyond this are not listed
DETAIL = {
    Kind.CHANGED: "the entry is not the one that was signed",
    Kind.DROPPED: "entries are missing from here, and later ones took their places",
    Kind.INSERTED: "entries that were never signed begin here",
    Kind.REORDERED: "the entries from here are those that were signed, in another order",
    Kind.TRUNCATED: "the entries end here, and more were signed",
}


class Logged(NamedTuple):
    """An entry, with its payload and salt unless they were erased."""

    entry: bytes
    payload: bytes | None = None
    salt: bytes | None = None


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that is wrong. ``index`` is the first entry that it touches; None where it touches no entry. ``where`` names a
    row (``table:key``), an object or a file that is not an entry."""

    kind: Kind
    index: int | None
    detail: str
    where: str = ""

    @property
    def place(self) -> str:
        """Where it is, in words that follow the kind; empty where it has no place."""
        return f" at {self.where}" if self.where else "" if self.index is None else f" at entry {self.index}"


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found about the tree of ``size`` entries under ``root``; of an unsigned one, the empty tree.

    ``figures`` counts what was looked at, by name."""

    size: int
    root: bytes
    discrepancies: tuple[Discrepancy, ...]
    figures: Mapping[str, int] = field(default_factory=dict)

    @property
    def first_bad_index(self) -> int | None:
        """The first entry that something is wrong with."""
        return min((d.index for d in self.discrepancies if d.index is not None), default=None)

    def require_sound(self) -> None:
        """Raise :class:`Tampered`, naming the first discrepancy, if there is any."""
        if self.discrepancies:
            first = self.discrepancies[0]
            raise Tampered(
                "TP-LEDGER-018",
                f"the log does not hold: {first.kind}{first.place}",
                why=first.detail,
                facts={"first_bad_index": self.first_bad_index, "discrepancies": len(self.discrepancies)},
            )


def audit(
    entries: Iterable[Logged], tiles: TileStore, note: str, vkeys: Sequence[Vkey], saved: Iterable[str] = ()
) -> Report:
    """Audit the log whose published checkpoint is ``note``.

    ``entries`` are those of the tree in order, none beyond the checkpoint; ``saved`` are notes that the auditor kept from
    earlier audits. Where only a tile or two checkpoints bracket a fault, its index is the lowest one that it can have.
    """
    earlier, found = _open_saved(saved, vkeys)
    try:
        signed = open_checkpoint(note, vkeys)
    except (BadInput, Tampered) as error:
        return Report(0, EMPTY_ROOT, (Discrepancy(Kind.WRONG_KEY, None, str(error)), *found))
    newest = max((c.size for c in earlier), default=0)
    if newest > signed.size:
        found.append(Discrepancy(Kind.ROLLED_BACK, signed.size, f"a checkpoint of {newest} entries was seen before"))
    earlier = sorted((c for c in earlier if c.size <= signed.size), key=lambda c: c.size)
    mismatch = min(_mismatches(tiles, signed.size), default=None)
    read = TileHashes(tiles, signed.size)
    sound = mismatch is None and range_root(read, 0, signed.size) == signed.root
    prefixes = _Prefixes(() if sound else (signed.size, *(c.size for c in earlier)))
    divergence, commitments = _walk(entries, tiles, signed.size, prefixes)
    if sound:
        found += _judge_entries(divergence)
        found += _judge_history(earlier, {c.size: range_root(read, 0, c.size) for c in earlier})
    else:
        found += _judge_both(divergence, mismatch, signed, earlier, prefixes.roots)
    return Report(signed.size, signed.root, (*found, *commitments))


def _open_saved(saved: Iterable[str], vkeys: Sequence[Vkey]) -> tuple[list[Checkpoint], list[Discrepancy]]:
    opened, found = [], []
    for note in saved:
        try:
            opened.append(open_checkpoint(note, vkeys))
        except (BadInput, Tampered) as error:
            found.append(Discrepancy(Kind.WRONG_KEY, None, f"a saved checkpoint: {error}"))
    return opened, found


def _mismatches(tiles: TileStore, size: int) -> Iterator[tuple[int, str]]:
    """Each tile that cannot be used or does not make up the hash in the tile above, by its first entry."""
    above = TileHashes(tiles, size)
    for level in range(levels(size)):
        width = size >> HEIGHT * level
        for index in range(-(-width // WIDTH)):
            try:
                tile = read_tile(tiles, level, index, min(WIDTH, width - index * WIDTH))
                if len(tile) == WIDTH * HASH_SIZE and subtree_root(tile) != above(HEIGHT * (level + 1), index):
                    yield index << HEIGHT * (level + 1), f"tile {index} of level {level} is not in the tile above"
            except Tampered as error:
                yield error.facts["index"], str(error)


class _Prefixes:
    """The roots of the trees of the first so many entries, for the sizes that are wanted, from leaf hashes in order."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self.roots = {0: EMPTY_ROOT}
        self._wanted = sorted({*sizes} - {0}, reverse=True)
        self._frontier = Frontier()

    def feed(self, hashes: Sequence[bytes]) -> None:
        """Take the next hashes."""
        while self._wanted and self._wanted[-1] <= self._frontier.size + len(hashes):
            size = self._wanted.pop()
            cut = size - self._frontier.size
            self._frontier.extend(hashes[:cut])
            self.roots[size] = self._frontier.root()
            hashes = hashes[cut:]
        if self._wanted:
            self._frontier.extend(hashes)


def _walk(
    entries: Iterable[Logged], tiles: TileStore, size: int, prefixes: _Prefixes
) -> tuple[Divergence, list[Discrepancy]]:
    """Read the entries once: hash them, compare them with the lowest tiles, open what can be opened."""
    divergence, found = Divergence(), list[Discrepancy]()
    source = iter(entries)
    for start in count(0, WIDTH):
        chunk = _next_chunk(source, found)
        if not chunk and start >= size:
            break
        hashes = leaf_hashes(logged.entry for logged in chunk)
        divergence.feed(hashes, _signed_hashes(tiles, size, start, hashes))
        prefixes.feed(hashes)
        found += islice(_bad_commitments(chunk, start), max(0, _LISTED - len(found)))
    return divergence, found


def _next_chunk(source: Iterator[Logged], found: list[Discrepancy]) -> list[Logged]:
    """The next entries; none where they cannot be read on, as from a bundle that is damaged."""
    try:
        return list(islice(source, WIDTH))
    except Tampered as error:
        found.append(Discrepancy(Kind.BAD_TILE, error.facts.get("index"), str(error)))
        return []


def _signed_hashes(tiles: TileStore, size: int, start: int, held: list[bytes]) -> list[bytes]:
    """The hashes of the lowest tile from ``start``; where it cannot be used, ``held`` stands in for it."""
    width = max(0, min(WIDTH, size - start))
    if not width:
        return []
    try:
        tile = read_tile(tiles, 0, start // WIDTH, width)
    except Tampered:  # reported by _mismatches
        return held[:width] + [b""] * (width - len(held))
    return [tile[i : i + HASH_SIZE] for i in range(0, len(tile), HASH_SIZE)]


def _bad_commitments(chunk: Sequence[Logged], start: int) -> Iterator[Discrepancy]:
    for index, (entry, payload, salt) in enumerate(chunk, start):
        if payload is None and salt is None:
            continue
        if payload is None or salt is None:
            yield Discrepancy(Kind.BAD_COMMITMENT, index, "of payload and salt one is missing; erasing takes both")
            continue
        try:
            open_commitment(entry, payload, salt)
        except Tampered as error:
            yield Discrepancy(Kind.BAD_COMMITMENT, index, str(error))


def _judge_entries(divergence: Divergence) -> list[Discrepancy]:
    """What was done to the entries, where the tiles are those that were signed."""
    if divergence.index is None:
        return []
    kind = divergence.kind()
    return [Discrepancy(kind, divergence.index, DETAIL[kind])]


def _judge_history(earlier: Sequence[Checkpoint], roots: dict[int, bytes]) -> list[Discrepancy]:
    """Whether the tree begins with each earlier one; ``earlier`` is in order of size."""
    stray = next((c for c in earlier if roots[c.size] != c.root), None)
    if stray is None:
        return []
    agreed = max((c.size for c in earlier if c.size < stray.size), default=0)
    detail = f"the tree does not begin with the tree of {stray.size} entries that was signed before"
    return [Discrepancy(Kind.FORKED, agreed, detail)]


def _judge_both(
    divergence: Divergence,
    mismatch: tuple[int, str] | None,
    signed: Checkpoint,
    earlier: Sequence[Checkpoint],
    roots: dict[int, bytes],
) -> list[Discrepancy]:
    """Who is at fault, where the tiles are not those that were signed."""
    tile, detail = mismatch or (0, "the tiles make up another root than the one that was signed")
    parted = divergence.index
    # Entries and the lowest tiles part at an entry; the tile above notices only which tile that is in.
    first = parted if parted is not None and (mismatch is None or parted // WIDTH <= tile // WIDTH) else tile
    if divergence.count == signed.size and roots[signed.size] == signed.root:
        return [Discrepancy(Kind.BAD_TILE, first, detail), *_judge_history(earlier, roots)]
    # Neither side is what was signed, so nothing but the saved checkpoints says how far the entries are.
    agreed = max((c.size for c in earlier if roots.get(c.size) == c.root), default=0)
    kind = Kind.CHANGED if parted is None else divergence.kind()
    return [Discrepancy(kind, agreed, DETAIL[kind]), Discrepancy(Kind.BAD_TILE, max(tile, agreed), detail)]
