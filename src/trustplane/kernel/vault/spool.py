"""A temporary file that is never plaintext: what is spooled is encrypted under a key that lives only in this object.

Segments of 1 MiB are sealed with AES-256-GCM; the key is fresh for each spool, so the segment's number serves as its nonce.
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trustplane.values.errors import Unavailable

SEGMENT = 1 << 20
_TAG = 16


class Spool:
    """Write once from the start, then read from anywhere, as often as needed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._buffer = bytearray()
        self._segments = 0
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._buffer += data
        self.size += len(data)
        while len(self._buffer) >= SEGMENT:
            self._seal(bytes(self._buffer[:SEGMENT]))
            del self._buffer[:SEGMENT]

    def finish(self) -> None:
        """End the writing."""
        if self._buffer:
            self._seal(bytes(self._buffer))
            self._buffer.clear()
        with _room():
            self._file.flush()

    def reader(self) -> io.BufferedReader:
        """The bytes from the start, as a seekable file; several readers may be open, one after another."""
        return io.BufferedReader(_SpoolReader(self), SEGMENT)

    def segment(self, number: int) -> bytes:
        """The plaintext of one segment."""
        self._file.seek(number * (SEGMENT + _TAG))
        return self._cipher.decrypt(number.to_bytes(12, "big"), self._file.read(SEGMENT + _TAG), None)

    def close(self) -> None:
        """Forget the key and the file."""
        self._file.close()

    def _seal(self, data: bytes) -> None:
        with _room():
            self._file.write(self._cipher.encrypt(self._segments.to_bytes(12, "big"), data, None))
        self._segments += 1


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("TP-VAULT-012", "the disk is full", why=error.strerror or "") from None


class _SpoolReader(io.RawIOBase):
    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._spool.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._spool.size:
            return 0
        number, start = divmod(self._at, SEGMENT)
        if self._held[0] != number:
            self._held = (number, self._spool.segment(number))
        data = self._held[1][start : start + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
