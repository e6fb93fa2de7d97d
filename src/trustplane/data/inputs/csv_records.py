"""CSV as a stream of whole records, checked byte by byte before any parser sees them.

Accepted is RFC 4180 in UTF-8, with or without byte order mark, lines ending in LF or CRLF, and blank lines. Everything
else is refused where it stands, with its line and in bounded memory: at most :data:`LONGEST_RECORD` bytes and one piece
more are held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from trustplane.values.errors import BadInput

PIECE = 4 << 20
"""Bytes that a chunk has at least, unless the stream ends: the block that is parsed at once."""
LONGEST_RECORD = 16 << 20
"""Bytes that one record may have, line end included."""

_BOM = b"\xef\xbb\xbf"
_COMMA, _LF, _CR, _QUOTE = b',\n\r"'
_FOREIGN = (
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"PK\x03\x04", "a zip file or a spreadsheet"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"BZh", "a bzip2 file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"%PDF-", "a PDF file"),
)
_UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole records. ``line`` is the number of the first one's line, from 1; ``offset`` the bytes before it."""

    data: bytes
    line: int
    offset: int

    def line_of(self, position: int) -> int:
        """The number of the line on which the byte at ``position`` of ``data`` stands."""
        return self.line + self.data.count(b"\n", 0, position)


def chunks(stream: BinaryIO, *, piece: int = PIECE, longest: int = LONGEST_RECORD) -> Iterator[Chunk]:
    """Cut what is left in ``stream`` into chunks of whole records. The stream is read forward only.

    Raises ``BadInput``: TP-DATA-001 empty, 005 NUL bytes, 006 a record too long, 007 not UTF-8, 009 broken quoting or
    line ends, 010 not CSV.
    """
    held, ended = _read(stream, b"", max(piece, 16))
    start = _opening(held)
    held, line, offset = held[start:], 1, start
    wanted = piece
    while held:
        here = Chunk(held, line, offset)
        cut = record_end(here, final=ended)
        if cut == 0:
            if len(held) >= longest:
                raise _too_long(here, longest)
            wanted = min(max(wanted, len(held)) * 2, longest)
            held, ended = _read(stream, held, wanted)
            continue
        whole = Chunk(held[:cut], line, offset)
        _check_encoding(whole)
        yield whole
        line, offset, wanted = whole.line_of(cut), offset + cut, piece
        held, ended = (held[cut:], True) if ended else _read(stream, held[cut:], wanted)


def record_end(chunk: Chunk, *, final: bool) -> int:
    """The number of bytes up to the end of the last whole record of ``chunk``, 0 when there is none.

    In a ``final`` chunk the last record ends with the data. Raises ``BadInput`` for bytes that can stand in no CSV
    file.
    """
    data = chunk.data
    _check_nul(chunk)
    if b'"' not in data:
        _check_returns(chunk, np.empty(0, np.int64), final=final)
        return len(data) if final else data.rfind(b"\n") + 1
    signs = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(signs == _QUOTE)
    _check_quotes(chunk, signs, quotes, final=final)
    _check_returns(chunk, quotes, final=final)
    if final:
        return len(data)
    ends = _outside(np.flatnonzero(signs == _LF), quotes)
    return int(ends[-1]) + 1 if len(ends) else 0


def record_ends(data: bytes) -> Positions:
    """Where the records of whole, checked ``data`` end: after each line end outside quotes, and with the data."""
    signs = np.frombuffer(data, np.uint8)
    ends = _outside(np.flatnonzero(signs == _LF), np.flatnonzero(signs == _QUOTE)) + 1
    return ends if len(ends) and ends[-1] == len(data) else np.append(ends, len(data))


def fields_in(record: bytes) -> int:
    """The number of fields of one whole, checked record."""
    signs = np.frombuffer(record, np.uint8)
    return len(_outside(np.flatnonzero(signs == _COMMA), np.flatnonzero(signs == _QUOTE))) + 1


def _outside(positions: Positions, quotes: Positions) -> Positions:
    """Those of ``positions`` with an even number of quotes before them: RFC 4180 section 2, rules 5 to 7."""
    outside: Positions = positions[np.searchsorted(quotes, positions) % 2 == 0]
    return outside


