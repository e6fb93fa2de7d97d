"""The referee: whether a changed row could exist and was within the attacker's means.

Every evasion passes here before it counts. The module shares the parsed threat model with the attacks and no other line of code.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import numpy.typing as npt

from trustplane.training.threats.expressions import Apply, Expression, Name, Number
from trustplane.training.threats.model import Direction, Feature, Kind, Norm, ThreatModel, fit

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
_ROUNDING = 1e-7  # of a budget, for sums of squares


@dataclass(frozen=True, slots=True)
class Validity:
    """``valid`` has shape (rows,); ``broken`` maps each rule that some row breaks to the rows that break it."""

    valid: Truths
    broken: Mapping[str, Truths] = field(repr=False)

    def counts(self) -> dict[str, int]:
        """How many rows break each rule."""
        return {rule: int(rows.sum()) for rule, rows in self.broken.items()}


def validate(threat: ThreatModel, names: Sequence[str], origins: Floats, rows: Floats) -> Validity:
    """Judge ``rows`` against the ``origins`` they were made of, both of shape (rows, features); raise where they do not fit."""
    fit(threat, names)
    if origins.shape != rows.shape or rows.ndim != 2 or rows.shape[1] != len(names):
        raise ValueError("rows and origins have the shape (rows, features)")
    before = {n: np.asarray(origins[:, i], np.float64) for i, n in enumerate(names)}
    after = {n: np.asarray(rows[:, i], np.float64) for i, n in enumerate(names)}
    rules = {"finite": np.logical_and.reduce([np.isfinite(c) for c in after.values()])}
    follows = {d.feature for d in threat.derived}
    known = {f.name: f for f in threat.features}
    for name in names:
        rules |= _of_feature(name, known.get(name), name in follows, before[name], after[name])
    for group in threat.groups:
        rules[f"group {group.name}"] = _one_hot([after[n] for n in group.features])
    for derived in threat.derived:
        rules[f"derived {derived.feature}"] = _close(after[derived.feature], _number(derived.expression, after), 1e-5)
    for relation in threat.relations:
        rules[f"relation {relation.name}"] = _truth(relation.expression, after, relation.tolerance)
    rules |= _within(threat, before, after)
    valid = reduce(np.logical_and, rules.values(), np.ones(len(rows), bool))
    return Validity(valid, {rule: ~held for rule, held in rules.items() if not held.all()})


def holding(threat: ThreatModel, names: Sequence[str], rows: Floats) -> Validity:
    """Whether rows as they came keep the relations, derived features and groups, whatever anybody may change."""
    columns = {n: np.asarray(rows[:, i], np.float64) for i, n in enumerate(names)}
    rules = {f"group {g.name}": _one_hot([columns[n] for n in g.features]) for g in threat.groups}
    rules |= {
        f"derived {d.feature}": _close(columns[d.feature], _number(d.expression, columns), 1e-5) for d in threat.derived
    }
    rules |= {f"relation {r.name}": _truth(r.expression, columns, r.tolerance) for r in threat.relations}
    valid = reduce(np.logical_and, rules.values(), np.ones(len(rows), bool))
    return Validity(valid, {rule: ~held for rule, held in rules.items() if not held.all()})


def _of_feature(name: str, feature: Feature | None, follows: bool, before: Floats, after: Floats) -> dict[str, Truths]:
    same = after == before
    if feature is None or (not feature.mutable and not follows):
        return {f"immutable {name}": same}
    # what the row held before may stay, even where the file's bounds are narrower
    found = {f"bounds of {name}": same | ((after >= feature.low) & (after <= feature.high))}
    if feature.kind is not Kind.REAL:
        found[f"whole number {name}"] = same | (after == np.floor(after))
    if feature.direction is Direction.UP:
        found[f"direction of {name}"] = after >= before
    elif feature.direction is Direction.DOWN:
        found[f"direction of {name}"] = after <= before
    return found


def _one_hot(columns: Sequence[Floats]) -> Truths:
    ones = np.sum([c == 1.0 for c in columns], axis=0)
    zeros = np.sum([c == 0.0 for c in columns], axis=0)
    return np.asarray((ones == 1) & (ones + zeros == len(columns)))


def _within(threat: ThreatModel, before: Mapping[str, Floats], after: Mapping[str, Floats]) -> dict[str, Truths]:
    moved = {f.name: np.abs(after[f.name] - before[f.name]) for f in threat.features}
    scaled = np.stack([moved[f.name] / f.scale for f in threat.features])
    if threat.budget.norm is Norm.L2:
        distance = np.array([math.hypot(*column) for column in scaled.T])
    else:
        distance = scaled.max(axis=0)
    found = {"distance": distance <= threat.budget.distance * (1 + _ROUNDING)}
    if threat.budget.cost is not None:
        price = np.array([f.cost for f in threat.features])
        found["cost"] = price @ scaled <= threat.budget.cost * (1 + _ROUNDING)
    if threat.budget.features is not None:
        found["number of features"] = np.sum(scaled > 0, axis=0) <= threat.budget.features
    return found


def _close(one: Floats, other: Floats, tolerance: float) -> Truths:
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(one - other) <= tolerance * np.maximum(1.0, np.maximum(np.abs(one), np.abs(other))))


_ARITHMETIC: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "**": lambda a, b: a**b, "min": lambda a, b: np.where(a < b, a, b), "max": lambda a, b: np.where(a > b, a, b),
}  # fmt: skip
_ROUND: Mapping[str, Callable[[Floats], Floats]] = {
    "negative": lambda a: -a, "abs": lambda a: np.where(a < 0, -a, a), "floor": np.floor, "ceil": np.ceil,
}  # fmt: skip


def _number(expression: Expression, columns: Mapping[str, Floats]) -> Floats:
    if isinstance(expression, Number):
        return np.broadcast_to(np.float64(expression.value), next(iter(columns.values())).shape)
    if isinstance(expression, Name):
        return columns[expression.name]
    values = [_number(a, columns) for a in expression.args]
    with np.errstate(all="ignore"):
        return _ROUND[expression.op](values[0]) if len(values) == 1 else reduce(_ARITHMETIC[expression.op], values)


def _truth(expression: Expression, columns: Mapping[str, Floats], tolerance: float) -> Truths:
    assert isinstance(expression, Apply)
    op = expression.op
    if op in ("and", "or", "not", "implies"):
        truths = [_truth(a, columns, tolerance) for a in expression.args]
        match op:
            case "and":
                return np.asarray(np.logical_and.reduce(truths))
            case "or":
                return np.asarray(np.logical_or.reduce(truths))
            case "not":
                return ~truths[0]
        return ~truths[0] | truths[1]
    one, other = (_number(a, columns) for a in expression.args)
    known = ~(np.isnan(one) | np.isnan(other))
    near = _close(one, other, tolerance)
    match op:
        case "<":
            held = one < other
        case ">":
            held = one > other
        case "<=":
            held = (one <= other) | near
        case ">=":
            held = (one >= other) | near
        case "==":
            held = near
        case _:
            held = ~near
    return known & held
