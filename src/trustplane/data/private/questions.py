"""What may be asked: one statistic of one column, with bounds that whoever asks knows without looking at the data. No I/O."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

import msgspec
import pyarrow as pa

from trustplane.data.filters import columns_of
from trustplane.values.errors import BadInput, nearest

KINDS = ("count", "sum", "mean", "quantile", "histogram")
MICRO = 1_000_000
"""Budgets are whole numbers of millionths of epsilon, so that sums of them are exact."""
MOST_EPSILON = 100
MOST_BINS = 1_000
MOST_FAR = 1_000
_BOUNDED = frozenset({"sum", "mean", "quantile"})


@dataclass(frozen=True, slots=True)
class Question:
    """One statistic. ``lower`` and ``upper`` bound a sum, a mean and a quantile: values beyond are taken as the bound.

    A histogram counts ``categories``, or the intervals between ``edges``; everything else is counted as other. ``where`` is a row filter.
    """

    kind: str
    epsilon: Decimal
    column: str = ""
    lower: float | None = None
    upper: float | None = None
    quantile: float = 0.5
    categories: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    where: str = ""

    @property
    def micro(self) -> int:
        """What it costs, in millionths of epsilon."""
        return int(self.epsilon * MICRO)

    @property
    def digest(self) -> str:
        """What is asked, as the event names it: a filter may hold a person's value."""
        said = msgspec.json.encode(msgspec.to_builtins(self), order="sorted", enc_hook=str)
        return "sha256:" + hashlib.sha256(said).hexdigest()


def epsilon_of(value: Any) -> Decimal:
    """An epsilon: a positive number with at most six decimals; raise :class:`BadInput` (TP-DATA-110) otherwise."""
    try:
        epsilon = Decimal(str(value))
    except InvalidOperation:
        epsilon = Decimal(0)
    if not epsilon.is_finite() or not 0 < epsilon <= MOST_EPSILON or epsilon * MICRO != int(epsilon * MICRO):
        raise _bad(f"epsilon is more than 0 and at most {MOST_EPSILON}, with at most six decimals")
    return epsilon


def check(asked: Question, schema: Any) -> tuple[str, ...]:
    """The columns that a question looks at; raise :class:`BadInput` (TP-DATA-110) with all that is wrong with it."""
    if asked.kind not in KINDS:
        raise BadInput("TP-DATA-110", f"there is no statistic {asked.kind[:40]!r}", why=nearest(asked.kind, KINDS))
    if asked.column and asked.column not in schema.names:
        raise BadInput(
            "TP-DATA-033", f"there is no column {asked.column[:80]!r}", why=nearest(asked.column, schema.names)
        )
    numeric = bool(asked.column) and _numeric(schema.field(asked.column).type)
    wrong = [
        what
        for what, bad in (
            (f"a {asked.kind} is of a column", not asked.column and asked.kind != "count"),
            (f"a {asked.kind} is of numbers", asked.kind in _BOUNDED and bool(asked.column) and not numeric),
            (f"a {asked.kind} has finite bounds, the lower below the upper", asked.kind in _BOUNDED and not _bounds(asked)),
            (f"a sum has bounds that are at most {MOST_FAR:,} times as far from 0 as from each other", asked.kind == "sum" and _bounds(asked) and _far(asked)),
            ("the quantile is from 0 to 1", asked.kind == "quantile" and not 0 <= asked.quantile <= 1),
            ("a histogram has categories or edges, and not both", asked.kind == "histogram" and bool(asked.categories) == bool(asked.edges)),
            (f"a histogram has at most {MOST_BINS:,} bins", max(len(asked.categories), len(asked.edges)) > MOST_BINS),
            ("a category is named once", len(set(asked.categories)) < len(asked.categories)),
            ("edges rise and are finite, and there are two at least", bool(asked.edges) and not _rising(asked.edges)),
            ("edges are of numbers", bool(asked.edges) and bool(asked.column) and not numeric),
        )
        if bad
    ]  # fmt: skip
    if wrong:
        raise _bad("; ".join(wrong))
    named = (asked.column,) if asked.column else ()
    return tuple(dict.fromkeys((*named, *columns_of(asked.where, schema))))


def question_of(said: Mapping[str, Any]) -> Question:
    """A question from plain values."""
    return Question(
        str(said.get("kind", "")),
        epsilon_of(said.get("epsilon")),
        said.get("column") or "",
        said.get("lower"),
        said.get("upper"),
        0.5 if said.get("quantile") is None else said["quantile"],
        tuple(said.get("categories") or ()),
        tuple(said.get("edges") or ()),
        (said.get("where") or "").strip(),
    )


def _bounds(asked: Question) -> bool:
    low, high = asked.lower, asked.upper
    return low is not None and high is not None and math.isfinite(low) and math.isfinite(high - low) and low < high


def _far(asked: Question) -> bool:
    low, high = asked.lower or 0.0, asked.upper or 0.0
    return max(abs(low), abs(high)) > MOST_FAR * (high - low)


def _rising(edges: tuple[float, ...]) -> bool:
    return len(edges) > 1 and all(map(math.isfinite, edges)) and all(a < b for a, b in pairwise(edges))


def _numeric(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _bad(why: str) -> BadInput:
    return BadInput("TP-DATA-110", "the statistic cannot be asked like this", why=why)
