"""The thresholds of forests and boosted trees, read from the models of scikit-learn, XGBoost and LightGBM, and from files."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.runtimes.boosters.reading import booster

Floats = npt.NDArray[np.float64]
_FORESTS = frozenset({"RandomForestClassifier", "ExtraTreesClassifier", "DecisionTreeClassifier"})


def cuts_of(model: Any) -> dict[int, Floats] | None:
    """For each column the values at which some tree of ``model`` parts rows, ascending; ``None`` where it is of no known kind."""
    library = type(model).__module__.partition(".")[0]
    if library == "xgboost" and hasattr(model, "get_booster"):
        return _gathered(_xgboost(model.get_booster()))
    if library == "lightgbm" and hasattr(model, "booster_"):
        return _gathered(_lightgbm(model.booster_.dump_model()))
    if library == "sklearn" and hasattr(model, "tree_"):
        return _gathered(_sklearn([model]))
    if library == "sklearn" and hasattr(model, "_predictors"):
        return _gathered(_histogram(model._predictors))  # noqa: SLF001 - HistGradientBoosting has no public way to its thresholds
    if library == "sklearn" and hasattr(model, "estimators_"):
        parts = list(np.ravel(np.asarray(model.estimators_, dtype=object)))
        if parts and all(hasattr(p, "tree_") for p in parts) and not hasattr(model, "estimators_features_"):
            return _gathered(_sklearn(parts))
    return None


def cuts_of_file(artifact: bytes, form: str) -> dict[int, Floats] | None:
    """The same of a model's file; ``None`` where it holds no trees that are known here."""
    read = booster(artifact, form)
    if read is None or not read.trees:
        return None
    return _gathered(pair for tree in read.trees for pair in tree.cuts())


def votes(model: Any) -> bool:
    """Whether the score is a mean of votes."""
    return type(model).__name__ in _FORESTS


def _gathered(pairs: Iterator[tuple[int, float]]) -> dict[int, Floats]:
    found: dict[int, set[float]] = {}
    for column, cut in pairs:
        found.setdefault(column, set()).add(cut)
    return {column: np.array(sorted(cuts)) for column, cuts in found.items()}


def _sklearn(parts: list[Any]) -> Iterator[tuple[int, float]]:
    for part in parts:
        inner = part.tree_.children_left != -1
        yield from zip(part.tree_.feature[inner].tolist(), part.tree_.threshold[inner].tolist(), strict=True)


def _histogram(rounds: Any) -> Iterator[tuple[int, float]]:
    for each in rounds:
        for tree in each:
            inner = tree.nodes[tree.nodes["is_leaf"] == 0]
            inner = inner[inner["is_categorical"] == 0]
            yield from zip(inner["feature_idx"].tolist(), inner["num_threshold"].tolist(), strict=True)


def _xgboost(booster: Any) -> Iterator[tuple[int, float]]:
    names = {n: i for i, n in enumerate(booster.feature_names or [])}
    for text in booster.get_dump(dump_format="json"):
        waiting = [json.loads(text)]
        while waiting:
            node = waiting.pop()
            if "children" not in node:
                continue
            waiting += node["children"]
            split = node["split"]
            if isinstance(node.get("split_condition"), int | float):
                yield names[split] if split in names else int(split[1:]), float(node["split_condition"])


def _lightgbm(dumped: Any) -> Iterator[tuple[int, float]]:
    waiting = [tree["tree_structure"] for tree in dumped["tree_info"]]
    while waiting:
        node = waiting.pop()
        if "split_feature" not in node:
            continue
        waiting += [node["left_child"], node["right_child"]]
        if node["decision_type"] == "<=":
            yield int(node["split_feature"]), float(node["threshold"])
