"""Scoring rows with a model, by the runtime of its format; the same for the same rows on every run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.checks.contract import Floats
from trustplane.training.runtimes.contract import PROBABILITIES, Loaded, Tensor
from trustplane.training.runtimes.registry import runtime_for
from trustplane.values.errors import BadInput, Unavailable

BATCH = 8192
ONNX = "onnx"
_NUMBERS = {"FP32": np.float32, "FP64": np.float64}
Scores = Callable[[npt.NDArray[np.float32]], Floats]


def score(
    model: bytes,
    features: npt.NDArray[np.float32],
    progress: Callable[[int, int], None] | None = None,
    form: str = ONNX,
) -> Floats:
    """The probability of class 1 of each row; ``features`` has shape (rows, features), the result (rows,).

    ``form`` is the format of the model. It has one input and an output of floats of shape (rows, 2), (rows, 1) or (rows,). Raises
    :class:`BadInput` (TP-ASSESS-004) where it cannot be run or what it says are no probabilities.
    """
    return scorer(model, form, progress)(features)


def scorer(model: bytes, form: str = ONNX, progress: Callable[[int, int], None] | None = None) -> Scores:
    """:func:`score` of one model, opened once for whoever asks it many times."""
    try:
        loaded = runtime_for(form).load(model)
    except Unavailable as error:
        raise _unscored(error.why or error.what) from None
    source, output = _ends(loaded)

    def scores(features: npt.NDArray[np.float32]) -> Floats:
        parts = []
        try:
            for start in range(0, len(features), BATCH):
                rows = features[start : start + BATCH].astype(_NUMBERS[source.datatype], copy=False)
                parts.append(loaded.run({source.name: rows})[output])
                if progress is not None:
                    progress(min(start + BATCH, len(features)), len(features))
        except Unavailable as error:
            raise _unscored(error.why) from None
        return _probabilities(np.concatenate(parts) if parts else np.zeros(0), len(features))

    return scores


def _unscored(why: str) -> BadInput:
    return BadInput("TP-ASSESS-004", "the model cannot be run on the hold-out", why=why[:300])


def _ends(loaded: Loaded) -> tuple[Tensor, str]:
    floats = [o.name for o in loaded.outputs if o.datatype in _NUMBERS]
    inputs = loaded.inputs
    if len(inputs) != 1 or inputs[0].datatype not in _NUMBERS or not (PROBABILITIES in floats or len(floats) == 1):
        raise _unscored("it must take one tensor of floats and give one of floats beside its labels")
    return inputs[0], PROBABILITIES if PROBABILITIES in floats else floats[0]


def _probabilities(given: npt.NDArray[Any], rows: int) -> Floats:
    shaped = given[:, 1] if given.ndim == 2 and given.shape[1] == 2 else given.reshape(-1)
    scores: Floats = shaped.astype(np.float64)
    # float32 sums of trees may leave [0, 1] by a rounding
    if scores.shape != (rows,) or not np.isfinite(scores).all() or scores.min() < -1e-6 or scores.max() > 1 + 1e-6:
        raise BadInput("TP-ASSESS-004", "what the model says are no probabilities of two classes")
    return np.clip(scores, 0.0, 1.0)
