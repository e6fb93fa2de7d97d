"""Whether rows that keep a threat model can exist: its linear relations and bounds as a linear programme."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trustplane.training.threats.compiled import Linear, linear_of
from trustplane.training.threats.expressions import Apply, Expression, Name
from trustplane.training.threats.model import ThreatModel
from trustplane.values.errors import BadInput, missing_extra

SECONDS = 10.0
"""So long a smallest set is looked for; then the one that was reached is named."""
SHOWN = 30
_Rule = tuple[str, Linear]


def check_contradictions(threat: ThreatModel) -> None:
    """Raise :class:`BadInput` (TP-RUN-041) where linear relations contradict each other or the bounds, naming a smallest set that does
    where one is found in time.

    Relations that are not linear or overflow, and whole numbers, are beyond this test.
    """
    rules = [(f"{r.name!r}", part) for r in threat.relations for part in _linear_parts(r.expression)]
    for derived in threat.derived:
        equal = linear_of(Apply("==", (Name(derived.feature), derived.expression)))
        rules += [(f"derived {derived.feature!r}", equal)] if equal else []
    rules = [rule for rule in rules if np.isfinite([*rule[1].weights.values(), rule[1].constant]).all()]
    if not rules or _possible(threat, rules):
        return
    needed, smallest = _needed(threat, rules)
    names = list(dict.fromkeys(n for n, _ in needed))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    said = "these contradict" if smallest else "some of these contradict"
    raise BadInput(
        "TP-RUN-041",
        f"no row can keep the threat model {threat.name!r}",
        why=f"together with the bounds of their features {said}: " + ", ".join(names[:SHOWN]) + more,
    )


def _needed(threat: ThreatModel, rules: list[_Rule]) -> tuple[list[_Rule], bool]:
    """Rules that contradict, and whether that was found in time: then none can be left out.

    A deletion filter that begins with large parts: what is left over cannot lose a member and stay impossible.
    """
    until, needed, size = time.monotonic() + SECONDS, list(rules), len(rules)
    while size > 1:
        size = (size + 1) // 2
        at = 0
        while at < len(needed):
            if time.monotonic() > until:
                return needed, False
            without = needed[:at] + needed[at + size :]
            if _possible(threat, without):
                at += size
            else:
                needed = without
    return needed, True


def _linear_parts(expression: Expression) -> list[Linear]:
    if isinstance(expression, Apply) and expression.op == "and":
        return [part for arg in expression.args for part in _linear_parts(arg)]
    found = linear_of(expression)
    return [] if found is None else [found]


def _possible(threat: ThreatModel, rules: Sequence[_Rule]) -> bool:
    try:
        from scipy.optimize import linprog
    except ImportError:
        raise missing_extra("scipy", "ml", "the check for contradictions") from None
    place = {n: i for i, n in enumerate(threat.names)}
    follows = {d.feature for d in threat.derived}
    upper, equal = ([rule for _, rule in rules if (rule.op == "==") is exact] for exact in (False, True))
    bounds = [(None, None) if f.name in follows else (f.low, f.high) for f in threat.features]
    found = linprog(
        np.zeros(len(place)),
        A_ub=_rows(upper, place),
        # a strict inequality is taken a little apart, so that a < b and b < a contradict
        b_ub=[-rule.constant - (1e-6 if rule.op == "<" else 0.0) for rule in upper] or None,
        A_eq=_rows(equal, place),
        b_eq=[-rule.constant for rule in equal] or None,
        bounds=bounds,
        method="highs",
        options={"time_limit": SECONDS},
    )
    return int(found.status) != 2  # 2 is infeasible; what the solver cannot tell is no contradiction found


def _rows(rules: Sequence[Linear], place: Mapping[str, int]) -> Any:
    """Their weights, of shape (rules, features), of which most are 0; None where there are no rules."""
    from scipy.sparse import csr_array

    if not rules:
        return None
    cells = [(weight, at, place[name]) for at, rule in enumerate(rules) for name, weight in rule.weights.items()]
    values, rows, columns = (list(each) for each in zip(*cells, strict=True)) if cells else ([], [], [])
    return csr_array((np.array(values, np.float64), (rows, columns)), shape=(len(rules), len(place)))
