"""Labels that speak against their neighbours: confident learning (Northcutt, Jiang and Chuang 2021) over the nearest rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.poisoning.blocks import BLOCKS, LEAST
from trustplane.data.poisoning.signs import FIRST, Sign, surprising

SAMPLE = 8_000
"""Rows that are looked at, drawn evenly."""
NEIGHBOURS = 15
MOST_LABELS = 50
MOST_KINDS = 50
LEAST_ROWS = 200
RISE = 0.02
"""A rise of the share of doubtful labels over the last version that is a sign, if it is beyond chance too."""
LARGER = 3.0

Array = np.ndarray[Any, Any]


class Labels:
    """Keeps an even sample of rows, and doubts the labels that most of their neighbours contradict."""

    def __init__(self, label: str, columns: Sequence[str], rows: int, seed: int) -> None:
        self._label = label
        self._columns = [c for c in columns if c != label]
        self._rows, self._seen = rows, 0
        self._share = min(1.0, SAMPLE / max(rows, 1))
        self._dice = np.random.Generator(np.random.PCG64(seed))
        self._kept: list[Any] = []
        self._places: list[Array] = []

    def add(self, batch: Any) -> None:
        """Look at one more record batch."""
        chosen = np.flatnonzero(self._dice.random(batch.num_rows) < self._share)
        if len(chosen):
            self._kept.append(batch.select([*self._columns, self._label]).take(pa.array(chosen)))
            self._places.append(chosen + self._seen)
        self._seen += batch.num_rows

    def doubts(self) -> tuple[Array, Array, Array]:
        """The rows that were looked at and have a label, counted from 0; which of them are doubted; how likely each label is by its neighbours.

        All empty where the column is no class.
        """
        nothing = np.empty(0, np.int64), np.empty(0, bool), np.empty(0)
        table = pa.Table.from_batches(self._kept) if self._kept else None
        codes = None if table is None else _codes(table.column(self._label).combine_chunks())
        if table is None or codes is None:
            return nothing
        places, known = np.concatenate(self._places), codes >= 0
        table, codes, places = table.filter(pa.array(known)), codes[known], places[known]
        if len(codes) < LEAST_ROWS:
            return nothing
        near = _shares(_encoded(table, self._columns, codes), codes, int(codes.max()) + 1)
        return places, confident_doubts(near, codes), near[np.arange(len(codes)), codes]

    def result(self, before: float | None) -> tuple[dict[str, float], list[Sign]]:
        """Figures, and signs: more doubtful labels than in the last version, or many of them together."""
        places, doubted, likely = self.doubts()
        if not len(places):
            return {"rows": 0}, []
        share = float(doubted.mean())
        figures = {"rows": len(places), "doubtful": int(doubted.sum()), "share": round(share, 6)}
        worst = places[doubted][np.argsort(likely[doubted], kind="stable")][:FIRST]
        rows = tuple(sorted(int(p) + 1 for p in worst))
        signs = []
        if before is not None and share - before > RISE and surprising(int(doubted.sum()), len(places), before, 1):
            said = f"{100 * share:.1f} % of the labels speak against their neighbours, {100 * before:.1f} % did in the last version"
            signs.append(Sign("labels", said, self._label, rows=rows, figures=figures))
        return figures, [*signs, *self._together(doubted, places)]

    def _together(self, doubted: Array, places: Array) -> list[Sign]:
        """Blocks of rows with far more doubtful labels than the rest."""
        size = max(LEAST, -(-self._rows // (BLOCKS // 4)))
        at = places // size
        hits, seen = np.bincount(at[doubted], minlength=at.max() + 1), np.bincount(at)
        signs = []
        for block in np.flatnonzero(hits).tolist():
            here, of = int(hits[block]), int(seen[block])
            rest = (int(hits.sum()) - here + 1) / (int(seen.sum()) - of + 2)
            if here < LARGER * rest * of or not surprising(here, of, rest, len(hits)):
                continue
            bounds = block * size + 1, min((block + 1) * size, self._seen)
            said = (
                f"{here:,} of {of:,} labels looked at in the rows {bounds[0]:,} to {bounds[1]:,} speak against their neighbours, "
                f"{100 * rest:.1f} % do elsewhere"
            )
            named = tuple((places[(at == block) & doubted][:FIRST] + 1).tolist())
            signs.append(Sign("labels", said, self._label, *bounds, named, {"doubtful": here, "of": of}))
        return signs


def confident_doubts(near: Array, codes: Array) -> Array:
    """Which rows are confidently of another class than their label.

    ``near[i, c]`` is how likely row ``i`` is of class ``c`` without looking at its own label. A class is confident of a row where that
    is at least the mean over the rows that are labelled with the class.
    """
    own = near[np.arange(len(codes)), codes]
    held = np.bincount(codes, minlength=near.shape[1])
    mean = np.bincount(codes, weights=own, minlength=near.shape[1]) / np.maximum(held, 1)
    confident = np.where((near >= mean) & (held > 0), near, -1.0)
    best = confident.argmax(axis=1)
    sure = confident[np.arange(len(codes)), best] >= 0
    return np.asarray(sure & (best != codes))


def _codes(column: Any) -> Array | None:
    """The label as small numbers, -1 where it is missing; None where it is no class."""
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    coded = column.dictionary_encode()
    if not 2 <= len(coded.dictionary) <= MOST_LABELS:
        return None
    return np.asarray(pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False))


def _encoded(table: Any, columns: Sequence[str], codes: Array) -> Array:
    """Rows as points: numbers by their rank, few kinds each by a coordinate, each weighed by how far the label follows from it."""
    made: list[Array] = []
    for name in columns:
        column = table.column(name).combine_chunks()
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
            numbers = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            made.append(_ranks(np.nan_to_num(numbers, nan=-np.inf)))
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            coded = column.dictionary_encode()
            if 2 <= len(coded.dictionary) <= MOST_KINDS:
                indices = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
                made += [(indices == kind) / np.sqrt(2) for kind in range(len(coded.dictionary))]
    if not made:
        return np.zeros((len(codes), 1), np.float32)
    points = np.stack(made, axis=1).astype(np.float32)
    return np.asarray(points * np.sqrt(_weights(points, codes)))


def _ranks(numbers: Array) -> Array:
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - counts / 2
    return np.asarray(middles[inverse] / max(len(numbers), 1))


def _weights(points: Array, codes: Array) -> Array:
    """The share of each coordinate's variance that lies between the labels (eta squared), never nothing."""
    total = points.var(axis=0)
    between = np.zeros(points.shape[1])
    mean = points.mean(axis=0)
    for code in np.unique(codes):
        mine = points[codes == code]
        between += len(mine) / len(points) * (mine.mean(axis=0) - mean) ** 2
    return np.asarray(np.where(total > 0, between / np.maximum(total, 1e-12), 0.0) + 1e-3, np.float32)


def _shares(points: Array, codes: Array, classes: int) -> Array:
    """For each row the share of each label among its nearest rows, itself left out."""
    count = min(NEIGHBOURS, len(points) - 1)
    squares = (points**2).sum(axis=1)
    shares = np.empty((len(points), classes))
    for start in range(0, len(points), 500):
        end = min(start + 500, len(points))
        apart = squares[None, :] - 2 * points[start:end] @ points.T
        apart[np.arange(end - start), np.arange(start, end)] = np.inf
        nearest = np.argpartition(apart, count, axis=1)[:, :count]
        for code in range(classes):
            shares[start:end, code] = (codes[nearest] == code).mean(axis=1)
    return shares
