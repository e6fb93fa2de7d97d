"""One model with the way by which it is explained: exactly where its form allows, by sampling where it does not.

An exact way is taken only if it gives the model's own scores on the reference: so a form that was misread is never explained.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Floats, Matrix, Scorer
from trustplane.assessment.explaining.deep import deep, explain_deep
from trustplane.assessment.explaining.forest import Forest, Scale, Unexplained
from trustplane.assessment.explaining.games import Against
from trustplane.assessment.explaining.linear import Linear
from trustplane.assessment.explaining.native_reading import NATIVE
from trustplane.assessment.explaining.onnx_reading import read_onnx
from trustplane.assessment.explaining.sampling import sample, walks
from trustplane.assessment.explaining.subset_tables import explain, tabled

TOLERANCE = 1e-5
"""How far the scores of a model's read form may lie from the model's own: both sum float32 numbers, in different orders."""


@dataclass(frozen=True, slots=True)
class Explained:
    """``contributions`` of shape (rows, features) on ``scale`` add up to a row's score less ``base``, the mean over the reference (where sampled, over its rows drawn).

    ``errors`` are their standard errors, zero where the way is exact.
    """

    contributions: Floats = field(repr=False)
    errors: Floats = field(repr=False)
    base: float
    scale: Scale


@dataclass(frozen=True, slots=True)
class Explainer:
    """A model ready to be explained. ``way`` says how (``tables``, ``deep``, ``linear``, ``sampling``), ``why`` why not exactly."""

    way: str
    why: str
    scale: Scale
    base: float
    contribute: Callable[[Matrix], tuple[Floats, Floats]] = field(repr=False)

    @property
    def exact(self) -> bool:
        """Whether contributions are exact Shapley values."""
        return self.way != "sampling"

    def explain(self, rows: Matrix) -> Explained:
        """Explain the score of each row; ``rows`` has shape (rows, features)."""
        contributions, errors = self.contribute(rows)
        return Explained(contributions, errors, self.base, self.scale)


def explainer(artifact: bytes, score: Scorer, reference: Matrix, seed: int = 0, form: str = "onnx") -> Explainer:
    """Make ready to explain a model of the format ``form`` against reference rows of shape (rows, features)."""
    try:
        read = _read(artifact, form, reference.shape[1])
        gap = float(np.abs(read.probability(read.predict(reference)) - score(reference)).max())
        if not gap <= TOLERANCE:
            raise Unexplained("what was read of it does not give its scores")
        return _linear(read, reference) if isinstance(read, Linear) else _forest(read, reference)
    except Unexplained as reason:
        along = walks(reference, seed)
        base = float(score(along.start).mean())

        def sampled(rows: Matrix) -> tuple[Floats, Floats]:
            found = sample(score, rows, along)
            return found.contributions, found.errors

        return Explainer("sampling", str(reason), Scale.PROBABILITY, base, sampled)


def _read(artifact: bytes, form: str, features: int) -> Forest | Linear:
    if form == "onnx":
        return read_onnx(artifact, features)
    if form not in NATIVE:
        raise Unexplained(f"a model of the format {form} is asked for scores alone")
    read = NATIVE[form](artifact)
    if read.features != features:
        raise Unexplained("it takes other features than there are")
    return read


def _linear(model: Linear, reference: Matrix) -> Explainer:
    def contribute(rows: Matrix) -> tuple[Floats, Floats]:
        return _exact(model.explain(rows, reference))

    return Explainer("linear", "", model.scale, float(model.predict(reference).mean()), contribute)


def _forest(model: Forest, reference: Matrix) -> Explainer:
    try:
        tables = tabled(model, Against(reference))
    except Unexplained:
        prepared = deep(model, Against(reference))
        return Explainer(
            "deep", "", model.scale, prepared.base, lambda rows: _exact(explain_deep(prepared, model.as_compared(rows)))
        )
    return Explainer("tables", "", model.scale, tables.base, lambda rows: _exact(explain(tables, rows)))


def _exact(contributions: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    return contributions, np.zeros_like(contributions)
