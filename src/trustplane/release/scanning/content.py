"""Contents: bytes with a place, read in pieces, each of them hashed once as it passes.

A :class:`Source` gives bytes at an offset; a :class:`Reader` is a file-like cursor over one. A scan therefore holds a few pieces of
a file, however large it is, and reads it from the disk once: what is read in order is hashed by a second thread meanwhile.
"""

import hashlib
import os
import queue
import threading
from typing import Protocol

from trustplane.release.scanning.contract import Rejected, Rule, TooMuch
from trustplane.values.digests import Digest

PIECE = 1 << 18
LARGEST = 256 << 20
"""The most that is ever held of a content at once."""
_AHEAD = 16


class Source(Protocol):
    """Bytes at an offset."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def fetch(self, offset: int, most: int) -> bytes:
        """Between one and ``most`` bytes from ``offset``, which lies before the end."""
        ...


class Held:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def fetch(self, offset: int, most: int) -> bytes:
        """A slice."""
        return self._data[offset : offset + most]


class File:
    """An open regular file. Its first reading, in order, is its hashing too."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before = os.fstat(descriptor)
        self.size = self._before.st_size
        self._hashed = 0
        self._hash = hashlib.sha256()
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        self._thread = threading.Thread(target=self._hash_along, daemon=True)
        self._thread.start()

    def fetch(self, offset: int, most: int) -> bytes:
        """Read, and hash what lies beyond all that was hashed so far."""
        data = os.pread(self._descriptor, min(most, self.size - offset), offset)
        if not data:
            raise Rejected(Rule.UNREADABLE, "the file became shorter while it was read")
        end = offset + len(data)
        if offset <= self._hashed < end:
            self._waiting.put(data if offset == self._hashed else data[self._hashed - offset :])
            self._hashed = end
        return data

    def finish(self) -> Digest:
        """Read what no scanner has read, and give the digest of the whole; an objection if the file changed meanwhile."""
        try:
            while self._hashed < self.size:
                self.fetch(self._hashed, PIECE)
        finally:
            self._waiting.put(None)
            self._thread.join()
        after = os.fstat(self._descriptor)
        if (after.st_size, after.st_mtime_ns) != (self._before.st_size, self._before.st_mtime_ns):
            raise Rejected(Rule.UNREADABLE, "the file changed while it was read")
        return Digest("sha256:" + self._hash.hexdigest())

    def _hash_along(self) -> None:
        while (data := self._waiting.get()) is not None:
            self._hash.update(data)


class Slice:
    """A stretch of another source."""

    def __init__(self, source: Source, start: int, size: int) -> None:
        self._source, self._start, self.size = source, start, size

    def fetch(self, offset: int, most: int) -> bytes:
        """What the other has there."""
        return self._source.fetch(self._start + offset, min(most, self.size - offset))


class Reader:
    """A cursor over a source: what the contract calls a content."""

    def __init__(self, source: Source, name: str) -> None:
        self.source = source
        self.name = name
        self.size = source.size
        self._position = 0
        self._piece, self._piece_at = b"", 0

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes from here."""
        left = max(self.size - self._position, 0)
        wanted = left if size < 0 else min(size, left)
        if wanted > LARGEST:
            raise TooMuch(f"{wanted:,} bytes would have to be held at once")
        got = self._take(wanted)
        if len(got) == wanted:
            return got
        parts, missing = [got], wanted - len(got)
        while missing:
            parts.append(self._take(missing))
            missing -= len(parts[-1])
        return b"".join(parts)

    def readline(self, most: int = 1 << 20) -> bytes:
        """The bytes to the next newline, with it, and at most so many."""
        parts: list[bytes] = []
        while most > 0 and (view := self.peek(most)):
            end = view.find(b"\n") + 1
            parts.append(self.read(end or len(view)))
            most -= len(parts[-1])
            if end:
                break
        return b"".join(parts)

    def peek(self, most: int) -> bytes:
        """Some of what comes next, without going on."""
        if self._position >= self.size:
            return b""
        self._load()
        start = self._position - self._piece_at
        return self._piece[start : start + most]

    def skip(self, size: int) -> int:
        """Go on by at most so many bytes, so that they are read and hashed and none is kept; how many there were."""
        end = min(self._position + size, self.size)
        passed = end - self._position
        while self._position < end:
            self._load()
            self._position = min(end, self._piece_at + len(self._piece))
        return passed

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to an offset from the start, from here or from the end."""
        base = (0, self._position, self.size)[whence]
        if base + offset < 0:
            raise Rejected(Rule.DAMAGED, "an offset lies before the start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Where it is."""
        return self._position

    def _take(self, wanted: int) -> bytes:
        if wanted <= 0:
            return b""
        self._load()
        start = self._position - self._piece_at
        got = self._piece[start : start + wanted]
        self._position += len(got)
        return got

    def _load(self) -> None:
        if not self._piece_at <= self._position < self._piece_at + len(self._piece):
            self._piece = self.source.fetch(self._position, PIECE)
            self._piece_at = self._position
            if not self._piece:
                raise Rejected(Rule.DAMAGED, "it ends before its stated size")


def window(content: Reader, start: int, size: int, name: str) -> Reader:
    """A content that is a stretch of another."""
    if start < 0 or size < 0 or start + size > content.size:
        raise Rejected(Rule.DAMAGED, "a part lies beyond the end", subject=name)
    return Reader(Slice(content.source, start, size), name)
