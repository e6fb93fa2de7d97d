"""Gradients of linear models and networks, by hand in numpy or by PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import Gradient, Model
from trustplane.values.errors import missing_extra

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaling:
    """Columns shifted and scaled one by one: ``(x - shift) / scale``; both of shape (features,)."""

    shift: Floats
    scale: Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """``activation(x @ weights + bias)``; the activation is one of identity, relu, tanh, logistic."""

    weights: Floats
    bias: Floats
    activation: str


def scaling_of(model: Any) -> tuple[Scaling | None, Any]:
    """What a pipeline does to columns before its last step, and that step; the model itself where it is no pipeline.

    Where a step does something else, the model is opened as a whole.
    """
    if not hasattr(model, "steps"):
        return None, model
    found: Scaling | None = None
    for _, step in model.steps[:-1]:
        one = _scaling(step)
        if one is None:
            return None, model
        found = one if found is None else Scaling(found.shift + found.scale * one.shift, found.scale * one.scale)
    return found, model.steps[-1][1]


def _scaling(step: Any) -> Scaling | None:
    kind = type(step).__name__
    if kind in ("StandardScaler", "RobustScaler"):
        center = getattr(step, "mean_", None) if kind == "StandardScaler" else getattr(step, "center_", None)
        scale = getattr(step, "scale_", None)
        width = step.n_features_in_
        return Scaling(
            np.zeros(width) if center is None else np.asarray(center, np.float64),
            np.ones(width) if scale is None else np.asarray(scale, np.float64),
        )
    if kind == "MinMaxScaler":
        return Scaling(-step.min_ / step.scale_, 1 / step.scale_)
    return None


def gradient_of(model: Any) -> Gradient | None:
    """The derivative of the log-odds of a linear model or a multi-layer perceptron of scikit-learn; ``None`` for others."""
    kind = type(model).__name__
    if kind == "LogisticRegression" and model.coef_.shape[0] == 1:
        return of_layers([Layer(model.coef_.T.astype(np.float64), model.intercept_.astype(np.float64), "identity")])
    if kind == "MLPClassifier" and model.coefs_[-1].shape[1] == 1:
        last = len(model.coefs_) - 1
        return of_layers(
            [
                Layer(
                    np.asarray(w, np.float64), np.asarray(b, np.float64), "identity" if i == last else model.activation
                )
                for i, (w, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True))
            ]
        )
    return None


def of_layers(layers: Sequence[Layer]) -> Gradient:
    """Back-propagation through dense layers, of which the last gives one number: the log-odds."""

    def gradient(rows: Floats) -> Floats:
        passed = [np.asarray(rows, np.float64)]
        for layer in layers:
            passed.append(_active(passed[-1] @ layer.weights + layer.bias, layer.activation))
        back = np.ones((len(rows), 1))
        for layer, out in zip(reversed(layers), reversed(passed[1:]), strict=True):
            back = (back * _slope(out, layer.activation)) @ layer.weights.T
        return back

    return gradient


def _active(values: Floats, activation: str) -> Floats:
    match activation:
        case "relu":
            return np.maximum(values, 0.0)
        case "tanh":
            return np.tanh(values)
        case "logistic":
            return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))))
    return values


def _slope(out: Floats, activation: str) -> Floats:
    """The derivative of the activation, by what came out of it."""
    match activation:
        case "relu":
            return (out > 0).astype(np.float64)
        case "tanh":
            return 1 - out**2
        case "logistic":
            return out * (1 - out)
    return np.ones_like(out)


def scaled(gradient: Gradient, steps: Scaling) -> Gradient:
    """The gradient by the columns before they were scaled."""
    return lambda rows: gradient((np.asarray(rows, np.float64) - steps.shift) / steps.scale) / steps.scale


def of_torch(module: Any, threshold: float) -> Model:
    """A module from float32 rows to log-odds of shape (rows,), (rows, 1) or (rows, 2)."""
    try:
        import torch
    except ImportError:
        raise missing_extra("torch", "torch", "an attack on a PyTorch module") from None

    def odds(rows: Any) -> Any:
        out = module(rows)
        return out[:, 1] - out[:, 0] if out.ndim == 2 and out.shape[1] == 2 else out.reshape(-1)

    def score(rows: Floats) -> Floats:
        module.eval()
        with torch.no_grad():
            said: Floats = torch.sigmoid(odds(torch.from_numpy(np.array(rows, np.float32))).double()).numpy()
        return said

    def gradient(rows: Floats) -> Floats:
        module.eval()
        given = torch.from_numpy(np.array(rows, np.float32)).requires_grad_(True)
        (found,) = torch.autograd.grad(odds(given).sum(), given)
        return np.asarray(found.numpy(), np.float64)

    return Model(score, threshold, gradient)
