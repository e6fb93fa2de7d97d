"""The log as files: hash tiles and entry bundles of C2SP tlog-tiles.

Tiles are derived from the entries, so nothing here waits for the disk: what a crash loses is made again by
:func:`append` from the last size that was signed. A tile once full never changes; a partial one is never hashed upward
and gives way to the full one.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

from trustplane.kernel.ledger.merkle import HASH_SIZE, leaf_hashes, range_root, subtree_root
from trustplane.values.errors import BadInput, Tampered, Unavailable

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_ENTRY = 65_535

_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\Z")


class TileStore(Protocol):
    """Where tiles lie, by path."""

    def read(self, path: str) -> bytes | None:
        """What lies at ``path``; None where nothing does."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Put ``data`` at ``path``, all of it or nothing."""
        ...

    def delete(self, folder: str) -> None:
        """Remove all that lies under ``folder``; nothing there is fine."""
        ...


class FolderTiles:
    """Tiles in a local folder, readable by every account: they hold no personal data and are there to be checked."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        try:
            return self._locate(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise Unavailable("TP-LEDGER-005", f"{path} cannot be read", why=error.strerror or "") from error

    def write(self, path: str, data: bytes) -> None:
        target = self._locate(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._replace(target, data)
        except OSError as error:
            raise Unavailable("TP-LEDGER-005", f"{path} cannot be written", why=error.strerror or "") from error

    def delete(self, folder: str) -> None:
        place = self._locate(folder)
        if not place.is_dir():
            return
        for file in place.iterdir():
            file.unlink(missing_ok=True)
        place.rmdir()

    def _locate(self, path: str) -> Path:
        if not _PATH.match(path):
            raise BadInput("TP-LEDGER-006", f"{path[:80]!r} is not a path of the log")
        return self._root / path

    @staticmethod
    def _replace(target: Path, data: bytes) -> None:
        """Write beside the target and rename over it, so that a reader sees the old file or the new one."""
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, 0o644)
                file.write(data)
            Path(temporary).replace(target)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a hash tile: ``tile/<L>/<N>``, and ``.p/<W>`` where it is partial."""
    return f"tile/{level}/{_grouped(index)}{_suffix(width)}"


def bundle_path(index: int, width: int = WIDTH) -> str:
    """The path of an entry bundle: ``tile/entries/<N>``, and ``.p/<W>`` where it is partial."""
    return f"tile/entries/{_grouped(index)}{_suffix(width)}"


def _grouped(index: int) -> str:
    """An index in groups of three digits, all but the last marked with an x: ``x001/x234/067``."""
    path = f"{index % 1000:03d}"
    while index := index // 1000:
        path = f"x{index % 1000:03d}/{path}"
    return path