def _read(stream: BinaryIO, held: bytes, wanted: int) -> tuple[bytes, bool]:
    """``held`` and what follows it, up to ``wanted`` bytes in all, and whether the stream has ended."""
    parts, size = [held], len(held)
    while size < wanted:
        part = stream.read(wanted - size)
        if not part:
            return b"".join(parts), True
        parts.append(part)
        size += len(part)
    return b"".join(parts), False


def _opening(head: bytes) -> int:
    """The length of the byte order mark; raise for an empty stream and for what is no CSV at all."""
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            raise BadInput("TP-DATA-010", f"the data is {name}, not CSV")
    if head.startswith(_UTF_32) or head.startswith(_UTF_16):
        name = "UTF-32" if head.startswith(_UTF_32) else "UTF-16"
        raise BadInput(
            "TP-DATA-007",
            f"the file is in {name} from byte offset 0 on, not in UTF-8",
            fix=f"convert it: iconv -f {name} -t UTF-8",
        )
    start = len(_BOM) if head.startswith(_BOM) else 0
    if not head[start:].strip(b"\r\n"):
        raise BadInput(
            "TP-DATA-001", "the file is empty" if not head else "the file holds no header and no row at its start"
        )
    return start


def _check_nul(chunk: Chunk) -> None:
    at = chunk.data.find(b"\0")
    if at < 0:
        return
    where = f"byte offset {chunk.offset + at:,} (line {chunk.line_of(at):,})"
    around = chunk.data[max(0, at - 33) : at + 33]
    if around.count(b"\0") * 3 > len(around):
        raise BadInput(
            "TP-DATA-007", f"the file is in UTF-16 or UTF-32, not in UTF-8: every other byte is NUL at {where}"
        )
    raise BadInput("TP-DATA-005", f"there is a NUL byte at {where}")


def _check_encoding(chunk: Chunk) -> None:
    bad = -1
    if not chunk.data.isascii():
        try:
            chunk.data.decode("utf-8")
        except UnicodeDecodeError as error:
            bad = error.start  # the error itself holds the data, so it must not become a cause
    if bad >= 0:
        where = f"byte offset {chunk.offset + bad:,} (line {chunk.line_of(bad):,})"
        raise BadInput("TP-DATA-007", f"the file is not in UTF-8: invalid from {where} on")


def _check_quotes(chunk: Chunk, signs: npt.NDArray[np.uint8], quotes: Positions, *, final: bool) -> None:
    """Quotes open at the start of a field, close at its end, and are doubled within (RFC 4180 section 2, 5 to 7)."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, signs[opening - 1], _LF)
    after = np.append(signs, _LF)[closing + 1]
    starts = (before == _COMMA) | (before == _LF) | (before == _QUOTE)
    ends = (after == _COMMA) | (after == _LF) | (after == _CR) | (after == _QUOTE)
    stray = np.concatenate([opening[~starts], closing[~ends]])
    if len(stray):
        line = chunk.line_of(int(stray.min()))
        raise BadInput("TP-DATA-009", f"a double quote stands in the middle of a field on line {line:,}")
    if final and len(quotes) % 2:
        line = chunk.line_of(int(quotes[-1]))
        raise BadInput("TP-DATA-009", f"a quoted field that starts on line {line:,} never ends")


def _check_returns(chunk: Chunk, quotes: Positions, *, final: bool) -> None:
    """A carriage return outside quotes is followed by a line feed (RFC 4180 section 2, rule 1)."""
    data = chunk.data
    if data.count(b"\r") == data.count(b"\r\n"):
        return
    signs = np.frombuffer(data, np.uint8)
    returns = _outside(np.flatnonzero(signs == _CR), quotes)
    following = np.append(signs, _CR if final else _LF)[returns + 1]
    lone = returns[following != _LF]
    if len(lone):
        line = chunk.line_of(int(lone[0]))
        raise BadInput("TP-DATA-009", f"a carriage return without line feed stands outside quotes on line {line:,}")


def _too_long(chunk: Chunk, longest: int) -> BadInput:
    facts: dict[str, Any] = {"line": chunk.line, "limit_bytes": longest}
    what = f"the record on line {chunk.line:,} is longer than {longest:,} bytes"
    if chunk.data.count(b'"') % 2:
        opened = chunk.line_of(chunk.data.rfind(b'"'))
        return BadInput(
            "TP-DATA-006", what, why=f"a quoted field that starts on line {opened:,} has not ended by then", facts=facts
        )
    return BadInput("TP-DATA-006", what, facts=facts)
