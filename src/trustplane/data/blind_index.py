"""The blind index of a version: keyed hashes of what identifies people in it, and in which rows they stand.

Whoever looks for a person hashes what the person gave under the key of the index and looks that up: no column is decrypted. Each version
has an index key of its own, so nothing can be linked between versions by their indices, and the index dies with the keys of its version.
"""

import hashlib
import hmac
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.pseudonyms import called

NAME = "index"
"""How a version names the key of its index."""
NOT_UNIQUE = frozenset(
    {"PERSON", "LOCATION", "DATE_TIME", "AGE", "NRP", "IP_ADDRESS", "ABA_ROUTING_NUMBER", "PASSWORD", "SECRET"}
)
"""Entities (as Presidio names them) that many people share, and secrets: a name finds namesakes. Columns of these are not indexed."""
_SIZE = 16
_SKIPPED = str.maketrans("", "", " -./()\u00a0\u2010\u2011\u2012\u2013\u2212")
_SCHEMA = pa.schema([("tag", pa.binary(_SIZE)), ("row", pa.uint64()), ("column", pa.uint16())])


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a person is called in some table; in one column where that is said, else in any that is indexed."""

    value: str
    column: str | None = None

    def __repr__(self) -> str:
        return f"Identifier(column={self.column!r})"


def normal(value: str) -> str:
    """``value`` as it is compared: NFKC, without case, separators and blanks; so 'DE89 3704…' is 'de893704…'."""
    return unicodedata.normalize("NFKC", value).casefold().translate(_SKIPPED)


def indexed_columns(classes: Mapping[str, str], proposals: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that tell one person from all others: identifiers, except what people share, such as names."""
    return tuple(
        name
        for name, klass in classes.items()
        if klass == "identifier" and proposals.get(name, {}).get("entity") not in NOT_UNIQUE
    )


def subject_of_index(version_id: str) -> str:
    """How the object of an index is named."""
    return f"subject-index:{version_id}"


class IndexBuilder:
    """Takes the batches of a table in order. Memory: 26 bytes for each value of an indexed column."""

    def __init__(self, key: SecretKey, columns: Sequence[str]) -> None:
        self._secret = _tag_key(key)
        self._columns = tuple(columns)
        self._tags: list[np.ndarray[Any, Any]] = []
        self._rows: list[np.ndarray[Any, Any]] = []
        self._places: list[np.ndarray[Any, Any]] = []
        self._seen = 0

    def add(self, batch: Any) -> None:
        """Take a batch."""
        for place, name in enumerate(self._columns):
            encoded = batch.column(name).cast(pa.string()).dictionary_encode()
            tags = np.array([_tag(self._secret, v) for v in encoded.dictionary.to_pylist()], dtype=f"V{_SIZE}")
            there = encoded.indices.is_valid().to_numpy(zero_copy_only=False)
            self._tags.append(tags[encoded.indices.drop_null().to_numpy()])
            self._rows.append(np.flatnonzero(there).astype(np.uint64) + np.uint64(self._seen))
            self._places.append(np.full(int(there.sum()), place, np.uint16))
        self._seen += batch.num_rows

    def chunks(self) -> Iterable[bytes]:
        """The index, sorted by tag, as an Arrow stream."""
        tags = np.concatenate(self._tags) if self._tags else np.empty(0, f"V{_SIZE}")
        order = np.argsort(tags.view(f"S{_SIZE}"), kind="stable") if len(tags) else np.empty(0, np.int64)
        rows = np.concatenate(self._rows)[order] if len(tags) else np.empty(0, np.uint64)
        places = np.concatenate(self._places)[order] if len(tags) else np.empty(0, np.uint16)
        sorted_tags = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(_SIZE), len(tags), [None, pa.py_buffer(tags[order].tobytes())]
        )
        schema = _SCHEMA.with_metadata({"columns": "\0".join(self._columns)})
        batch = pa.record_batch([sorted_tags, pa.array(rows), pa.array(places)], schema=schema)
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(batch)
        yield sink.getvalue()


def look_up(key: SecretKey, chunks: Iterable[bytes], identifiers: Iterable[Identifier]) -> dict[int, tuple[str, ...]]:
    """The rows of a version, counted from 0, in which one of ``identifiers`` stands, each with the columns that say so."""
    with pa.ipc.open_stream(io.BytesIO(b"".join(chunks))) as reader:
        columns = (reader.schema.metadata or {}).get(b"columns", b"").decode().split("\0")
        table = reader.read_all()
    secret = _tag_key(key)
    tags = np.frombuffer(b"".join(_raw(chunk) for chunk in table["tag"].chunks), dtype=f"V{_SIZE}")
    rows, places = table["row"].to_numpy(), table["column"].to_numpy()
    found: dict[int, set[str]] = {}
    for wanted in identifiers:
        for at in np.flatnonzero(tags == np.void(_tag(secret, wanted.value))):
            column = columns[int(places[at])]
            if wanted.column is None or wanted.column == column:
                found.setdefault(int(rows[at]), set()).add(column)
    return {row: tuple(sorted(names)) for row, names in sorted(found.items())}


def _raw(chunk: Any) -> bytes:
    """The bytes of an array of tags, none of which is null."""
    start = chunk.offset * _SIZE
    return bytes(chunk.buffers()[1].to_pybytes()[start : start + len(chunk) * _SIZE])


def _tag_key(key: SecretKey) -> bytes:
    """The secret of the tags: the key itself encrypts the index, and does nothing else."""
    return hmac.digest(key.material, b"trustplane/subject-index/v1", hashlib.sha256)


def _tag(secret: bytes, value: str) -> bytes:
    return hmac.digest(secret, normal(called(value)).encode(), hashlib.sha256)[:_SIZE]
