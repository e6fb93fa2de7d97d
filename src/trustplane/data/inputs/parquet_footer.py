"""What a Parquet file says of itself, read without Arrow.

Arrow 26 ends the whole process when it is asked about a column that is encrypted and has no key, so whether to ask must
be known before. The footer is one struct in Thrift's compact protocol (parquet.thrift, FileMetaData); only the fields
that judge it are decoded, every other one is skipped. Nothing is allocated by what the footer claims, only by the bytes
that it has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST = 24

Wanted = Mapping[int, Any]

# Field numbers of parquet.thrift. A struct with fields of interest is a mapping of them, anything else None.
_COLUMN_METADATA: Wanted = {5: None, 6: None, 7: None}  # num_values, total_uncompressed_size, total_compressed_size
_COLUMN_CHUNK: Wanted = {
    1: None,
    3: _COLUMN_METADATA,
    8: {},
    9: None,
}  # file_path, meta_data, crypto_metadata, encrypted
_ROW_GROUP: Wanted = {1: _COLUMN_CHUNK, 3: None}  # columns, num_rows
_FILE: Wanted = {3: None, 4: _ROW_GROUP, 8: {}}  # num_rows, row_groups, encryption_algorithm

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)
_SIZES = {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8}


class FooterError(ValueError):
    """The bytes are no footer."""


@dataclass(frozen=True, slots=True)
class ColumnClaim:
    """What the footer says of one column of one row group; sizes are in bytes."""

    values: int
    decoded: int
    encoded: int
    encrypted: bool
    elsewhere: bool
    described: bool


@dataclass(frozen=True, slots=True)
class FooterClaims:
    """What the footer says of the file: rows, rows and columns of each row group, and whether anything is encrypted."""

    rows: int
    groups: tuple[tuple[int, tuple[ColumnClaim, ...]], ...]
    encrypted: bool


def claims(footer: bytes) -> FooterClaims:
    """Decode a footer; raise :class:`FooterError` for bytes that are none."""
    try:
        fields = _Cursor(footer).struct(_FILE, 0)
        groups = tuple(
            (_integer(group, 3), tuple(_column(column) for column in _structs(group, 1)))
            for group in _structs(fields, 4)
        )
        return FooterClaims(_integer(fields, 3), groups, 8 in fields)
    except IndexError:
        raise FooterError("the footer ends within a field") from None


def _column(chunk: dict[int, Any]) -> ColumnClaim:
    metadata = chunk.get(3)
    described = isinstance(metadata, dict)
    sizes = metadata if isinstance(metadata, dict) else {5: 0, 6: 0, 7: 0}
    return ColumnClaim(
        values=_integer(sizes, 5),
        decoded=_integer(sizes, 6),
        encoded=_integer(sizes, 7),
        encrypted=8 in chunk or 9 in chunk,
        elsewhere=1 in chunk,
        described=described,
    )


def _integer(fields: dict[int, Any], field: int) -> int:
    value = fields.get(field)
    if not isinstance(value, int):
        raise FooterError(f"field {field} is not an integer")
    return value


def _structs(fields: dict[int, Any], field: int) -> list[dict[int, Any]]:
    value = fields.get(field)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise FooterError(f"field {field} is not a list of structs")
    return value


class _Cursor:
    """A place in bytes of the compact protocol (thrift-compact-protocol.md).

    Running over the end raises ``IndexError``.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, wanted: Wanted, depth: int) -> dict[int, Any]:
        if depth > DEEPEST:
            raise FooterError(f"structs are nested deeper than {DEEPEST}")
        found: dict[int, Any] = {}
        field = 0
        while header := self._byte():
            kind, delta = header & 0x0F, header >> 4
            field = field + delta if delta else self._zigzag()
            inner = wanted.get(field)
            value = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, inner, depth)
            if field in wanted:
                found[field] = value
        return found

    def _value(self, kind: int, wanted: Wanted | None, depth: int) -> Any:
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == _STRUCT:
            return self.struct(wanted or {}, depth + 1)
        if kind in (_LIST, _SET):
            return self._list(wanted, depth + 1)
        if kind == _MAP:
            return self._map(depth + 1)
        if kind == _BINARY or kind in _SIZES:
            return self._skip(_SIZES.get(kind) or self._varint())
        raise FooterError(f"{kind} is no type of the compact protocol")

    def _list(self, wanted: Wanted | None, depth: int) -> list[Any] | None:
        header = self._byte()
        size, kind = header >> 4, header & 0x0F
        size = self._varint() if size == 15 else size
        self._room(size)
        if wanted is None:
            for _ in range(size):
                self._value(kind, None, depth)
            return None
        return [self._value(kind, wanted, depth) for _ in range(size)]

    def _map(self, depth: int) -> None:
        size = self._varint()
        self._room(size)
        kinds = self._byte() if size else 0
        for _ in range(size):
            self._value(kinds >> 4, None, depth)
            self._value(kinds & 0x0F, None, depth)

    def _room(self, size: int) -> None:
        """Every element has at least one byte."""
        if size > len(self._data) - self._at:
            raise FooterError("a list is longer than the footer")

    def _skip(self, size: int) -> None:
        self._room(size)
        self._at += size

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise FooterError("an integer has more than ten bytes")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
