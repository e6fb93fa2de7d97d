"""Estimators of scikit-learn, to ONNX or skops."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from trustplane.training.conversion.answers import Answers, of_numbers, of_probabilities
from trustplane.training.conversion.failing import Unconverted
from trustplane.training.conversion.rows import Compared

Ask = Callable[[Compared], Answers]


def features_of(model: Any) -> int:
    """How many features it takes."""
    try:
        return int(model.n_features_in_)
    except (AttributeError, TypeError):
        raise Unconverted("the model does not say how many features it takes: was it fitted?") from None


def ask(model: Any, compared: Compared) -> Answers:
    """What the estimator says, of a frame where it was fitted on one."""
    rows: Any = compared.rows.astype(np.float64)
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        import pandas as pd

        rows = pd.DataFrame(rows, columns=list(names))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (
            of_probabilities(model.predict_proba(rows))
            if hasattr(model, "predict_proba")
            else of_numbers(model.predict(rows))
        )


def to_onnx(model: Any, compared: Compared) -> tuple[bytes, Answers]:
    """As ONNX by skl2onnx, one input of 32-bit floats; and what that says."""
    import onnxruntime
    from skl2onnx import to_onnx as convert

    options: Any = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = convert(model, compared.rows[:1], options=options).SerializeToString()
        except Exception as error:  # noqa: BLE001 - skl2onnx raises errors of many kinds for what it cannot convert
            raise Unconverted(f"skl2onnx cannot convert it: {type(error).__name__}") from None
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    given = session.run(None, {session.get_inputs()[0].name: compared.rows})
    return data, of_probabilities(given[1]) if hasattr(model, "predict_proba") else of_numbers(given[0])


def to_skops(model: Any, compared: Compared) -> tuple[bytes, Answers]:
    """As skops, if the lists of the door let it pass; and what it says once it was read again."""
    import skops.io

    from trustplane.training.runtimes.skops.arrays import NotAdmitted
    from trustplane.training.runtimes.skops.runtime import loaded

    try:
        data = skops.io.dumps(model)
        again = loaded(data)
    except NotAdmitted as reason:
        raise Unconverted(f"as skops it would not be admitted: {reason.message}, at {reason.path}") from None
    except TypeError as error:
        raise Unconverted(f"skops cannot write it: {error}") from None
    return data, ask(again, compared)
