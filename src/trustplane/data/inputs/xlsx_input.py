"""The first sheet of an Excel workbook (.xlsx) as a table, by calamine (extra ``excel``).

A sheet holds numbers, texts, dates and truth values cell by cell; a column that mixes texts with others is text. The workbook is looked at
before it is opened: a zip bomb is refused by what its parts really hold.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from trustplane.data.inputs.csv_input import read_csv
from trustplane.data.inputs.reader import Reader
from trustplane.values.errors import BadInput, Unavailable

LARGEST = 256 << 20
UNPACKED = 1 << 30
"""Bytes that the workbook and all its parts may have."""
_PIECE = 1 << 20


def read_xlsx(
    stream: BinaryIO, types: Mapping[str, str] | None = None, known: Mapping[str, str] | None = None
) -> Reader:
    """A workbook with one sheet, whose first row is the header; ``types`` and ``known`` are those of :func:`read_csv`.

    In memory. Raises ``BadInput`` with the codes TP-DATA-001 to 012, ``Unavailable`` (TP-DATA-020) without the extra.
    """
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _bad(f"it has more than {LARGEST >> 20} MiB")
    _require_honest(data)
    rows = _cells(data)
    if not rows:
        raise BadInput("TP-DATA-001", "the sheet is empty")
    header, body = [_text(cell) for cell in rows[0]], rows[1:]
    kinds = {name: kind for place, name in enumerate(header) if (kind := _kind([row[place] for row in body]))}
    given = {**kinds, **(types or {})}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_text(cell) for cell in row] for row in body)
    return read_csv(io.BytesIO(out.getvalue().encode()), given, known)


def _cells(data: bytes) -> Sequence[Sequence[Any]]:
    try:
        import python_calamine
    except ImportError:
        raise Unavailable(
            "TP-DATA-020", "the extra 'excel' is not installed", why="workbooks need python-calamine"
        ) from None
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        if len(book.sheet_names) != 1:
            raise _bad(f"it has {len(book.sheet_names)} sheets, and one is read")
        sheet = book.get_sheet_by_index(0)
        if sheet.merged_cell_ranges:
            raise _bad("it has merged cells")
        return sheet.to_python(skip_empty_area=True)
    except python_calamine.CalamineError:
        raise _bad("it cannot be read") from None


def _require_honest(data: bytes) -> None:
    """Every part is as long as the archive says, and all together are not too long."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > UNPACKED:
                raise _bad(f"its parts have more than {UNPACKED >> 20} MiB")
            for part in parts:
                if part.flag_bits & 1:
                    raise _bad("it is encrypted: save it without a password")
                _require_length(data, part)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError):
        raise _bad("it is no workbook (.xlsx), or damaged") from None


def _require_length(data: bytes, part: zipfile.ZipInfo) -> None:
    if part.compress_type == zipfile.ZIP_STORED:
        if part.compress_size != part.file_size:
            raise zipfile.BadZipFile
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile
    head = part.header_offset
    start = head + 30 + int.from_bytes(data[head + 26 : head + 28], "little") + int.from_bytes(data[head + 28 : head + 30], "little")  # fmt: skip
    packed, unpacked = zlib.decompressobj(-zlib.MAX_WBITS), 0
    left = data[start : start + part.compress_size]
    while left and not packed.eof:
        unpacked += len(packed.decompress(left, _PIECE))
        left = packed.unconsumed_tail
        if unpacked > part.file_size:
            raise zipfile.BadZipFile
    if unpacked != part.file_size or not packed.eof:
        raise zipfile.BadZipFile


def _kind(cells: Sequence[Any]) -> str | None:
    """The type of a column that its cells have by themselves; None where they are numbers, which are read as such."""
    there = [cell for cell in cells if cell != ""]
    if not there:
        return None
    if all(isinstance(c, bool) for c in there):
        return "bool"
    if all(isinstance(c, int | float) and not isinstance(c, bool) for c in there):
        return None
    if all(isinstance(c, date) and not isinstance(c, datetime) for c in there):
        return "date"
    if all(isinstance(c, datetime | date) for c in there):
        return "timestamp"
    return "string"


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell.total_seconds())
    return str(cell)


def _bad(why: str) -> BadInput:
    return BadInput("TP-DATA-019", "the workbook cannot be ingested", why=why)
