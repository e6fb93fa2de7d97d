"""Datasets and views."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from trustplane.client.files import PRIVATE, whole
from trustplane.client.records import Record, Records
from trustplane.client.sources import CHUNK, Told, pyarrow, read_source
from trustplane.client.tensors import Tensors, loader
from trustplane.client.wire import Wire, segment
from trustplane.values.errors import BadInput, missing_extra

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


class Datasets:
    """The datasets of a project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/datasets"

    def list(self) -> Records:
        """Every dataset that you may see."""
        return Records(map(Record, self._wire.pages(self._at)))

    def get(self, name: str, version: int | None = None) -> Record:
        """A dataset with its versions, and the columns of one of them."""
        return Record(self._wire.get(f"{self._at}/{segment(name)}", version=version))

    def ingest(
        self,
        name: str,
        file: Any,
        *,
        purposes: Sequence[str] = (),
        lawful_basis: str = "",
        retention_days: int | None = None,
        progress: Told | None = None,
        **said: Any,
    ) -> Record:
        """Send a table as a new version of a dataset; memory does not grow with it, except for Excel.

        ``file`` is the path of a CSV, Parquet, Arrow, JSON Lines or Excel file, or of a directory of parts; an address such as
        ``s3://bucket/table/``, read with the credentials of the environment; a binary stream; or anything that gives Arrow rows, such as a
        frame of Polars or pandas, or the reader of an ADBC cursor.
        ``said`` may hold ``format`` (else told by the file's name), ``source``, ``description``, ``types`` (by column), ``exact``: whether
        discovery looks at every row, and not at a sample alone, ``append``: whether the rows of the last version are kept too, and ``label``:
        the column that a model is to learn.
        """
        kind, chunks = read_source(file, said.get("format"), progress)
        params = {
            "format": kind,
            "purpose": list(purposes),
            "lawful_basis": lawful_basis or None,
            "retention_days": retention_days,
            "source": said.get("source"),
            "description": said.get("description"),
            "type": [f"{column}:{t}" for column, t in (said.get("types") or {}).items()],
            "exact": bool(said.get("exact")) or None,
            "append": bool(said.get("append")) or None,
            "label": said.get("label"),
        }
        return Record(self._wire.upload(f"{self._at}/{segment(name)}/versions", chunks, params))

    def confirm(self, name: str, changes: Mapping[str, str] | None = None, number: int | None = None) -> Record:
        """Confirm the classes of a version's columns, with changes to some."""
        body = {"changes": dict(changes or {}), "number": number}
        return Record(self._wire.post(f"{self._at}/{segment(name)}/classification", body))

    def diff(self, name: str, old: int | None = None, new: int | None = None, *, key: Sequence[str] = ()) -> Record:
        """What differs between two versions, the last two without numbers: ``schema``, ``rows``, ``columns``. Counts alone."""
        body = {"old": old, "new": new, "key": list(key)}
        return Record(self._wire.post(f"{self._at}/{segment(name)}/compare", body))

    def look(self, name: str, version: int | None = None) -> Record:
        """What the look for poisoning found in a version: ``state``, ``figures``, and ``signs`` with columns and rows, no value."""
        return Record(self._wire.get(f"{self._at}/{segment(name)}/look", version=version))

    def settle(self, name: str, version: int, *, reason: str) -> Record:
        """Say why a version may be used although something was found in it; it goes on record."""
        return Record(self._wire.post(f"{self._at}/{segment(name)}/versions/{version}/settle", {"reason": reason}))

    def reveal(self, name: str, column: str, values: Sequence[str], *, reason: str) -> tuple[str, ...]:
        """What stands behind tokens of a column that a recipe made, in their order."""
        body = {"column": column, "values": list(values), "reason": reason}
        return tuple(self._wire.post(f"{self._at}/{segment(name)}/reveal", body)["items"])

    def datasheet(self, name: str, version: int | None = None) -> Record:
        """The datasheet: ``croissant`` is JSON-LD of Croissant 1.0, ``missing`` names the questions that nobody has answered."""
        return Record(self._wire.get(f"{self._at}/{segment(name)}/datasheet", version=version))

    def report(self, name: str, target: str | Path, version: int | None = None) -> Path:
        """Write the report of the protection that made a version to a file, by its ending: a page that stands alone, or its figures as JSON."""
        kind = "json" if Path(target).suffix == ".json" else "html"
        return self._wire.fetch(f"{self._at}/{segment(name)}/protection", target, version=version, format=kind)

    def describe(self, name: str, **parts: str) -> Record:
        """Answer questions of the datasheet by their names, such as ``collection`` and ``biases``."""
        return Record(self._wire.put(f"{self._at}/{segment(name)}/datasheet", {"parts": parts}))


