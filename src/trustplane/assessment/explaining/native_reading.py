"""Forests out of the native formats of XGBoost, LightGBM and CatBoost, which tell how many training rows reached each node."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trustplane.assessment.explaining.forest import Forest, Scale, Unexplained
from trustplane.training.runtimes.boosters import catboost, xgboost
from trustplane.training.runtimes.boosters.sound import Tree

_NEAR_ZERO = 1e-35  # kZeroThreshold of LightGBM: what lies nearer to zero counts as zero
_CATEGORY, _DEFAULT_LEFT = 1, 2


def read_xgboost(model: bytes) -> Forest:
    """A booster of two classes as ``save_model`` writes it. It goes left where a value is below the threshold, in float32."""
    try:
        learner = xgboost.document(model)["learner"]
        objective, booster = learner["objective"]["name"], learner["gradient_booster"]
        if booster["name"] == "gblinear" or not objective.startswith("binary:logi"):
            raise Unexplained("it is no booster of trees for two classes")
        share = float(str(learner["learner_model_param"]["base_score"]).strip("[]"))
        base = share if objective == "binary:logitraw" else float(np.log(share / (1 - share)))
        answering = xgboost.trees_of(learner, xgboost.answering(learner))
        found = booster.get("gbtree", booster)["model"]["trees"][:answering]
        weights = booster.get("weight_drop", [1.0] * len(found))  # dart counts each tree by a weight
        trees = [_xgboost_tree(tree, weight) for tree, weight in zip(found, weights, strict=False)]
        return _joined(trees, base, int(learner["learner_model_param"]["num_feature"]))
    except (KeyError, ValueError, TypeError, ZeroDivisionError):
        raise Unexplained("it is no model of XGBoost") from None


def _xgboost_tree(tree: Mapping[str, Any], weight: float) -> dict[str, Any]:
    if any(tree.get("split_type", ())):
        raise Unexplained("it splits by categories")
    condition = np.array(tree["split_conditions"], np.float32)
    left = np.array(tree["left_children"], np.int64)
    # What pruning left behind names no feature, and nothing leads to it.
    feature = np.where(left < 0, 0, np.array(tree["split_indices"], np.int64))
    return {
        "feature": feature,
        "threshold": np.nextafter(condition, np.float32(-np.inf)),
        "yes": left,
        "no": np.array(tree["right_children"], np.int64),
        "missing_yes": np.array(tree["default_left"], bool),
        "value": np.where(left < 0, condition, 0.0).astype(np.float64) * weight,
        "cover": np.array(tree["sum_hessian"], np.float64),
    }


def read_lightgbm(model: bytes) -> Forest:
    """A booster of two classes as ``save_model`` writes it. It goes left where a value is at most the threshold, in float64."""
    try:
        text = model.decode()
        head, *parts = re.split(r"^Tree=\d+\n", text.split("end of trees")[0], flags=re.MULTILINE)
        known = _lines(head)
        objective = known["objective"].split()
        if objective[0] != "binary" or known.get("num_tree_per_iteration") != "1" or "average_output" in head:
            raise Unexplained("it is no booster of trees for two classes")
        steepness = float(next((w.partition(":")[2] for w in objective if w.startswith("sigmoid:")), "1"))
        trees = [_lightgbm_tree(_lines(part), steepness) for part in parts]
        return _joined(trees, 0.0, int(known["max_feature_idx"]) + 1)
    except (KeyError, ValueError, TypeError, IndexError):
        raise Unexplained("it is no text model of LightGBM") from None


def _lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _lightgbm_tree(said: Mapping[str, str], steepness: float) -> dict[str, Any]:
    """Inner nodes first, then the leaves: LightGBM numbers these from -1 downwards."""
    leaves = int(said["num_leaves"])
    inner = leaves - 1
    if int(said.get("num_cat", "0")) or said.get("is_linear", "0") != "0":
        raise Unexplained("it splits by categories, or its leaves are linear models")

    def numbers(name: str, count: int) -> Any:
        found = np.array(said.get(name, "").split(), np.float64)
        if len(found) != count:
            raise Unexplained("its trees are not whole")
        return found

    kind = numbers("decision_type", inner).astype(np.int64)
    missing = kind >> 2 & 3  # 0 none, 1 zero, 2 NaN
    threshold = numbers("threshold", inner)
    if (missing == 1).any() or (kind & _CATEGORY).any():
        raise Unexplained("it takes zeros for missing")
    # Where no value was missing in training, what is missing counts as zero.
    as_zero = np.where(missing == 0, threshold >= -_NEAR_ZERO, (kind & _DEFAULT_LEFT) > 0)
    children = [numbers(name, inner).astype(np.int64) for name in ("left_child", "right_child")]
    left, right = (np.where(child < 0, inner + ~child, child) for child in children)
    none = np.full(leaves, -1)
    counts = numbers("leaf_count", leaves)
    return {
        "feature": np.concatenate([numbers("split_feature", inner).astype(np.int64), np.zeros(leaves, np.int64)]),
        "threshold": np.concatenate([threshold, np.zeros(leaves)]),
        "yes": np.concatenate([left, none]),
        "no": np.concatenate([right, none]),
        "missing_yes": np.concatenate([as_zero, np.zeros(leaves, bool)]),
        "value": np.concatenate([np.zeros(inner), numbers("leaf_value", leaves) * steepness]),
        "cover": np.concatenate([numbers("internal_count", inner), counts]),
    }


def read_catboost(model: bytes) -> Forest:
    """A classifier of two classes as ``save_model`` writes it as JSON. It goes left where a value is at most the border, in float32."""
    try:
        found = catboost.symmetric(model)
    except ValueError as reason:
        raise Unexplained(str(reason)) from None
    if found.objective not in {"Logloss", "CrossEntropy"}:
        raise Unexplained("it is no booster of trees for two classes")
    parts = zip(found.booster.trees, found.values, strict=True)
    trees = [_catboost_tree(tree, values, found) for tree, values in parts]
    return _joined(trees, float(found.bias[0]), found.booster.features)


def _catboost_tree(tree: Tree, values: list[float], model: catboost.Symmetric) -> dict[str, Any]:
    """The ways to the leaves answer the last split first: the number of the leaf from its highest bit on."""
    left, inner = np.array(tree.left), len(values) - 1
    feature = np.array(tree.feature, np.int64)
    return {
        "feature": feature,
        "threshold": np.array(tree.threshold, np.float32),
        "yes": left,
        "no": np.array(tree.right),
        "missing_yes": (left >= 0) & ~np.array(model.missing)[feature],
        "value": np.concatenate([np.zeros(inner), np.array(values, np.float64) * model.scale]),
        "cover": np.zeros(len(left)),
    }


NATIVE: Mapping[str, Callable[[bytes], Forest]] = {
    "catboost": read_catboost,
    "lightgbm": read_lightgbm,
    "xgboost": read_xgboost,
}
"""The readers by format."""


def _joined(trees: list[dict[str, Any]], base: float, features: int) -> Forest:
    if not trees:
        raise Unexplained("it has no trees")
    sizes = np.array([len(tree["yes"]) for tree in trees])
    roots = np.cumsum(sizes) - sizes
    joined = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    shift = np.repeat(roots, sizes)
    for name in ("yes", "no"):
        joined[name] = np.where(joined[name] < 0, -1, joined[name] + shift)
    inner = joined["yes"] >= 0
    reached = np.concatenate([joined["yes"][inner], joined["no"][inner]])
    if (reached >= len(inner)).any() or (joined["feature"] >= features).any() or (joined["feature"] < 0).any():
        raise Unexplained("its trees point beyond themselves")
    return Forest(
        **joined, equal=np.zeros(len(inner), bool), roots=roots, base=base, features=features, scale=Scale.LOG_ODDS
    )
