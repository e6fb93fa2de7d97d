"""Learners that shadows are made with: of each family a few, from cautious to eager."""

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.privacy.artifact import Shape
from trustplane.assessment.privacy.network import train_networks
from trustplane.values.errors import Unavailable

Floats = npt.NDArray[np.float64]
MOST_TREES = {"forest": 50, "boosted": 200}
_DEEP, _WIDE = 6, 64
EPOCHS = (5, 20, 60)

Train = Callable[[Any, Any, Any, int], Floats]
"""``(features, label, inside, seed)`` to the probabilities of class 1 of all rows, of shape (shadows, rows); ``inside`` has that shape too."""


@dataclass(frozen=True, slots=True)
class Learner:
    """A way to make shadows, and what it is called."""

    name: str
    train: Train


def learners(shape: Shape) -> list[Learner]:
    """The learners that may have made a model of this shape; one of each family where it is unknown."""
    by_family = {"linear": _linear, "forest": _forests, "boosted": _boosted, "network": _networks}
    if shape.family in by_family:
        return by_family[shape.family](shape)
    return [_linear(shape)[1], _forests(shape)[0], *_boosted(shape)[1:], _networks(shape)[1]]


def _linear(_: Shape) -> list[Learner]:
    return [
        Learner(f"logistic regressions, C = {c:g}", partial(_each, partial(_logistic, c))) for c in (0.01, 1.0, 100.0)
    ]


def _forests(shape: Shape) -> list[Learner]:
    trees = min(shape.trees or 100, MOST_TREES["forest"])
    depth = shape.depth or None
    return [
        Learner(
            f"forests of {trees} trees with {leaf} rows a leaf", partial(_each, partial(_forest, trees, depth, leaf))
        )
        for leaf in (1, 5, 20)
    ]


def _boosted(shape: Shape) -> list[Learner]:
    trees = min(shape.trees or 100, MOST_TREES["boosted"])
    # grown leaf by leaf, trees are deeper than they are large
    depth = shape.depth or _DEEP
    return [
        Learner(
            f"{trees} boosted trees, rate {rate:g}", partial(_each, partial(_boost, trees, depth, shape.leaves, rate))
        )
        for rate in (0.03, 0.1, 0.3)
    ]


def _networks(shape: Shape) -> list[Learner]:
    width = min(shape.width or _WIDE, 4 * _WIDE)
    return [Learner(f"networks of {width} hidden units, {n} epochs", partial(_network, width, n)) for n in EPOCHS]


def one_thread() -> AbstractContextManager[Any]:
    """Hold linear algebra and trees to one thread: on small tables threads cost more than they save, and sums are taken in one order."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise _missing() from error
    # the libraries must be there to be held
    importlib.import_module("sklearn.ensemble")
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _each(fit: Callable[[Any, Any, int], Any], features: Any, label: Any, inside: Any, seed: int) -> Floats:
    said = [fit(features[mask], label[mask], seed + k).predict_proba(features)[:, 1] for k, mask in enumerate(inside)]
    return np.asarray(said, np.float64)


def _network(width: int, epochs: int, features: Any, label: Any, inside: Any, seed: int) -> Floats:
    scaled = standardised(features)
    return np.asarray(train_networks(scaled, label, inside, width, [epochs], seed)[0], np.float64)


def standardised(features: Any) -> npt.NDArray[np.float32]:
    """Each column about its mean, in its standard deviation; far values held, so that no row rules a network."""
    spread = features.std(axis=0, dtype=np.float64)
    away = (features - features.mean(axis=0, dtype=np.float64)) / np.where(spread > 0, spread, 1.0)
    return np.asarray(np.clip(away, -10, 10), np.float32)


def _logistic(strength: float, features: Any, label: Any, seed: int) -> Any:
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise _missing() from error
    # a loose tolerance: what a shadow says of a row matters to two digits
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, tol=1e-3, max_iter=1000, random_state=seed)
    ).fit(features, label)


def _forest(trees: int, depth: int | None, leaf: int, features: Any, label: Any, seed: int) -> Any:
    try:
        from sklearn.ensemble import RandomForestClassifier
    except ImportError as error:
        raise _missing() from error
    return RandomForestClassifier(trees, max_depth=depth, min_samples_leaf=leaf, random_state=seed).fit(features, label)


def _boost(trees: int, depth: int, leaves: int, rate: float, features: Any, label: Any, seed: int) -> Any:
    """Boosting of xgboost where it is installed, as it is the fastest on few rows; of scikit-learn else."""
    try:
        from xgboost import XGBClassifier
    except ImportError:
        return _boost_plainly(trees, depth, leaves, rate, features, label, seed)
    grown = {"grow_policy": "lossguide", "max_leaves": leaves} if leaves else {}
    return XGBClassifier(
        n_estimators=trees, max_depth=depth, learning_rate=rate, max_bin=64, n_jobs=1, random_state=seed, **grown
    ).fit(features, label)


def _boost_plainly(*said: Any) -> Any:
    trees, depth, leaves, rate, features, label, seed = said
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError as error:
        raise _missing() from error
    return HistGradientBoostingClassifier(
        max_iter=trees, max_depth=depth, max_leaf_nodes=leaves or None, learning_rate=rate, max_bins=64,
        early_stopping=False, random_state=seed,
    ).fit(features, label)  # fmt: skip


def _missing() -> Unavailable:
    return Unavailable("TP-SETUP-001", "scikit-learn is not installed: it comes with trustplane[ml]")


def nearest(candidates: Sequence[Learner], said: Floats, given: Any, inside: Any, seed: int) -> Learner:
    """The learner whose model, fitted to the rows ``inside``, says what ``said`` says within and outside of them.

    ``given`` is (features, label) of all rows. A learner too cautious has too great a loss within, one too eager too small a one; the mean
    distance of what is said tells families apart.
    """
    features, label = given
    if len(candidates) == 1:
        return candidates[0]
    apart = []
    for learner in candidates:
        own = learner.train(features, label, inside[None, :], seed)[0]
        gap = sum(abs(_loss(own[part], label[part]) - _loss(said[part], label[part])) for part in (inside, ~inside))
        apart.append(gap + float(np.abs(own - said).mean()))
    return candidates[int(np.argmin(apart))]


def _loss(said: Floats, label: Any) -> float:
    given = np.where(label == 1, said, 1 - said)
    return float(-np.log(np.clip(given, 1e-3, 1)).mean())


def boosted(features: Any, label: Any, seed: int) -> Callable[[Any], Floats]:
    """A hundred boosted trees of middling size as a model: rows to the probability of class 1."""
    fitted = _boost(100, _DEEP, 0, 0.1, features, label, seed)
    return lambda rows: np.asarray(fitted.predict_proba(rows)[:, 1], np.float64)


def forest(features: Any, label: Any, seed: int) -> Callable[[Any], Floats]:
    """A forest of fifty trees as a model: rows to the probability of class 1."""
    fitted = _forest(50, None, 2, features, label, seed)
    return lambda rows: np.asarray(fitted.predict_proba(rows)[:, 1], np.float64)
