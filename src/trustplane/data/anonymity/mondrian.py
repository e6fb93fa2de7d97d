"""Mondrian: classes by splitting at the median of the widest column, again and again, while both halves hold (LeFevre et al. 2006).

Local recoding: a value may be shown more or less exactly in different classes, which loses far less for training than one level for all.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trustplane.data.anonymity.hierarchies import Column
from trustplane.data.anonymity.models import Model, holds

Array = np.ndarray[Any, Any]


def partition(columns: Sequence[Column], model: Model, sensitive: Array | None = None) -> Array:
    """The class of each row. Where all rows together do not hold, the classes are one; check with ``holds``."""
    codes = np.stack([c.codes for c in columns], axis=1)
    spans = np.maximum(codes.max(0, initial=0) - codes.min(0, initial=0), 1) if len(codes) else np.ones(len(columns))
    width = 0 if sensitive is None else int(sensitive.max(initial=0)) + 1
    whole = None if sensitive is None else np.bincount(sensitive, minlength=width) / max(len(sensitive), 1)
    found = np.zeros(len(codes), np.int64)
    waiting, done = [np.arange(len(codes))], 0
    while waiting:
        rows = waiting.pop()
        halves = _split(codes, rows, spans, model, sensitive, width, whole)
        if halves is None:
            found[rows] = done
            done += 1
        else:
            waiting += halves
    return found


def _split(
    codes: Array, rows: Array, spans: Array, model: Model, sensitive: Array | None, width: int, whole: Array | None
) -> list[Array] | None:
    if len(rows) < 2 * model.k:
        return None
    here = codes[rows]
    widths = (here.max(0) - here.min(0)) / spans
    for place in np.argsort(-widths, kind="stable"):
        if widths[place] <= 0:
            return None
        column = here[:, place]
        middle = np.partition(column, len(column) // 2)[len(column) // 2]
        for left in (column < middle, column <= middle):  # strict: equal values stay together
            halves = [rows[left], rows[~left]]
            if all(_fits(half, model, sensitive, width, whole) for half in halves):
                return halves
    return None


def _fits(rows: Array, model: Model, sensitive: Array | None, width: int, whole: Array | None) -> bool:
    if len(rows) < model.k:
        return False
    if sensitive is None or whole is None:
        return True
    counts = np.bincount(sensitive[rows], minlength=width)
    if int((counts > 0).sum()) < model.l:
        return False
    return bool(model.t >= 1 or np.abs(counts / len(rows) - whole).sum() / 2 <= model.t + 1e-12)


def everything_holds(rows: int, model: Model, sensitive: Array | None) -> bool:
    """Whether all rows in one class hold: what cannot be reached there cannot be reached at all."""
    counts = None if sensitive is None else np.bincount(sensitive)[None, :]
    return bool(holds(model, np.array([rows]), counts)[0])
