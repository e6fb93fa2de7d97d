"""Scoring rows with an ONNX model, the same for the same rows on every run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as states

from trustplane.assessment.checks.contract import Floats
from trustplane.values.errors import BadInput

BATCH = 8192
_MODEL_ERRORS = (
    states.EPFail,
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NoModel,
    states.NotImplemented,
    states.RuntimeException,
)


def score(
    model: bytes, features: npt.NDArray[np.float32], progress: Callable[[int, int], None] | None = None
) -> Floats:
    """The probability of class 1 of each row; ``features`` has shape (rows, features), the result (rows,).

    One thread, so that sums are taken in one order. The model has one input and an output of floats of shape (rows, 2), (rows, 1) or
    (rows,). Raises :class:`BadInput` (TP-ASSESS-004) where it cannot be run or what it says are no probabilities.
    """
    return scorer(model, progress)(features)


def scorer(
    model: bytes, progress: Callable[[int, int], None] | None = None
) -> Callable[[npt.NDArray[np.float32]], Floats]:
    """:func:`score` of one model, opened once for whoever asks it many times."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except _MODEL_ERRORS as error:
        raise BadInput("TP-ASSESS-004", "the model cannot be run on the hold-out", why=str(error)[:300]) from None
    source, output = _ends(session)

    def scores(features: npt.NDArray[np.float32]) -> Floats:
        parts = []
        try:
            for start in range(0, len(features), BATCH):
                parts.append(session.run([output], {source: features[start : start + BATCH]})[0])
                if progress is not None:
                    progress(min(start + BATCH, len(features)), len(features))
        except _MODEL_ERRORS as error:
            raise BadInput("TP-ASSESS-004", "the model cannot be run on the hold-out", why=str(error)[:300]) from None
        return _probabilities(np.concatenate(parts) if parts else np.zeros(0), len(features))

    return scores


def _ends(session: Any) -> tuple[str, str]:
    inputs = session.get_inputs()
    floats = [o.name for o in session.get_outputs() if o.type in ("tensor(float)", "tensor(double)")]
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(floats) != 1:
        raise BadInput(
            "TP-ASSESS-004",
            "the model cannot be run on the hold-out",
            why="it must take one tensor of float32 and give one of floats beside its labels",
        )
    return inputs[0].name, floats[0]


def _probabilities(given: npt.NDArray[Any], rows: int) -> Floats:
    shaped = given[:, 1] if given.ndim == 2 and given.shape[1] == 2 else given.reshape(-1)
    scores: Floats = shaped.astype(np.float64)
    # float32 sums of trees may leave [0, 1] by a rounding
    if scores.shape != (rows,) or not np.isfinite(scores).all() or scores.min() < -1e-6 or scores.max() > 1 + 1e-6:
        raise BadInput("TP-ASSESS-004", "what the model says are no probabilities of two classes")
    return np.clip(scores, 0.0, 1.0)
