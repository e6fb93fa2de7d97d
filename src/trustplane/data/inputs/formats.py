"""The formats that tables come in, by name."""

from collections.abc import Mapping
from typing import BinaryIO

from trustplane.data.inputs.arrow_input import read_arrow
from trustplane.data.inputs.csv_input import read_csv
from trustplane.data.inputs.jsonl_input import read_jsonl
from trustplane.data.inputs.parquet_input import read_parquet
from trustplane.data.inputs.reader import Reader
from trustplane.data.inputs.xlsx_input import read_xlsx
from trustplane.values.errors import BadInput

FORMATS = ("csv", "parquet", "arrow", "jsonl", "xlsx")


def check_format(name: str) -> None:
    """Raise ``BadInput`` (TP-DATA-036) for a format that no reader takes."""
    if name not in FORMATS:
        raise BadInput("TP-DATA-036", f"{name[:20]!r} cannot be ingested", why=f"it takes {', '.join(FORMATS)}")


def open_table(name: str, stream: BinaryIO, types: Mapping[str, str], known: Mapping[str, str] | None = None) -> Reader:
    """A table from a seekable stream.

    ``types`` that a user gave, and those ``known`` from before, are for formats without types of their own: CSV, JSON Lines and workbooks.
    """
    match name:
        case "csv":
            return read_csv(stream, types, known)
        case "jsonl":
            return read_jsonl(stream, types, known)
        case "xlsx":
            return read_xlsx(stream, types, known)
        case "arrow":
            return read_arrow(stream)
        case _:
            return read_parquet(stream)
