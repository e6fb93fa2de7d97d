"""What the messages of an Arrow stream claim of themselves, looked at before anything is decoded.

A compressed buffer says how long it will be: a small stream could fill the memory. Arrow's reader asks for that much without a bound, so
the sums are looked at here, in the FlatBuffers of the messages (Arrow columnar format, section IPC; ``Message.fbs``).
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

LARGEST_MESSAGE = 1 << 30
"""Bytes that one batch may have, as it is sent and when decoded."""
_CONTINUES = 0xFFFFFFFF
_LARGEST_METADATA = 16 << 20
_DICTIONARY, _BATCH = 2, 3  # of the union MessageHeader


class MessageError(ValueError):
    """A message that cannot be what it says. The text holds no data."""


def decoded_sizes(stream: BinaryIO) -> Iterator[int]:
    """The bytes that each message has when decoded, in order; raise :class:`MessageError` for one that is damaged or too large."""
    while (metadata := _metadata(stream)) is not None:
        yield _decoded(metadata, stream)


def _metadata(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    if not head:
        return None
    size = _whole("<I", head, 0)
    if size == _CONTINUES:
        size = _whole("<I", stream.read(4), 0)
    if size == 0:
        return None
    if size > _LARGEST_METADATA:
        raise MessageError(f"a message describes itself in {size:,} bytes")
    metadata = stream.read(size)
    if len(metadata) < size:
        raise MessageError("it ends in the middle of a message")
    return metadata


def _decoded(metadata: bytes, stream: BinaryIO) -> int:
    message = _Table(metadata, _whole("<I", metadata, 0))
    body = message.number(3, "<q", 0)
    if not 0 <= body <= LARGEST_MESSAGE:
        raise MessageError(f"a message would have {body:,} bytes")
    begin = stream.tell()
    kind = message.number(1, "<B", 0)
    total = body
    if kind in (_DICTIONARY, _BATCH):
        header = message.table(2)
        batch = header.table(1) if kind == _DICTIONARY else header
        if batch.has(3):
            total = _uncompressed(batch, stream, begin, body)
    if stream.seek(0, 2) < begin + body:
        raise MessageError("it ends in the middle of a message")
    stream.seek(begin + body)
    if total > LARGEST_MESSAGE:
        raise MessageError(f"a message would have {total:,} bytes when decoded")
    return total


def _uncompressed(batch: "_Table", stream: BinaryIO, begin: int, body: int) -> int:
    """Each compressed buffer begins with its length as an int64; -1 says that it is not compressed."""
    total = 0
    for offset, length in batch.pairs(2):
        if length == 0:
            continue
        if offset < 0 or length < 8 or offset + length > body:
            raise MessageError("a buffer lies outside of its message")
        stream.seek(begin + offset)
        said = _whole("<q", stream.read(8), 0)
        total += length if said < 0 else said
    return total


class _Table:
    """One table of a FlatBuffer; every look is within the bytes."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - _whole("<i", data, at)
        self._size = _whole("<H", data, self._fields)

    def has(self, field: int) -> bool:
        return self._place(field) is not None

    def number(self, field: int, form: str, default: int) -> int:
        place = self._place(field)
        return default if place is None else _whole(form, self._data, place)

    def table(self, field: int) -> "_Table":
        place = self._place(field)
        if place is None:
            raise MessageError("a message lacks its header")
        return _Table(self._data, place + _whole("<I", self._data, place))

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        place = self._place(field)
        if place is None:
            return
        begin = place + _whole("<I", self._data, place)
        count = _whole("<I", self._data, begin)
        if begin + 4 + 16 * count > len(self._data):
            raise MessageError("a message is shorter than it says")
        for index in range(count):
            yield struct.unpack_from("<qq", self._data, begin + 4 + 16 * index)

    def _place(self, field: int) -> int | None:
        slot = 4 + 2 * field
        offset = _whole("<H", self._data, self._fields + slot) if slot < self._size else 0
        return self._at + offset if offset else None


def _whole(form: str, data: bytes, at: int) -> int:
    if at < 0 or at + struct.calcsize(form) > len(data):
        raise MessageError("a message is shorter than it says")
    return int(struct.unpack_from(form, data, at)[0])
