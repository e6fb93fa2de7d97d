"""Whether rows that keep a threat model can exist: its linear relations and bounds as a linear programme."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trustplane.training.threats.compiled import Linear, linear_of
from trustplane.training.threats.expressions import Apply, Expression, Name
from trustplane.training.threats.model import ThreatModel
from trustplane.values.errors import BadInput, missing_extra

Floats = npt.NDArray[np.float64]
_Rule = tuple[str, Linear]


def check_contradictions(threat: ThreatModel) -> None:
    """Raise :class:`BadInput` (TP-RUN-041) where linear relations contradict each other or the bounds, naming a smallest set that does.

    Relations that are not linear, and whole numbers, are beyond this test.
    """
    rules = [(f"{r.name!r}", part) for r in threat.relations for part in _linear_parts(r.expression)]
    for derived in threat.derived:
        equal = linear_of(Apply("==", (Name(derived.feature), derived.expression)))
        rules += [(f"derived {derived.feature!r}", equal)] if equal else []
    if not rules or _possible(threat, rules):
        return
    needed = list(rules)
    for rule in rules:  # a deletion filter: what is left over cannot lose a member and stay impossible
        without = [r for r in needed if r is not rule]
        if not _possible(threat, without):
            needed = without
    raise BadInput(
        "TP-RUN-041",
        f"no row can keep the threat model {threat.name!r}",
        why="together with the bounds of their features these contradict: "
        + ", ".join(dict.fromkeys(n for n, _ in needed)),
    )


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
    upper, equal = list[Floats](), list[Floats]()
    most, level = list[float](), list[float]()
    for _, rule in rules:
        row = np.zeros(len(place))
        for name, weight in rule.weights.items():
            row[place[name]] = weight
        (equal if rule.op == "==" else upper).append(row)
        # a strict inequality is taken a little apart, so that a < b and b < a contradict
        (level if rule.op == "==" else most).append(-rule.constant - (1e-6 if rule.op == "<" else 0.0))
    bounds = [(None, None) if f.name in follows else (f.low, f.high) for f in threat.features]
    found = linprog(
        np.zeros(len(place)),
        A_ub=np.array(upper) if upper else None,
        b_ub=most or None,
        A_eq=np.array(equal) if equal else None,
        b_eq=level or None,
        bounds=bounds,
        method="highs",
    )
    return int(found.status) != 2  # 2 is infeasible; what the solver cannot tell is no contradiction found
