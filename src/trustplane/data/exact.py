"""A look at every row: what the recognisers say of whole columns, block by block, in bounded memory.

A block is a million rows, or fewer where rows are long. Of a column that several blocks hold, the surest word counts,
so that a kind of value which fills one stretch of a table is not diluted by the rest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.profile import Proposal, propose
from trustplane.data.recognisers.contract import ColumnSample, Recogniser
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.sampling import text_of

ROWS = 1_000_000
BYTES = 512 << 20


class ExactPass:
    """Collects record batches of ``schema`` and lets the recognisers judge all of their values."""

    def __init__(
        self, schema: Any, recognisers: Sequence[Recogniser] | None = None, *, rows: int = ROWS, size: int = BYTES
    ) -> None:
        self._schema = schema
        self._recognisers = installed_recognisers() if recognisers is None else tuple(recognisers)
        self._most = rows, size
        self._batches: list[Any] = []
        self._best: list[Proposal] | None = None

    def add(self, batch: Any) -> None:
        """Take one more record batch."""
        self._batches.append(batch)
        rows = sum(each.num_rows for each in self._batches)
        if rows >= self._most[0] or sum(each.nbytes for each in self._batches) >= self._most[1]:
            self._judge()

    def proposals(self) -> tuple[Proposal, ...]:
        """What was found, in the order of the schema; the proposals of empty columns where there was no row."""
        if self._batches or self._best is None:
            self._judge()
        assert self._best is not None
        return tuple(self._best)

    def _judge(self) -> None:
        found = [propose(self._column(at), self._recognisers) for at in range(len(self._schema))]
        self._batches.clear()
        if self._best is None:
            self._best = found
        else:
            self._best = [
                max(pair, key=lambda each: (bool(each.entity), each.confidence))
                for pair in zip(self._best, found, strict=True)
            ]

    def _column(self, at: int) -> ColumnSample:
        field = self._schema.field(at)
        values = pa.chunked_array([batch.column(at) for batch in self._batches], field.type)
        raw, counts = _counted(_countable(values).drop_null())
        texts = text_of(raw)
        if not _is_number(raw.type) and not texts.equals(raw):  # some may have differed in spaces or scripts alone
            codes = texts.dictionary_encode()
            sums = np.bincount(codes.indices.to_numpy(zero_copy_only=False), counts, len(codes.dictionary))
            texts, counts = codes.dictionary, sums.astype(np.int64)
        return ColumnSample(field.name, str(field.type), texts, counts, int(counts.sum()))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _counted(values: Any) -> tuple[Any, npt.NDArray[np.int64]]:
    """The distinct values and how often each stands there. Numbers are sorted, which is faster than to hash them."""
    if _is_number(values.type):
        numbers, counts = np.unique(values.to_numpy(), return_counts=True)
        return pa.array(numbers, values.type), counts.astype(np.int64)
    tally = pc.value_counts(values)
    return tally.field("values"), tally.field("counts").to_numpy(zero_copy_only=False).astype(np.int64)


def _countable(values: Any) -> Any:
    """Types that Arrow can count: dictionaries are decoded, large text is ordinary text."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return values.cast(kind.value_type)
    return values
