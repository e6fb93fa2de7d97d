"""What can be sent as a table: files, directories of parts, addresses, streams, Arrow rows."""

import io

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from trustplane.client.sources import read_source
from trustplane.values.errors import BadInput

TABLE = pa.table({"id": ["a", "b", "c", "d"], "n": [1, 2, 3, 4]})


def rows(source, kind=None):
    """The format, and the table that the bytes are."""
    kind, chunks = read_source(source, kind, None)
    data = b"".join(chunks)
    if kind == "csv":
        return kind, pa.csv.read_csv(io.BytesIO(data))
    if kind == "parquet":
        return kind, pq.read_table(io.BytesIO(data))
    opened = pa.ipc.open_file(data) if data.startswith(b"ARROW1") else pa.ipc.open_stream(data)
    return kind, opened.read_all()


def put(folder, *names):
    """Write the table in as many parts, in the formats that the names say, and give the folder."""
    size = TABLE.num_rows // len(names)
    for number, name in enumerate(names):
        part, place = TABLE.slice(number * size, size), folder / name
        if name.endswith(".csv"):
            pa.csv.write_csv(part, place)
        elif name.endswith(".parquet"):
            pq.write_table(part, place)
        elif name.endswith(".arrow"):
            with pa.ipc.new_file(place, part.schema) as file:
                file.write_table(part)
        else:
            with pa.ipc.new_stream(place, part.schema) as stream:
                stream.write_table(part)
    return folder


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "arrows"])
@pytest.mark.parametrize("address", [False, True])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_parts_of_a_directory_are_one_table(tmp_path, suffix, address, count):
    put(tmp_path, *(f"part-{n}.{suffix}" for n in range(count)))
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".crc").write_text("")
    kind, made = rows(f"file://{tmp_path}" if address else tmp_path)
    assert made.equals(TABLE)
    assert kind == ("csv" if suffix == "csv" else suffix if suffix == "parquet" and count == 1 else "arrow")


def test_one_object_at_an_address(tmp_path):
    put(tmp_path, "x.csv")
    assert rows(f"file://{tmp_path}/x.csv") == ("csv", TABLE)


def test_lines_without_an_end_and_with_a_mark_are_joined(tmp_path):
    (tmp_path / "1.csv").write_bytes(b"\xef\xbb\xbfid,n\r\na,1\r\nb,2")
    (tmp_path / "2.csv").write_bytes(b"id,n\nc,3\nd,4")
    assert rows(tmp_path)[1].equals(TABLE)
    (tmp_path / "3.csv").write_bytes(b"id,n")
    assert rows(tmp_path)[1].equals(TABLE)
    lines = tmp_path / "lines"
    lines.mkdir()
    for number in range(3):
        (lines / f"{number}.jsonl").write_text(f'{{"n": {number}}}')
    assert b"".join(read_source(lines, None, None)[1]) == b'{"n": 0}\n{"n": 1}\n{"n": 2}\n'


def test_parts_that_do_not_fit_are_refused(tmp_path):
    cases = {
        "two formats": {"1.csv": "a\n1\n", "2.jsonl": "{}"},
        "another header": {"1.csv": "a\n1\n", "2.csv": "b\n1\n"},
        "a long header": {"1.csv": '"a\nb"\n1\n', "2.csv": '"a\nb"\n1\n'},
        "workbooks": {"1.xlsx": "", "2.xlsx": ""},
        "no parquet": {"1.parquet": "x", "2.parquet": "y"},
    }
    for name, files in cases.items():
        place = tmp_path / name
        place.mkdir()
        for file, text in files.items():
            (place / file).write_text(text)
        with pytest.raises(BadInput) as caught:
            rows(place)
        assert caught.value.code == "TP-CLIENT-012", name
    put(tmp_path, "1.parquet", "2.parquet")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "3.parquet")
    for name in ("1", "2", "3"):
        assert (tmp_path / f"{name}.parquet").is_file()
    folder = tmp_path / "columns"
    folder.mkdir()
    for number, name in enumerate(("1", "3")):
        (tmp_path / f"{name}.parquet").rename(folder / f"{number}.parquet")
    with pytest.raises(BadInput) as caught:
        rows(folder)
    assert "columns" in str(caught.value)


@pytest.mark.parametrize("place", ["nothing", "empty", "file:///nothing/at/all.csv", "nowhere://x/y.csv", "s3://"])
def test_what_is_not_there(tmp_path, place):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput) as caught:
        rows(place if "://" in place else tmp_path / place)
    assert caught.value.code == "TP-CLIENT-005"


def test_anything_that_gives_arrow_rows_is_sent(steward):
    said = {"purposes": ["dpv:CustomerSolvencyMonitoring"], "lawful_basis": "A6-1-b", "source": "tests"}
    for number, source in enumerate((TABLE, TABLE.to_reader(), pl.from_arrow(TABLE)), start=1):
        made = steward.datasets.ingest("frames", source, **(said if number == 1 else {}))
        assert made.number == number
    shown = steward.datasets.get("frames")
    assert (shown.rows, [c["name"] for c in shown.columns]) == (4, ["id", "n"])


def test_a_directory_is_ingested(steward, tmp_path):
    put(tmp_path, "1.parquet", "2.parquet")
    said = {"purposes": ["dpv:CustomerSolvencyMonitoring"], "lawful_basis": "A6-1-b", "source": "tests"}
    steward.datasets.ingest("parts", tmp_path, **said)
    assert steward.datasets.get("parts").rows == 4
