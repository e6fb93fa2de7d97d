"""Compressed contents: read as they unpack, never held, and stopped where they grow beyond reason."""

import bz2
import importlib
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from trustplane.release.scanning.content import PIECE, Reader
from trustplane.release.scanning.contract import Rejected, Rule, TooMuch

FREE = 256 << 20
"""A content may unpack to this size whatever it was packed to,"""
RATIO = 200
"""and beyond it to so many times its packed size."""
_XZ_MEMORY = 256 << 20


class Unpacker(Protocol):
    """What ``bz2`` and ``lzma`` give; one stream."""

    eof: bool
    unused_data: bytes
    needs_input: bool

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Some more of the stream."""
        ...


class _Zlib:
    """zlib's object with the manner of the others."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        made = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(made) < max_length
        return made


def _lz4() -> Any:
    try:
        return importlib.import_module("lz4.frame").LZ4FrameDecompressor()
    except ImportError:
        raise Rejected(Rule.NOT_CHECKED, "it is an LZ4 stream, and the library lz4 is not installed") from None


STARTS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: _Zlib(31),
    "zlib": lambda: _Zlib(15),
    "deflate": lambda: _Zlib(-15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_XZ_MEMORY),
    "lz4": _lz4,
}
_REPEAT = frozenset({"gzip", "bzip2", "xz", "lz4"})
"""Formats whose streams may follow one another as one content."""
_ERRORS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError)


def unpacked(packed: Reader, kind: str, name: str) -> Reader:
    """The content that another one unpacks to. It is unpacked once to find its size, and that nothing follows it."""
    size = sum(map(len, _pieces(packed, kind)))
    return Reader(Unpacked(packed, kind, size), name)


class Unpacked:
    """A source that unpacks on the way; going back starts again."""

    def __init__(self, packed: Reader, kind: str, size: int) -> None:
        self._packed, self._kind, self.size = packed, kind, size
        self._pieces: Iterator[bytes] = iter(())
        self._piece, self._at = b"", size + 1

    def fetch(self, offset: int, most: int) -> bytes:
        """Unpack up to the offset."""
        if offset < self._at:
            self._pieces = _pieces(self._packed, self._kind)
            self._piece, self._at = b"", 0
        while offset >= self._at + len(self._piece):
            self._at += len(self._piece)
            self._piece = next(self._pieces, b"")
            if not self._piece:
                raise Rejected(Rule.DAMAGED, "it unpacks to less than before")
        start = offset - self._at
        return self._piece[start : start + most]


def _pieces(packed: Reader, kind: str) -> Iterator[bytes]:
    position, made = 0, 0
    while True:
        start = position
        unpacker = STARTS[kind]()
        while not unpacker.eof:
            packed.seek(position)
            data = packed.read(PIECE) if unpacker.needs_input else b""
            if unpacker.needs_input and not data:
                raise Rejected(Rule.DAMAGED, "a compressed stream ends too early", offset=position)
            position += len(data)
            try:
                piece = unpacker.decompress(data, PIECE)
            except _ERRORS:
                raise Rejected(Rule.DAMAGED, "a compressed stream is damaged", offset=start) from None
            made += len(piece)
            if made > FREE and made > RATIO * position:
                raise TooMuch(f"it unpacks to more than {RATIO} times its size: a bomb")
            if piece:
                yield piece
        position -= len(unpacker.unused_data)
        if position == packed.size:
            return
        if kind not in _REPEAT or position == start:
            raise Rejected(
                Rule.DISGUISED, f"{packed.size - position:,} bytes follow the compressed stream", offset=position
            )
