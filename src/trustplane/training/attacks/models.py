"""Models as attacks see them: scores, and gradients or thresholds where the kind of model is known."""

from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks import networks, trees
from trustplane.training.attacks.contract import Model, Score
from trustplane.values.errors import BadInput

Floats = npt.NDArray[np.float64]


def open_model(model: Any, threshold: float = 0.5) -> Model:
    """A scikit-learn, XGBoost or LightGBM classifier of two classes, a PyTorch module that gives log-odds, or a function of scores.

    A pipeline is opened where all but its last step scale columns one by one.
    """
    if isinstance(model, Model):
        return model
    if _is_torch(model):
        return networks.of_torch(model, threshold)
    if hasattr(model, "predict_proba"):
        return _of_classifier(model, threshold)
    if callable(model):
        return Model(model, threshold)
    raise BadInput("TP-RUN-043", f"a {type(model).__name__} is no model that can be asked for scores")


def open_artifact(artifact: bytes, form: str, score: Score, threshold: float = 0.5) -> Model:
    """A model file whose scores come from ``score``, with gradients or thresholds where its graph shows them."""
    if form != "onnx":
        return Model(score, threshold, cuts=trees.cuts_of_file(artifact, form))
    from trustplane.training.attacks import graphs

    return graphs.of_onnx(artifact, score, threshold)


def _is_torch(model: Any) -> bool:
    return any(base.__module__.startswith("torch.") and base.__name__ == "Module" for base in type(model).__mro__)


def _of_classifier(model: Any, threshold: float) -> Model:
    steps, last = networks.scaling_of(model)
    cuts = trees.cuts_of(last)
    if cuts is not None and steps is not None:
        cuts = {c: t * steps.scale[c] + steps.shift[c] for c, t in cuts.items()}
    gradient = networks.gradient_of(last) if cuts is None else None
    if gradient is not None and steps is not None:
        gradient = networks.scaled(gradient, steps)
    return Model(_probability(model, last), threshold, gradient, cuts, votes=trees.votes(last))


def _probability(model: Any, last: Any) -> Score:
    """The probability of class 1, by the shortest way that the kind of model knows."""
    if model is last and type(model).__module__.startswith("xgboost"):
        booster = model.get_booster()
        end = getattr(model, "best_iteration", None) if getattr(model, "early_stopping_rounds", None) else None
        span = (0, end + 1) if end is not None else (0, 0)
        return lambda rows: np.asarray(
            booster.inplace_predict(np.ascontiguousarray(rows, np.float32), iteration_range=span), np.float64
        )
    if model is last and type(model).__module__.startswith("lightgbm"):
        booster = model.booster_
        return lambda rows: np.asarray(booster.predict(np.ascontiguousarray(rows, np.float32)), np.float64)

    if model is last and trees.votes(model) and hasattr(model, "estimators_"):
        parts = [e.tree_ for e in model.estimators_]

        def mean(rows: Floats) -> Floats:
            single = np.ascontiguousarray(rows, np.float32)
            return np.asarray(sum(p.predict(single)[:, 1] for p in parts) / len(parts))

        return mean

    def score(rows: Floats) -> Floats:
        said: Floats = model.predict_proba(np.asarray(rows, np.float32))[:, 1]
        return said.astype(np.float64)

    return score
