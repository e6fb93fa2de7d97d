"""Fitting a model anew: without some features, and where the kind of model can, monotone in what an attacker moves one way only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks import networks, trees
from trustplane.training.hardening.standing import Table
from trustplane.training.threats.model import Direction, ThreatModel
from trustplane.values.errors import BadInput

Floats = npt.NDArray[np.float64]
_MONOTONE = {
    "XGBClassifier": "monotone_constraints",
    "LGBMClassifier": "monotone_constraints",
    "HistGradientBoostingClassifier": "monotonic_cst",
    "RandomForestClassifier": "monotonic_cst",
    "ExtraTreesClassifier": "monotonic_cst",
    "DecisionTreeClassifier": "monotonic_cst",
}


def fitted(model: Any, table: Table, removed: Sequence[str] = (), signs: Sequence[int] = ()) -> Any:
    """A copy of ``model`` fitted to ``table``. It takes rows of the same width and does not look at the features ``removed``.

    ``signs`` has one of -1, 0 and 1 for each feature, or is empty. Raises :class:`BadInput` (TP-RUN-045) for what cannot be fitted.
    """
    try:
        from sklearn.base import clone

        fresh = clone(model)
    except TypeError:
        raise BadInput("TP-RUN-045", f"a {type(model).__name__} is no estimator that can be made anew") from None
    if any(signs):
        last = fresh.steps[-1][1] if hasattr(fresh, "steps") else fresh
        last.set_params(
            **{_MONOTONE[type(last).__name__]: tuple(signs) if type(last).__name__ == "XGBClassifier" else list(signs)}
        )
    columns = np.array([table.names.index(n) for n in removed], np.int64)
    features = table.features.astype(np.float32)
    # a column that is the same everywhere parts no rows in a tree and shifts no mean
    features[:, columns] = 0.0
    fresh.fit(features, table.labels)
    if len(columns):
        _blind(fresh, columns)
    return fresh


def _blind(model: Any, columns: Any) -> None:
    """Keep a fitted model from looking at columns that were the same everywhere."""
    _, last = networks.scaling_of(model)
    kind = type(last).__name__
    if kind == "LogisticRegression":
        last.coef_[:, columns] = 0.0
    elif kind == "MLPClassifier":
        last.coefs_[0][columns] = 0.0
    elif trees.cuts_of(last) is None:
        raise BadInput("TP-RUN-045", f"features cannot be taken out of a {kind}", fix="harden it without removal")


def can_be_monotone(model: Any) -> bool:
    """Whether the kind of model takes monotone constraints."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return type(last).__name__ in _MONOTONE


def monotone_signs(threat: ThreatModel, names: Sequence[str]) -> list[int]:
    """For each feature that an attacker moves one way only, the sign by which moving it never helps; 0 for the others.

    An attacker who can only raise a feature, to leave class 1, gains nothing where the score never falls with it (Kantchelian et al. 2016 attack what is not so).
    """
    known = {f.name: f for f in threat.features}
    toward = 1 if threat.goal.start == 1 else -1
    found = []
    for name in names:
        feature = known.get(name)
        way = feature.direction if feature is not None and feature.mutable else Direction.ANY
        found.append({Direction.UP: toward, Direction.DOWN: -toward}.get(way, 0))
    return found
