"""What is sent as a table: a file, a directory of parts, an address of an object store, a stream, or anything that gives Arrow rows.

Whatever needs credentials is read here, where they are; the plane is sent the rows and never a password.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from trustplane.values.errors import BadInput, missing_extra

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 1 << 20
Told = Callable[[int, int | None], None]
"""Told the bytes that were sent, and how many there are."""
FORMATS = {
    ".csv": "csv", ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "arrow", ".arrows": "arrow", ".feather": "arrow",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a table."""

    name: str
    size: int
    open: Callable[[], Any]


def read_source(source: Any, kind: str | None, told: Told | None) -> tuple[str, Iterator[bytes]]:
    """The format of a table, and its bytes. ``kind`` is the format where its name does not say it."""
    if hasattr(source, "__arrow_c_stream__"):
        pa = pyarrow("parts of tables and Arrow rows")
        reader = pa.RecordBatchReader.from_stream(source)
        return "arrow", _as_ipc(reader.schema, reader, told)
    if not isinstance(source, str | Path):
        return kind or format_of(source), _read(source, told, None)
    parts = _parts_of(source)
    kind = kind or format_of(parts[0].name)
    if len(parts) == 1:
        return kind, _of_one(parts[0], told)
    if any(format_of(part.name) != kind for part in parts):
        raise BadInput("TP-CLIENT-012", "the parts are of different formats")
    if kind in {"csv", "jsonl"}:
        return kind, _joined(parts, told, header=kind == "csv")
    if kind == "xlsx":
        raise BadInput("TP-CLIENT-012", "workbooks are not read in parts")
    return "arrow", _rows_of(parts, kind, told)


def format_of(source: Any) -> str:
    """The format that the name of a file says; raise :class:`BadInput` (TP-DATA-036) where it says none."""
    name = str(getattr(source, "name", source)).lower()
    for suffix, kind in FORMATS.items():
        if name.endswith(suffix):
            return kind
    raise BadInput("TP-DATA-036", "the name of the file does not say which format it has")


def _parts_of(source: str | Path) -> list[Part]:
    """The files of a path or address: itself, or those of the directory that it is, by name."""
    if "://" in str(source):
        return _parts_at(str(source))
    path = Path(source)
    if path.is_dir():
        found = [p for p in sorted(path.iterdir()) if p.is_file() and _counts(p.name)]
        return _some([Part(p.name, p.stat().st_size, _opener(p)) for p in found], path)
    if not path.is_file():
        raise BadInput("TP-CLIENT-005", f"there is no file {path}")
    return [Part(path.name, path.stat().st_size, _opener(path))]


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _parts_at(address: str) -> list[Part]:
    """The objects at ``s3://…``, ``gs://…``, ``abfs://…`` or ``file://…``, with the credentials that Arrow finds in the environment."""
    pa = pyarrow("parts of tables and Arrow rows")
    from pyarrow import fs

    try:
        store, place = fs.FileSystem.from_uri(address)
        found = store.get_file_info(place)
        if found.type == fs.FileType.Directory:
            inside = sorted(store.get_file_info(fs.FileSelector(place)), key=lambda each: each.path)
            files = [f for f in inside if f.type == fs.FileType.File and _counts(f.base_name)]
            return _some([Part(f.base_name, f.size or 0, _opener_at(store, f.path)) for f in files], address)
    except (pa.ArrowException, OSError, ValueError):
        # The store's own words may quote the address with what it carries.
        raise BadInput("TP-CLIENT-005", "the address cannot be read") from None
    if found.type != fs.FileType.File:
        raise BadInput("TP-CLIENT-005", "there is nothing at the address")
    return [Part(found.base_name, found.size or 0, _opener_at(store, found.path))]


def _opener_at(store: Any, path: str) -> Callable[[], Any]:
    return lambda: store.open_input_file(path)


def _counts(name: str) -> bool:
    """Whether a file of a directory is a part: writers of tables leave marks that begin with ``_`` or ``.``."""
    return not name.startswith(("_", "."))


def _some(parts: list[Part], where: object) -> list[Part]:
    if not parts:
        raise BadInput("TP-CLIENT-005", f"there is no file in {where}")
    return parts


