"""What a protected table is still good for: how far each column is from what it was, and what a model learns from it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from trustplane.values.errors import BadInput, missing_extra

MOST_ROWS = 20_000
MOST_CLASSES = 50
MOST_KINDS = 200
FOLDS = 3

Array = np.ndarray[Any, Any]


def distances(raw: Any, made: Any, kept: Array) -> dict[str, float]:
    """How far the columns of ``made`` are from those of ``raw``, of which the rows ``kept`` are left, in their order: 0 as it was, 1 gone.

    A number that is shown as a number: the mean distance of its rank among the old values from its old rank. Anything else is judged by
    what the shown value still says of the old one: for numbers the mean distance of a rank from the mean rank of all rows that are shown
    alike, for kinds the share of rows that the most common old value of those shown alike would get wrong.
    """
    return {name: round(_distance(raw[name].take(pa.array(kept)), made[name]), 6) for name in made.column_names if name in raw.column_names}  # fmt: skip


def _distance(old: Any, new: Any) -> float:
    if len(old) == 0:
        return 0.0
    if not _is_number(old.type):
        return _wrong(_codes(old), _codes(new))
    ranks = _ranks(_numbers(old))
    if _is_number(new.type):
        return float(np.abs(ranks - _rank_among(_numbers(old), _numbers(new))).mean())
    alike = _codes(new)
    means = np.bincount(alike, weights=ranks) / np.maximum(np.bincount(alike), 1)
    return float(np.abs(ranks - means[alike]).mean())


def scores(raw: Any, made: Any, kept: Array, label: str) -> dict[str, Any]:
    """How well a model tells the column ``label`` from the others, before and after, by the same folds over the same rows.

    The area under the ROC curve (one class against the rest, averaged) of gradient boosting, out of fold. Raises ``BadInput`` (TP-DATA-064)
    where the label is no class, and ``Unavailable`` without the extra ``ml``.
    """
    chosen = np.sort(np.random.Generator(np.random.PCG64(0)).permutation(len(kept))[:MOST_ROWS])
    old = raw.take(pa.array(kept[chosen]))
    new = made.take(pa.array(chosen))
    codes = _codes(old[label])
    counts = np.bincount(codes)
    if not 2 <= len(counts) <= MOST_CLASSES or counts.min() < FOLDS:
        raise BadInput("TP-DATA-064", f"no model can learn the column {label[:80]!r} from this table", why="a label has 2 to 50 values, each in 3 rows or more")  # fmt: skip
    features = [n for n in made.column_names if n != label and n in raw.column_names]
    if not features:
        raise BadInput("TP-DATA-064", f"there is no column beside {label[:80]!r} to learn from")
    before, after = (_score(*_encoded([t[n] for n in features], [old[n] for n in features]), codes) for t in (old, new))
    return {"label": label, "measure": "roc_auc", "before": before, "after": after, "rows": len(codes)}


def _score(points: Array, kinds: Sequence[bool], codes: Array) -> float:
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.metrics import roc_auc_score
        from sklearn.model_selection import StratifiedKFold
    except ImportError as error:
        raise missing_extra("scikit-learn", "ml", "measuring what a model learns from a protected table") from error
    told = np.zeros((len(codes), int(codes.max()) + 1))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(points, codes):
        model = HistGradientBoostingClassifier(random_state=0, categorical_features=list(kinds), max_iter=50)
        told[test] = model.fit(points[train], codes[train]).predict_proba(points[test])
    if told.shape[1] == 2:
        return round(float(roc_auc_score(codes, told[:, 1])), 6)
    return round(float(roc_auc_score(codes, told, multi_class="ovr")), 6)


def _encoded(shown: Sequence[Any], old: Sequence[Any]) -> tuple[Array, list[bool]]:
    """Columns as numbers; which of them are kinds. Ranges of numbers are ordered as the numbers in them are."""
    made, kinds = [], []
    for new, was in zip(shown, old, strict=True):
        if _is_number(new.type):
            made.append(_numbers(new))
            kinds.append(False)
            continue
        codes = _codes(new)
        if _is_number(was.type):
            ranks = _ranks(_numbers(was))
            means = np.bincount(codes, weights=ranks) / np.maximum(np.bincount(codes), 1)
            made.append(means[codes])
            kinds.append(False)
        else:
            made.append(np.minimum(_by_frequency(codes), MOST_KINDS).astype(float))
            kinds.append(True)
    return np.stack(made, axis=1), kinds


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _numbers(column: Any) -> Array:
    numbers = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    plain: Array = np.nan_to_num(np.asarray(numbers, float), nan=-1e300, posinf=1e300, neginf=-1e300)
    return plain


def _codes(column: Any) -> Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or _is_number(column.type)):
        column = column.cast(pa.string()) if not pa.types.is_dictionary(column.type) else column.dictionary_decode()
    return np.asarray(column.dictionary_encode("encode").indices.to_numpy(zero_copy_only=False))


def _by_frequency(codes: Array) -> Array:
    order: Array = np.argsort(np.argsort(-np.bincount(codes), kind="stable"), kind="stable")
    return np.asarray(order[codes])


def _ranks(numbers: Array) -> Array:
    return _rank_among(numbers, numbers)


def _rank_among(known: Array, numbers: Array) -> Array:
    """Where numbers stand among the known ones: 0 below all, 1 above all, in the middle of equals."""
    ordered = np.sort(known)
    return np.asarray(
        (np.searchsorted(ordered, numbers, "left") + np.searchsorted(ordered, numbers, "right")) / (2 * len(ordered))
    )


def _wrong(old: Array, shown: Array) -> float:
    """The share of rows that are not of the most common old value of those shown alike."""
    pairs, counts = np.unique(np.stack([shown, old], axis=1), axis=0, return_counts=True)
    most = np.zeros(int(shown.max()) + 1, np.int64)
    np.maximum.at(most, pairs[:, 0], counts)
    return 1.0 - float(most.sum()) / len(old)