class Views:
    """The views of a project: the only way to rows."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._project = f"/projects/{segment(project)}"
        self._at = f"{self._project}/views"

    def list(self) -> Records:
        """Every view that you may see."""
        return Records(map(Record, self._wire.pages(self._at)))

    def get(self, name: str) -> Record:
        """A view, without its rows."""
        return Record(self._wire.get(f"{self._at}/{segment(name)}"))

    def create(
        self, name: str, dataset: str, columns: Sequence[str], *, purpose: str, days: float = 30, **said: Any
    ) -> Record:
        """Make a view. ``said`` may hold ``filter``, ``pseudonyms``, ``version``, and limits: ``masks`` (columns with how many last
        characters show), ``unmasked`` (roles), ``groups`` (the least rows of an aggregate, of which alone it then gives) and ``sample``."""
        body = {"name": name, "dataset": dataset, "columns": list(columns), "purpose": purpose, "days": days}
        return Record(self._wire.post(self._at, body | {k: v for k, v in said.items() if v is not None}))

    def ask(
        self,
        name: str,
        dataset: str,
        columns: Sequence[str],
        *,
        purpose: str,
        reason: str,
        days: float = 30,
        **said: Any,
    ) -> Record:
        """Ask for a view as :meth:`create` would make it, for a reason; a data steward decides."""
        body = {"name": name, "dataset": dataset, "columns": list(columns), "purpose": purpose, "days": days}
        body |= {"reason": reason, **{k: v for k, v in said.items() if v is not None}}
        return Record(self._wire.post(f"{self._project}/view-requests", body))

    def requests(self) -> Records:
        """What was asked for, the newest first."""
        return Records(map(Record, self._wire.get(f"{self._project}/view-requests")["items"]))

    def grant(self, request: str, *, answer: str = "", days: float | None = None) -> Record:
        """Make the view that was asked for, for ``days`` where not for as long as was asked."""
        return Record(
            self._wire.post(f"{self._project}/view-requests/{segment(request)}/grant", {"answer": answer, "days": days})
        )

    def refuse(self, request: str, *, answer: str) -> Record:
        """Refuse a view, for a reason."""
        return Record(self._wire.post(f"{self._project}/view-requests/{segment(request)}/refuse", {"answer": answer}))

    def revoke(self, name: str) -> None:
        """Take a view back."""
        self._wire.delete(f"{self._at}/{segment(name)}")

    def batches(
        self, name: str, purpose: str | None = None, *, columns: Sequence[str] = ()
    ) -> "Iterator[pa.RecordBatch]":
        """The rows as Arrow record batches, as they come; of some ``columns`` alone, where these are named."""
        ipc = pyarrow("rows of a view").ipc
        asked = {"purpose": purpose, "column": list(columns) or None}
        with (
            self._wire.stream(f"{self._at}/{segment(name)}/rows", **asked) as answer,
            ipc.open_stream(_Pull(answer.iter_bytes(CHUNK))) as reader,
        ):
            yield from reader

    def arrow(self, name: str, purpose: str | None = None) -> "pa.Table":
        """The rows as an Arrow table."""
        ipc = pyarrow("rows of a view").ipc
        with (
            self._wire.stream(f"{self._at}/{segment(name)}/rows", purpose=purpose) as answer,
            ipc.open_stream(_Pull(answer.iter_bytes(CHUNK))) as reader,
        ):
            return reader.read_all()

    def protect(self, name: str, recipe: str, into: str) -> Record:
        """Carry out a recipe, a TOML text, on the rows of a view: a new dataset ``into``, with ``figures`` of its risk before and after."""
        return Record(self._wire.post(f"{self._at}/{segment(name)}/protect", {"recipe": recipe, "into": into}))

    def query(self, sql: str, purpose: str | None = None) -> "pa.Table":
        """The answer to one SELECT over views, as an Arrow table. Each view is opened for ``purpose``, its own without one."""
        ipc = pyarrow("rows of a view").ipc
        body = {"sql": sql, "purpose": purpose}
        with (
            self._wire.asked(f"{self._project}/query", body) as answer,
            ipc.open_stream(_Pull(answer.iter_bytes(CHUNK))) as reader,
        ):
            return reader.read_all()

    def save(self, name: str, file: str | Path, purpose: str | None = None) -> int:
        """Write the rows in plaintext to a CSV, Parquet or Arrow file, by its ending, readable by you alone; return how many."""
        target, ipc = Path(file), pyarrow("rows of a view").ipc
        kind = _kind_of(target)
        rows = 0
        with (
            self._wire.stream(f"{self._at}/{segment(name)}/rows", purpose=purpose) as answer,
            ipc.open_stream(_Pull(answer.iter_bytes(CHUNK))) as reader,
            whole(target, PRIVATE) as out,
            _writer(kind, out, reader.schema) as writer,
        ):
            for batch in reader:
                writer.write_batch(batch)
                rows += batch.num_rows
        return rows

    def torch(self, name: str, features: Sequence[str], label: str | None = None, **how: Any) -> Any:
        """The rows as a ``torch.utils.data.IterableDataset`` of batches, to walk or to give to ``DataLoader(…, batch_size=None)``.

        A batch is a tensor of the ``features``, or a pair of it and the ``label``, whole numbers where these are whole. ``how`` may hold
        ``batch`` (rows), ``shuffle`` (the rows of a buffer to draw from), ``seed``, ``dtype`` and ``purpose``. Each walk opens the view, on record.
        """
        purpose = how.pop("purpose", None)
        said = Tensors(tuple(features), label, **how)
        return loader(lambda columns: self.batches(name, purpose, columns=columns), said)

    def pandas(self, name: str, purpose: str | None = None) -> Any:
        """The rows as a pandas frame."""
        try:
            import pandas as pd
        except ImportError:
            raise missing_extra("pandas", "ml", "a view as a pandas frame") from None
        frame: pd.DataFrame = self.arrow(name, purpose).to_pandas()
        return frame

    def polars(self, name: str, purpose: str | None = None) -> "pl.DataFrame":
        """The rows as a Polars frame."""
        try:
            import polars as pl
        except ImportError:
            raise missing_extra("polars", "frames", "a view as a Polars frame") from None
        frame = pl.from_arrow(self.arrow(name, purpose))
        assert isinstance(frame, pl.DataFrame)
        return frame


class _Pull:
    """A file that reads from chunks as they come."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        parts, have = [self._left], len(self._left)
        while size < 0 or have < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            have += len(chunk)
        whole = b"".join(parts)
        taken, self._left = (whole, b"") if size < 0 else (whole[:size], whole[size:])
        return taken

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def _kind_of(file: Path) -> str:
    if file.suffix.lower() not in {".csv", ".parquet", ".arrow"}:
        raise BadInput("TP-CLIENT-008", f"the ending of {file.name!r} names no format")
    return file.suffix.lower()


def _writer(kind: str, out: BinaryIO, schema: Any) -> Any:
    if kind == ".csv":
        from pyarrow import csv

        return csv.CSVWriter(out, schema)
    if kind == ".parquet":
        from pyarrow import parquet

        return parquet.ParquetWriter(out, schema)
    return pyarrow("rows of a view").ipc.new_file(out, schema)
