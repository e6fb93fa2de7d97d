"""Expressions as functions of whole tables, for the code that repairs rows: values, and by how much a relation is missed.

The validator does not use this module, so that a fault here cannot let an impossible row count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.threats.expressions import Apply, Expression, Name, Number

Floats = npt.NDArray[np.float64]
Column = Callable[[Floats], Floats]
"""From rows of shape (rows, features) to one number for each, of shape (rows,), or to one for all."""

_STRICT = 1e-9  # what is to lie apart lies apart by this at least
_NEGATED = {"<": ">=", "<=": ">", "==": "!=", "!=": "==", ">=": "<", ">": "<="}
_FUNCTIONS: Mapping[str, Callable[..., Floats]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power, "negative": np.negative,
    "abs": np.abs, "floor": np.floor, "ceil": np.ceil, "min": np.minimum, "max": np.maximum,
}  # fmt: skip


def value_of(expression: Expression, place: Mapping[str, int]) -> Column:
    """The value of a number; ``place`` is where each feature stands. Dividing by zero gives NaN or an infinity."""
    if isinstance(expression, Number):
        constant: Any = np.float64(expression.value)
        return lambda _: constant
    if isinstance(expression, Name):
        column = place[expression.name]
        return lambda rows: rows[:, column]
    parts = [value_of(a, place) for a in expression.args]
    function = _FUNCTIONS[expression.op]

    def computed(rows: Floats) -> Floats:
        with np.errstate(all="ignore"):
            result = parts[0](rows)
            if len(parts) == 1:
                return function(result)
            for part in parts[1:]:
                result = function(result, part(rows))
            return result

    return computed


def excess_of(expression: Expression, place: Mapping[str, int], tolerance: float, *, negated: bool = False) -> Column:
    """By how much a truth is missed: 0 where it holds, NaN where that cannot be said. Ask for ``~(missed <= 0)``, so that NaN is missed too."""
    assert isinstance(expression, Apply)
    op, args = expression.op, expression.args
    if op == "not":
        return excess_of(args[0], place, tolerance, negated=not negated)
    if op == "implies":
        return excess_of(Apply("or", (Apply("not", (args[0],)), args[1])), place, tolerance, negated=negated)
    if op in ("and", "or"):
        parts = [excess_of(a, place, tolerance, negated=negated) for a in args]
        together = np.maximum if (op == "and") != negated else np.minimum

        def joined(rows: Floats) -> Floats:
            result = parts[0](rows)
            for part in parts[1:]:
                result = together(result, part(rows))
            return result

        return joined
    return _comparison(_NEGATED[op] if negated else op, value_of(args[0], place), value_of(args[1], place), tolerance)


def _comparison(op: str, left: Column, right: Column, tolerance: float) -> Column:
    sign = 1.0 if op in ("<", "<=") else -1.0

    def apart(rows: Floats) -> Floats:
        with np.errstate(all="ignore"):
            gap = sign * (left(rows) - right(rows))
            return np.where(gap < 0, 0.0, gap + _STRICT)

    def missed(rows: Floats) -> Floats:
        a, b = left(rows), right(rows)
        with np.errstate(all="ignore"):
            slack = tolerance * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
            gap = sign * (a - b)
            if op in ("<=", ">="):
                return np.where(gap <= slack, 0.0, gap)
            if op == "==":
                return np.where(np.abs(gap) <= slack, 0.0, np.abs(gap))
            return np.where(np.abs(gap) > slack, 0.0, 1.0 + 0.0 * gap)

    return apart if op in ("<", ">") else missed


@dataclass(frozen=True, slots=True)
class Linear:
    """``sum(weights[name] * name) + constant``, compared with 0 by ``op``: <, <= or ==."""

    weights: Mapping[str, float]
    constant: float
    op: str


def linear_of(expression: Expression) -> Linear | None:
    """A comparison as a linear one, or ``None`` where it is none."""
    if not isinstance(expression, Apply) or expression.op not in ("<", "<=", "==", ">=", ">"):
        return None
    left, right = (_terms(a) for a in expression.args)
    if left is None or right is None:
        return None
    if expression.op in (">", ">="):
        left, right = right, left
    weights = {n: left[0].get(n, 0.0) - right[0].get(n, 0.0) for n in {**left[0], **right[0]}}
    op = {">": "<", ">=": "<="}.get(expression.op, expression.op)
    return Linear({n: w for n, w in weights.items() if w}, left[1] - right[1], op)


_Terms = tuple[dict[str, float], float]


def _terms(expression: Expression) -> _Terms | None:
    if isinstance(expression, Number):
        return {}, expression.value
    if isinstance(expression, Name):
        return {expression.name: 1.0}, 0.0
    parts = [_terms(a) for a in expression.args]
    known = [p for p in parts if p is not None]
    return _combined(expression.op, known) if len(known) == len(parts) else None


def _combined(op: str, known: list[_Terms]) -> _Terms | None:
    result: _Terms | None = None
    match op:
        case "negative":
            result = _scaled(known[0], -1.0)
        case "+":
            result = _sum(known[0], known[1])
        case "-":
            result = _sum(known[0], _scaled(known[1], -1.0))
        case "*" if not known[0][0]:
            result = _scaled(known[1], known[0][1])
        case "*" if not known[1][0]:
            result = _scaled(known[0], known[1][1])
        case "/" if not known[1][0] and known[1][1]:
            result = _scaled(known[0], 1 / known[1][1])
    return result


def _scaled(terms: _Terms, by: float) -> _Terms:
    return {n: w * by for n, w in terms[0].items()}, terms[1] * by


def _sum(one: _Terms, other: _Terms) -> _Terms:
    return {n: one[0].get(n, 0.0) + other[0].get(n, 0.0) for n in {**one[0], **other[0]}}, one[1] + other[1]
