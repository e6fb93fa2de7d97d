"""Workbooks: cells by their own types, and what is refused before it is opened."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pyarrow as pa
import pytest

from trustplane.data.inputs import xlsx_input
from trustplane.data.inputs.xlsx_input import read_xlsx
from trustplane.values.errors import BadInput, TrustplaneError


def book(*rows, sheets=1):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for number in range(sheets - 1):
        made.create_sheet(f"more {number}")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def table(data, types=None):
    reader = read_xlsx(io.BytesIO(data), types)
    return pa.Table.from_batches(reader.batches, reader.schema)


def test_cells_are_what_they_are():
    made = table(
        book(
            ["id", "age", "amount", "born", "seen", "ok", "mixed", "zip", "none"],
            ["C001", 41, 1.5, date(1980, 5, 17), datetime(2024, 1, 2, 3, 4, 5), True, "a", "01234", None],
            ['Ünï, "q"\nx', None, 2, date(1999, 1, 1), None, False, 7, "99999", None],
        )
    )
    assert made.num_rows == 2
    assert made["id"].to_pylist() == ["C001", 'Ünï, "q"\nx']
    assert made["age"].to_pylist() == [41, None]
    assert made["amount"].to_pylist() == [1.5, 2.0]
    assert made["born"].to_pylist() == [date(1980, 5, 17), date(1999, 1, 1)]
    assert made["seen"].to_pylist()[0].year == 2024
    assert made["ok"].to_pylist() == [True, False]
    assert made["mixed"].to_pylist() == ["a", "7"]
    assert made["zip"].to_pylist() == ["01234", "99999"]


def test_a_type_that_is_given_goes_before_the_cells():
    assert table(book(["code"], [7], [8]), {"code": "string"})["code"].to_pylist() == ["7", "8"]


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"nothing", book(["a"], [1], sheets=2), book(), book(["a", "a"], [1, 2]), book(["a"])],
    ids=["empty", "cut", "text", "two sheets", "no cells", "a name twice", "a header alone"],
)
def test_what_is_no_sheet_is_refused(data):
    with pytest.raises(BadInput):
        table(data)


def test_a_workbook_cut_anywhere_is_refused():
    whole = book(["a", "b"], *([n, f"text {n}"] for n in range(50)))
    for end in range(0, len(whole) - 1, 97):
        with pytest.raises(BadInput):
            table(whole[:end])


def test_an_archive_that_lies_about_its_length_is_refused():
    whole = book(["a"], *([n] for n in range(2000)))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        part = max(archive.infolist(), key=lambda each: each.file_size)
        lie = (part.file_size - 100).to_bytes(4, "little")
    forged = whole.replace(part.file_size.to_bytes(4, "little"), lie)
    assert forged != whole
    with pytest.raises(BadInput) as caught:
        table(forged)
    assert caught.value.code == "TP-DATA-019"


def test_a_bomb_is_refused_unopened(monkeypatch):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(3 << 20))
    monkeypatch.setattr(xlsx_input, "UNPACKED", 1 << 20)
    monkeypatch.setattr(xlsx_input, "_cells", lambda _: pytest.fail("it was opened"))
    with pytest.raises(BadInput) as caught:
        table(out.getvalue())
    assert "more than 1 MiB" in caught.value.why


def test_a_file_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(xlsx_input, "LARGEST", 1 << 20)
    with pytest.raises(TrustplaneError):
        table(bytes((1 << 20) + 1))