def _suffix(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries in a row, each after its length as a big-endian uint16."""
    framed = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise BadInput("TP-LEDGER-007", f"an entry of {len(entry)} bytes is longer than {MAX_ENTRY}")
        framed.append(len(entry).to_bytes(2, "big") + entry)
    return b"".join(framed)


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; raise :class:`Tampered` if it is cut short."""
    entries = _unframe(data)
    if entries is None:
        raise Tampered("TP-LEDGER-008", "an entry bundle is cut short")
    return entries


def _unframe(data: bytes) -> list[bytes] | None:
    entries = []
    offset, end = 0, len(data)
    while offset < end:
        start = offset + 2
        offset = start + int.from_bytes(data[offset:start], "big")
        if start > end or offset > end:
            return None
        entries.append(data[start:offset])
    return entries


def read_tile(store: TileStore, level: int, index: int, width: int = WIDTH) -> bytes:
    """The first ``width`` hashes of a tile, concatenated; raise :class:`Tampered` if they are not there."""
    data, held = _fetch(store, partial(tile_path, level, index), width)
    if data is None or len(data) != held * HASH_SIZE:
        raise _damaged(tile_path(level, index, width), index << HEIGHT * (level + 1), missing=data is None)
    return data[: width * HASH_SIZE]


def read_bundle(store: TileStore, index: int, width: int = WIDTH) -> list[bytes]:
    """The first ``width`` entries of a bundle; raise :class:`Tampered` if they are not there."""
    data, held = _fetch(store, partial(bundle_path, index), width)
    entries = None if data is None else _unframe(data)
    if entries is None or len(entries) != held:
        raise _damaged(bundle_path(index, width), index << HEIGHT, missing=data is None)
    return entries[:width]


def _fetch(store: TileStore, path: Callable[[int], str], width: int) -> tuple[bytes | None, int]:
    """What lies at the path of this width, or of the full tile that took its place; and how wide it must be."""
    data = store.read(path(width))
    return (data, width) if data is not None or width == WIDTH else (store.read(path(WIDTH)), WIDTH)


def _damaged(path: str, index: int, *, missing: bool) -> Tampered:
    why = "it is missing" if missing else "it has another length than the tree says"
    return Tampered("TP-LEDGER-008", f"{path} cannot be used", why=why, facts={"path": path, "index": index})


def read_entries(store: TileStore, size: int, start: int = 0) -> Iterator[bytes]:
    """The entries of the tree of ``size`` leaves, from ``start`` on."""
    for index in range(start // WIDTH, -(-size // WIDTH)):
        first = index * WIDTH
        yield from read_bundle(store, index, min(WIDTH, size - first))[max(0, start - first) :]


class TileHashes:
    """A :data:`~trustplane.kernel.ledger.merkle.HashReader` over the tiles of the tree of ``size`` leaves."""

    def __init__(self, store: TileStore, size: int, keep: int = 64) -> None:
        self._store = store
        self._size = size
        self._keep = keep
        self._tiles: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        row, height = divmod(level, HEIGHT)
        tile, offset = divmod(index << height, WIDTH)
        start = offset * HASH_SIZE
        return subtree_root(self._tile(row, tile)[start : start + (HASH_SIZE << height)])

    def _tile(self, row: int, index: int) -> bytes:
        tile = self._tiles.get((row, index))
        if tile is None:
            width = min(WIDTH, (self._size >> HEIGHT * row) - index * WIDTH)
            tile = read_tile(self._store, row, index, width)
            if len(self._tiles) >= self._keep:
                del self._tiles[next(iter(self._tiles))]
            self._tiles[row, index] = tile
        return tile


def root(store: TileStore, size: int) -> bytes:
    """The root of the tree of ``size`` leaves, from its tiles."""
    return range_root(TileHashes(store, size), 0, size)


def append(store: TileStore, size: int, entries: Iterable[bytes]) -> int:
    """Extend the log of ``size`` entries by ``entries`` and return its new size.

    Memory does not grow with the number of entries. Run again from the same size after a crash at any point, it leaves
    the same bytes: every write is of a whole tile, and nothing that ``size`` needs is removed before all that replaces
    it is written.
    """
    bundle, edge = _open_bundle(store, size), _open_tiles(store, size)
    source = iter(entries)
    end = size
    while chunk := list(islice(source, WIDTH - end % WIDTH)):
        bundle += encode_bundle(chunk)
        edge[0] += b"".join(leaf_hashes(chunk))
        end += len(chunk)
        if end % WIDTH == 0:
            store.write(bundle_path(end // WIDTH - 1), bundle)
            bundle = b""
            _close_tiles(store, edge, end)
    _write_partial(store, size, end, bundle, edge)
    _drop_partial(store, size, end)
    return end


def _open_bundle(store: TileStore, size: int) -> bytes:
    width = size % WIDTH
    return encode_bundle(read_bundle(store, size // WIDTH, width)) if width else b""


def _open_tiles(store: TileStore, size: int) -> list[bytes]:
    """The hashes of the partial tile of each level, from the leaves up."""
    edge = []
    for level in range(levels(size)):
        index, width = divmod(size >> HEIGHT * level, WIDTH)
        edge.append(read_tile(store, level, index, width) if width else b"")
    return edge or [b""]


def levels(size: int) -> int:
    """How many levels of tiles the tree has."""
    return -(-size.bit_length() // HEIGHT)


def _close_tiles(store: TileStore, edge: list[bytes], end: int) -> None:
    """Write each tile that ``end`` entries have filled, and put its root into the tile above."""
    level = 0
    while len(edge[level]) == WIDTH * HASH_SIZE:
        store.write(tile_path(level, (end >> HEIGHT * (level + 1)) - 1), edge[level])
        if level + 1 == len(edge):
            edge.append(b"")
        edge[level + 1] += subtree_root(edge[level])
        edge[level] = b""
        level += 1


def _write_partial(store: TileStore, size: int, end: int, bundle: bytes, edge: list[bytes]) -> None:
    if bundle and end > size:
        store.write(bundle_path(end // WIDTH, end % WIDTH), bundle)
    for level, hashes in enumerate(edge):
        count = end >> HEIGHT * level
        if hashes and count > size >> HEIGHT * level:
            store.write(tile_path(level, count // WIDTH, count % WIDTH), hashes)


def _drop_partial(store: TileStore, size: int, end: int) -> None:
    """Remove the partial forms of the tiles that have become full between ``size`` and ``end``, a crashed run's too."""
    for level in range(levels(end)):
        for index in range(size >> HEIGHT * (level + 1), end >> HEIGHT * (level + 1)):
            store.delete(f"{tile_path(level, index)}.p")
            if level == 0:
                store.delete(f"{bundle_path(index)}.p")
