"""A threat model drafted from data: types, bounds, one-hot groups, and relations that hold on every row.

A draft says what the data show, not what an attacker can do: which features are mutable, at which cost, is for people to decide.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trustplane.training.threats.discovery import discovered
from trustplane.training.threats.expressions import parse_truth
from trustplane.training.threats.model import (
    Budget,
    Feature,
    Goal,
    Group,
    Kind,
    Knowledge,
    Norm,
    Relation,
    ThreatModel,
)
from trustplane.values.errors import BadInput

DISTANCE = 0.5
"""The distance that TabularBench attacks with (arXiv 2408.07579), for features scaled to their range."""
LEAST_ROWS = 20
Floats = npt.NDArray[np.float64]


def draft_threat(
    name: str,
    names: Sequence[str],
    rows: Floats,
    *,
    immutable: Sequence[str] = (),
    knowledge: Knowledge = Knowledge.SCORES,
    start: int = 1,
) -> ThreatModel:
    """Draft from ``rows`` of shape (rows, features); raise :class:`BadInput` (TP-RUN-046) where there is too little to draft from."""
    if rows.ndim != 2 or rows.shape[1] != len(names) or len(rows) < LEAST_ROWS or not np.isfinite(rows).all():
        raise BadInput(
            "TP-RUN-046", f"a draft needs {LEAST_ROWS} or more rows of numbers, without gaps, under {len(names)} names"
        )
    rows = np.asarray(rows, np.float64)
    groups = one_hot_groups(names, rows)
    grouped = {f for g in groups for f in g.features}
    features = tuple(
        _feature(n, rows[:, i], grouped=n in grouped, fixed=n in set(immutable)) for i, n in enumerate(names)
    )
    fixed = {m for g in groups if not all(f.mutable for f in features if f.name in g.features) for m in g.features}
    features = tuple(
        Feature(f.name, f.kind, f.mutable and f.name not in fixed, f.low, f.high, f.direction, f.scale, f.cost)
        for f in features
    )
    free = [i for i, n in enumerate(names) if n not in grouped]
    relations = tuple(
        Relation(text, text, parse_truth(text)) for text in discovered([names[i] for i in free], rows[:, free])
    )
    return ThreatModel(
        name, features, Budget(Norm.L2, DISTANCE), groups, (), relations, knowledge, Goal(start), draft=True
    )


def one_hot_groups(names: Sequence[str], rows: Floats) -> tuple[Group, ...]:
    """Columns of 0 and 1 whose names begin alike and that sum to 1 on every row."""
    binary = [i for i in range(len(names)) if np.isin(rows[:, i], (0.0, 1.0)).all()]
    found, taken = [], set[int]()
    for mark in ("=", "__", "_", " ", "."):
        by_prefix: dict[str, list[int]] = {}
        for i in binary:
            if i not in taken and mark in names[i]:
                by_prefix.setdefault(names[i].rsplit(mark, 1)[0], []).append(i)
        for prefix, members in by_prefix.items():
            if len(members) > 1 and (rows[:, members].sum(axis=1) == 1).all():
                found.append(Group(prefix, tuple(names[i] for i in members)))
                taken.update(members)
    return tuple(found)


def _feature(name: str, column: Floats, *, grouped: bool, fixed: bool) -> Feature:
    low, high = float(column.min()), float(column.max())
    whole = bool((column == np.floor(column)).all())
    kind = Kind.CATEGORY if grouped else Kind.INTEGER if whole else Kind.REAL
    return Feature(name, kind, low < high and not fixed, low, high, scale=high - low if high > low else 1.0)
