"""A threat model as arrays over the columns of a table, and the repair of rows that leave it.

Repair is for speed; what counts as an evasion is decided by the validator, which shares nothing with this module.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustplane.training.threats.compiled import Column, Linear, excess_of, linear_of, value_of
from trustplane.training.threats.expressions import Apply, names_in
from trustplane.training.threats.model import Direction, Kind, Norm, ThreatModel, fit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]
_WITHIN = 1 - 1e-6  # of the budget is used, so that rounding to float32 does not pass it
_SWEEPS = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """A relation: by how much rows miss it, the columns it may be mended by, and its linear form where it has one."""

    missed: Column
    columns: Ints
    weights: Floats | None
    constant: float
    equal: bool


@dataclass(frozen=True, slots=True)
class Space:
    """Where an attacker can move. All arrays have shape (features,); ``moves`` are the columns moved directly, groups apart."""

    threat: ThreatModel
    names: tuple[str, ...]
    moves: Ints
    fixed: Ints
    whole: Truths
    low: Floats
    high: Floats
    up: Truths
    down: Truths
    scale: Floats
    cost: Floats
    groups: tuple[Ints, ...]
    derived: tuple[tuple[int, Column], ...]
    rules: tuple[Rule, ...]

    @property
    def distance_allowed(self) -> float:
        """The budget of distance, a little less."""
        return self.threat.budget.distance * _WITHIN


def space_of(threat: ThreatModel, names: Sequence[str]) -> Space:
    """The arrays of a threat model for rows with these names; features that it does not speak of stay as they are."""
    fit(threat, names)
    place = {n: i for i, n in enumerate(names)}
    known = {f.name: f for f in threat.features}
    listed = [known.get(n) for n in names]
    follows = {d.feature for d in threat.derived}
    groups = tuple(np.array([place[m] for m in g.features]) for g in threat.groups if known[g.features[0]].mutable)
    in_group = {int(i) for g in groups for i in g}
    moves = [i for i, f in enumerate(listed) if f is not None and f.mutable and i not in in_group]
    free = {*moves, *in_group, *(place[n] for n in follows)}

    def column(of: Callable[[object], float], default: float) -> Floats:
        return np.array([default if f is None else of(f) for f in listed], np.float64)

    return Space(
        threat,
        tuple(names),
        np.array(moves, np.int64),
        np.array([i for i in range(len(names)) if i not in free], np.int64),
        np.array([f is not None and f.kind is Kind.INTEGER for f in listed]),
        column(lambda f: f.low, -np.inf),  # type: ignore[attr-defined]
        column(lambda f: f.high, np.inf),  # type: ignore[attr-defined]
        np.array([f is not None and f.direction is Direction.UP for f in listed]),
        np.array([f is not None and f.direction is Direction.DOWN for f in listed]),
        column(lambda f: f.scale, np.inf),  # type: ignore[attr-defined]
        column(lambda f: f.cost, 0.0),  # type: ignore[attr-defined]
        groups,
        tuple((place[d.feature], value_of(d.expression, place)) for d in threat.derived),
        tuple(_rule(r.expression, r.tolerance, place, set(moves), threat) for r in threat.relations),
    )


def _rule(expression: object, tolerance: float, place: Mapping[str, int], moves: set[int], threat: ThreatModel) -> Rule:
    assert isinstance(expression, Apply)
    named = set(names_in(expression))
    for derived in threat.derived[::-1]:  # what a derived feature follows from mends the relation too
        if derived.feature in named:
            named |= set(names_in(derived.expression))
    columns = np.array(sorted({place[n] for n in named} & moves), np.int64)
    line: Linear | None = linear_of(expression)
    weights = None
    if line is not None:
        weights = np.zeros(len(place))
        for name, weight in line.weights.items():
            weights[place[name]] = weight
    missed = excess_of(expression, place, tolerance)
    return Rule(missed, columns, weights, line.constant if line else 0.0, line is not None and line.op == "==")


def distances(space: Space, origins: Floats, rows: Floats) -> Floats:
    """How far rows have moved, by the norm of the budget."""
    scaled = np.abs(rows - origins) / space.scale
    if space.threat.budget.norm is Norm.L2:
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", scaled, scaled)))
    return np.asarray(scaled.max(axis=1))


def price(space: Space, origins: Floats, rows: Floats) -> Floats:
    """What the changes of rows cost, features in their scale times their cost; of shape (rows,)."""
    return np.asarray((np.abs(rows - origins) / space.scale) @ space.cost)


def limits(space: Space, origins: Floats) -> tuple[Floats, Floats]:
    """The least and the most that each column of each row may become."""
    low = np.where(space.up, np.maximum(space.low, origins), np.minimum(space.low, origins))
    high = np.where(space.down, np.minimum(space.high, origins), np.maximum(space.high, origins))
    if space.threat.budget.norm is Norm.LINF:
        reach = space.distance_allowed * np.where(np.isfinite(space.scale), space.scale, 0.0)
        low, high = np.maximum(low, origins - reach), np.minimum(high, origins + reach)
    return low, high


def repaired(space: Space, origins: Floats, rows: Floats) -> tuple[Floats, Truths]:
    """``rows`` brought back into the space around ``origins``, and which of them got there; both of shape (rows, features).

    Rows are values of float32, so that a model sees what was judged.
    """
    rows = rows.copy()
    rows[:, space.fixed] = origins[:, space.fixed]
    low, high = limits(space, origins)
    _choose(space, origins, rows)
    _settle(space, origins, rows, low, high)
    _few_features(space, origins, rows)
    _shrink(space, origins, rows)
    if space.rules:
        _mend(space, origins, rows, low, high)
        _shrink(space, origins, rows)
        _revert(space, origins, rows)
    rows = _represented(space, origins, rows)
    return rows, _inside(space, origins, rows)


def _settle(space: Space, origins: Floats, rows: Floats, low: Floats, high: Floats) -> None:
    """Whole numbers, bounds and derived features."""
    whole = space.moves[space.whole[space.moves]]
    rows[:, whole] = np.where(rows[:, whole] == origins[:, whole], origins[:, whole], np.rint(rows[:, whole]))
    rows[:, space.moves] = np.clip(rows[:, space.moves], low[:, space.moves], high[:, space.moves])
    if space.threat.budget.norm is Norm.LINF and len(whole):  # the reach may end between two whole numbers
        moved = rows[:, whole] - origins[:, whole]
        rows[:, whole] = origins[:, whole] + np.where(moved == np.rint(moved), moved, np.trunc(moved))
    _derive(space, rows)


def _derive(space: Space, rows: Floats) -> None:
    for column, value in space.derived:
        rows[:, column] = value(rows)


def _choose(space: Space, origins: Floats, rows: Floats) -> None:
    """The largest column of a one-hot group becomes 1, where the group was touched at all."""
    for group in space.groups:
        touched = np.flatnonzero((rows[:, group] != origins[:, group]).any(axis=1))
        chosen = rows[np.ix_(touched, group)].argmax(axis=1)
        rows[np.ix_(touched, group)] = 0.0
        rows[touched, group[chosen]] = 1.0


def _few_features(space: Space, origins: Floats, rows: Floats) -> None:
    most = space.threat.budget.features
    if most is None:
        return
    moved = np.abs(rows - origins) / space.scale
    if (np.count_nonzero(moved, axis=1) <= most).all() or most >= rows.shape[1]:
        return
    kept = np.argpartition(-moved, most, axis=1)[:, :most]
    mask = np.zeros(rows.shape, bool)
    np.put_along_axis(mask, kept, values=True, axis=1)
    for group in space.groups:  # a choice is kept or undone as a whole
        half = ((rows[:, group] != origins[:, group]) & ~mask[:, group]).any(axis=1)
        mask[half[:, None] & np.isin(np.arange(rows.shape[1]), group)] = False
    rows[:] = np.where(mask, rows, origins)
    _derive(space, rows)


def _shrink(space: Space, origins: Floats, rows: Floats) -> None:
    """Rows outside of the budget go back towards where they came from; whole numbers round towards it, and groups go back at once."""
    for attempt in range(3):
        factor = _allowed(space, origins, rows)
        far = np.flatnonzero(factor < 1.0)
        if not len(far):
            return
        part, before = rows[far], origins[far]
        for group in space.groups:
            part[:, group] = before[:, group]
        by = np.minimum(1.0, _allowed(space, before, part))[:, None] * (1.0 if attempt == 0 else 0.9)
        columns = space.moves
        moved = (part[:, columns] - before[:, columns]) * by
        moved = np.where(space.whole[columns], np.trunc(moved + np.copysign(1e-9, moved)), moved)
        part[:, columns] = before[:, columns] + moved
        _derive(space, part)
        rows[far] = part


def _allowed(space: Space, origins: Floats, rows: Floats) -> Floats:
    """By what the changes of each row may be multiplied and stay within distance and cost; more than 1 where they do."""
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = space.distance_allowed / distances(space, origins, rows)
        if space.threat.budget.cost is not None:
            factor = np.minimum(factor, space.threat.budget.cost * _WITHIN / price(space, origins, rows))
    return np.where(np.isnan(factor), 1.0, factor)


def _mend(space: Space, origins: Floats, rows: Floats, low: Floats, high: Floats) -> None:
    """Linear relations that are missed are met by moving one of their columns, in turns the one that has changed least."""
    for _ in range(_SWEEPS):
        done = True
        for rule in space.rules:
            if rule.weights is None or not len(rule.columns):
                continue
            bad = np.flatnonzero(~(rule.missed(rows) <= 0))
            if not len(bad):
                continue
            done = False
            _meet(space, rule, rows, bad, (origins, low, high))
        _derive(space, rows)
        if done:
            return


def mended(space: Space, origins: Floats, rows: Floats, column: int) -> Floats:
    """Rows of which only ``column`` was moved, with what must move along; in place. What cannot be met is left for :func:`repaired`."""
    touched = [r for r in space.rules if r.weights is not None and column in r.columns]
    if touched:
        low, high = limits(space, origins)
        for rule in touched:
            others = rule.columns[rule.columns != column]
            bad = np.flatnonzero(~(rule.missed(rows) <= 0)) if len(others) else others
            if len(bad):
                alone = Rule(rule.missed, others, rule.weights, rule.constant, rule.equal)
                _meet(space, alone, rows, bad, (origins, low, high))
    _derive(space, rows)
    return rows


def _meet(space: Space, rule: Rule, rows: Floats, bad: Ints, around: tuple[Floats, Floats, Floats]) -> None:
    assert rule.weights is not None
    origins, low, high = (a[bad] for a in around)
    part = rows[bad]
    columns = rule.columns[rule.weights[rule.columns] != 0]
    if not len(columns):
        return
    gap = part @ rule.weights + rule.constant
    target = part[:, columns] - gap[:, None] / rule.weights[columns]
    up = rule.weights[columns] < 0
    target = np.where(space.whole[columns], np.where(up, np.ceil(target - 1e-9), np.floor(target + 1e-9)), target)
    target = np.clip(target, low[:, columns], high[:, columns])
    left = gap[:, None] + (target - part[:, columns]) * rule.weights[columns]
    short = np.abs(left) if rule.equal else np.maximum(left, 0.0)
    # what still misses comes last; among those that meet it the shortest way
    effort = np.abs(target - origins[:, columns]) / space.scale[columns] + 1e6 * (short > 1e-9)
    best = effort.argmin(axis=1)
    rows[bad, columns[best]] = target[np.arange(len(bad)), best]


def _revert(space: Space, origins: Floats, rows: Floats) -> None:
    """What is still missed goes back to where it came from, with all columns that it speaks of; a row that came whole ends whole."""
    for _ in range(_SWEEPS):
        done = True
        for rule in space.rules:
            bad = np.flatnonzero(~(rule.missed(rows) <= 0))
            if len(bad) and len(rule.columns):
                done = False
                rows[bad[:, None], rule.columns] = origins[bad[:, None], rule.columns]
        _derive(space, rows)
        if done:
            return


def _represented(space: Space, origins: Floats, rows: Floats) -> Floats:
    single = rows.astype(np.float32).astype(np.float64)
    kept = np.where(rows == origins, origins, single)
    for column, _ in space.derived:
        old = origins[:, column]
        kept[:, column] = np.where(
            np.abs(kept[:, column] - old) <= 1e-6 * np.maximum(1.0, np.abs(old)), old, kept[:, column]
        )
    # rounding to float32 may pass a bound by a hair
    over, under = kept > np.maximum(space.high, origins), kept < np.minimum(space.low, origins)
    if over.any() or under.any():
        down = np.nextafter(kept.astype(np.float32), np.float32(-np.inf)).astype(np.float64)
        above = np.nextafter(kept.astype(np.float32), np.float32(np.inf)).astype(np.float64)
        kept = np.where(over, down, np.where(under, above, kept))
    return kept


def _inside(space: Space, origins: Floats, rows: Floats) -> Truths:
    inside = np.isfinite(rows).all(axis=1) & (distances(space, origins, rows) <= space.threat.budget.distance)
    if space.threat.budget.cost is not None:
        inside &= price(space, origins, rows) <= space.threat.budget.cost
    if space.threat.budget.features is not None:
        inside &= np.count_nonzero((rows != origins) & np.isfinite(space.scale), axis=1) <= space.threat.budget.features
    for group in space.groups:
        inside &= (np.isin(rows[:, group], (0.0, 1.0))).all(axis=1) & (rows[:, group].sum(axis=1) == 1)
    for column, _ in space.derived:
        same = rows[:, column] == origins[:, column]
        inside &= same | ((rows[:, column] >= space.low[column]) & (rows[:, column] <= space.high[column]))
    for rule in space.rules:
        inside &= rule.missed(rows) <= 0
    return inside