def _of_one(part: Part, told: Told | None) -> Iterator[bytes]:
    with closing(part.open()) as source:
        yield from _read(source, told, part.size)


def _joined(parts: Sequence[Part], told: Told | None, *, header: bool) -> Iterator[bytes]:
    """Lines of one part after the other; the header of the first stands for all, which must have the same."""
    total, sent, first = sum(part.size for part in parts), 0, b""
    for number, part in enumerate(parts):
        with closing(part.open()) as raw, io.BufferedReader(_Raw(raw)) as source:
            line = source.readline(CHUNK).removeprefix(b"\xef\xbb\xbf") if header else b""
            if header and line.count(b'"') % 2:
                raise BadInput(
                    "TP-CLIENT-012", f"the header of {part.name} is more than one line, so parts cannot be joined"
                )
            if number and line.rstrip(b"\r\n") != first.rstrip(b"\r\n"):
                raise BadInput("TP-CLIENT-012", f"the header of {part.name} is not that of {parts[0].name}")
            last = line if line and not number else b"\n"
            first = first or line
            if not number and line:
                yield line if line.endswith(b"\n") else line + b"\n"
            while chunk := source.read(CHUNK):
                yield chunk
                last = chunk
                sent += len(chunk)
                if told is not None:
                    told(sent, total)
            if not last.endswith(b"\n"):
                yield b"\n"


class _Raw(io.RawIOBase):
    """A file of Arrow or Python as what Python buffers."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        got = self._source.read(len(room))
        room[: len(got)] = got
        return len(got)


def _rows_of(parts: Sequence[Part], kind: str, told: Told | None) -> Iterator[bytes]:
    """The rows of Parquet or Arrow files, one file after the other, which must have the same columns."""
    pa = pyarrow("parts of tables and Arrow rows")
    import pyarrow.parquet as pq

    def readers() -> Iterator[Any]:
        for part in parts:
            with closing(part.open()) as source:
                if kind == "parquet":
                    with pq.ParquetFile(source) as file:
                        yield part, file.schema_arrow, file.iter_batches()
                    continue
                mark = source.read(6)
                source.seek(0)
                file = pa.ipc.open_file(source) if mark == b"ARROW1" else pa.ipc.open_stream(source)
                yield part, file.schema, (_batches(file) if mark == b"ARROW1" else file)

    def rows(schema: Any, first: Any, rest: Iterator[Any]) -> Iterator[Any]:
        yield from first
        for part, other, batches in rest:
            if not other.remove_metadata().equals(schema):
                raise BadInput("TP-CLIENT-012", f"the columns of {part.name} are not those of {parts[0].name}")
            for batch in batches:
                yield batch.replace_schema_metadata(None)

    try:
        rest = readers()
        _, schema, batches = next(rest)
        bare = schema.remove_metadata()
        stripped = (batch.replace_schema_metadata(None) for batch in batches)
        yield from _as_ipc(bare, rows(bare, stripped, rest), told)
    except pa.ArrowException:
        raise BadInput("TP-CLIENT-012", f"a part cannot be read as {kind}") from None


def _batches(file: Any) -> Iterator[Any]:
    return (file.get_batch(number) for number in range(file.num_record_batches))


def _as_ipc(schema: "pa.Schema", batches: Any, told: Told | None) -> Iterator[bytes]:
    """Record batches as the bytes of an Arrow stream."""
    pa = pyarrow("parts of tables and Arrow rows")
    sink, sent = io.BytesIO(), 0
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            if sink.tell() >= CHUNK:
                yield sink.getvalue()
                sent += sink.tell()
                sink.seek(0)
                sink.truncate()
                if told is not None:
                    told(sent, None)
    yield sink.getvalue()


def _read(source: Any, told: Told | None, total: int | None) -> Iterator[bytes]:
    sent = 0
    while chunk := source.read(CHUNK):
        yield chunk
        sent += len(chunk)
        if told is not None:
            told(sent, total)


def pyarrow(what: str) -> Any:
    """The library; raise :class:`Unavailable` where it is not installed, which names what needs it."""
    try:
        import pyarrow as pa
        import pyarrow.ipc
    except ImportError:
        raise missing_extra("pyarrow", "plane", what) from None
    return pa
