"""Models of XGBoost, LightGBM and CatBoost, in the formats of their own libraries that hold no code."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from trustplane.training.conversion.answers import Answers, of_numbers, of_probabilities
from trustplane.training.conversion.failing import Unconverted
from trustplane.training.conversion.rows import Compared


def features_of(model: Any) -> int:
    """How many features it takes."""
    for name in ("feature_names_", "n_features_in_", "num_features", "num_feature"):
        said = getattr(model, name, None)
        said = said() if callable(said) else said
        if said is not None:
            return len(said) if isinstance(said, list) else int(said)
    raise Unconverted("the model does not say how many features it takes: was it fitted?")


def _of(model: Any, given: Any) -> Answers:
    classifies = hasattr(model, "predict_proba") or np.ndim(given) == 2
    return of_probabilities(given) if classifies else of_numbers(given)


def ask(model: Any, compared: Compared) -> Answers:
    """What the source says: probabilities of a classifier, else what it predicts."""
    rows = compared.rows
    if hasattr(model, "predict_proba"):
        return of_probabilities(model.predict_proba(rows))
    if type(model).__module__.startswith("xgboost.core"):
        import xgboost

        return _of(model, model.predict(xgboost.DMatrix(rows, feature_names=model.feature_names)))
    return _of(model, model.predict(rows))


def to_xgboost(model: Any, compared: Compared, kind: str) -> tuple[bytes, Answers]:
    """As JSON or UBJSON; and what that says once it was read again."""
    import xgboost

    booster = model.get_booster() if hasattr(model, "get_booster") else model
    data = bytes(booster.save_raw(raw_format=kind))
    again = xgboost.Booster()
    again.load_model(bytearray(data))
    best = (
        getattr(model, "best_iteration", None)
        if hasattr(model, "get_booster") and model.early_stopping_rounds
        else None
    )
    if best is not None:
        raise Unconverted("it was stopped early and answers by its first trees alone: fit it again with so many trees")
    return data, _of(model, again.predict(xgboost.DMatrix(compared.rows, feature_names=again.feature_names)))


def to_lightgbm(model: Any, compared: Compared) -> tuple[bytes, Answers]:
    """As LightGBM's text; and what that says once it was read again."""
    import lightgbm

    booster = getattr(model, "booster_", model)
    text = booster.model_to_string()
    return text.encode("utf-8"), _of(model, lightgbm.Booster(model_str=text).predict(compared.rows))


def to_catboost(model: Any, compared: Compared, kind: str) -> tuple[bytes, Answers]:
    """As ONNX, or CatBoost's JSON; and what that says once it was read again."""
    import catboost

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{kind}"
        model.save_model(str(path), format=kind)
        data = path.read_bytes()
        if kind == "onnx":
            return data, _of_onnx(model, data, compared)
        again = type(model)() if hasattr(model, "predict_proba") else catboost.CatBoost()
        again.load_model(str(path), format=kind)
    return data, ask(again, compared)


def _of_onnx(model: Any, data: bytes, compared: Compared) -> Answers:
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    given = session.run(None, {session.get_inputs()[0].name: compared.rows})
    if not hasattr(model, "predict_proba"):
        return of_numbers(given[0])
    said = given[1]
    return of_probabilities([[row[k] for k in sorted(row)] for row in said] if isinstance(said, list) else said)
