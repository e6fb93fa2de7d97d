"""The JSON models of CatBoost: symmetric trees over numbers, which are answered here without the library.

What needs the library's own hashes of categories, texts or embeddings is not judged, nor is its binary form (``.cbm``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from trustplane.training.runtimes.boosters.sound import (
    MOST_FEATURES,
    MOST_GROUPS,
    Booster,
    Tree,
    Unhandled,
    Unsound,
    ends,
    integers,
    json_of,
    members,
    numbers,
)

_JSON = re.compile(rb'\s*\{\s*"(ctr_data|features_info)"\s*:')
_TOP = frozenset({"features_info", "model_info", "oblivious_trees", "scale_and_bias"})
_ELSEWHERE = frozenset(
    {"trees", "ctr_data", "text_features", "estimated_features", "embedding_features", "categorical_features", "ctrs"}
)
_SEVERAL = frozenset({"MultiClass", "MultiClassOneVsAll"})
_BOTH = frozenset({"Logloss", "CrossEntropy"})
_PLAIN = frozenset(
    {
        "RMSE",
        "MAE",
        "Quantile",
        "MultiQuantile",
        "MAPE",
        "Huber",
        "Expectile",
        "Lq",
        "LogCosh",
        "RMSEWithUncertainty",
        "MultiRMSE",
    }
)
_MISSING = {"AsIs": False, "AsFalse": False, "AsTrue": True}
_DEEPEST, _MOST_TREES = 16, 1_000_000


@dataclass(frozen=True, slots=True)
class Symmetric:
    """A sound model. Each tree asks the same ``splits`` (feature, border) on all ways; the answers, the first as the lowest bit, are the
    number of its leaf, and ``values`` holds ``width`` numbers for each. ``missing`` says of each feature how a comparison of NaN ends."""

    booster: Booster
    objective: str
    width: int
    scale: float
    bias: list[float]
    missing: list[bool] = field(repr=False)
    splits: list[list[tuple[int, float]]] = field(repr=False)
    values: list[list[float]] = field(repr=False)


def begins(head: bytes) -> bool:
    """Whether the bytes begin as a model does."""
    return bool(_JSON.match(head))


def read(data: bytes) -> Booster:
    """A sound model; raise :class:`Unsound` for any other."""
    return symmetric(data).booster


def symmetric(data: bytes) -> Symmetric:
    """A sound model with its trees; raise :class:`Unsound` for any other."""
    root = json_of(data)
    if isinstance(root, Mapping) and root.keys() & _ELSEWHERE:
        raise Unhandled(
            "its trees are not symmetric, or look at categories: such models of CatBoost are not judged here"
        )
    members(root, _TOP)
    missing, borders = _features(root["features_info"])
    objective, classes = _objective(root["model_info"])
    scale, bias = _scale(root["scale_and_bias"])
    width = len(bias)
    if width != (classes if objective in _SEVERAL else 1 if objective in _BOTH else width):
        raise Unsound("its outputs are not as many as its classes")
    trees = root["oblivious_trees"]
    if not isinstance(trees, list) or len(trees) > _MOST_TREES:
        raise Unsound("its trees are no list, or too many")
    splits, values = [], []
    for tree in trees:
        asked, held = _tree(tree, borders, width)
        splits.append(asked)
        values.append(held)
    classes = {**dict.fromkeys(_SEVERAL, classes), **dict.fromkeys(_BOTH, 2)}.get(objective, 0)
    booster = Booster(*ends("FP32", len(missing), classes, width), trees=tuple(map(_as_tree, splits)))
    return Symmetric(booster, objective, width, scale, bias, missing, splits, values)


def _features(said: Any) -> tuple[list[bool], list[list[float]]]:
    """How NaN ends at each feature, and the borders that the trees compare with."""
    if isinstance(said, Mapping) and any(said.get(name) for name in _ELSEWHERE):
        raise Unhandled("it takes categories, texts or embeddings: such models of CatBoost are not judged here")
    found = members(said, frozenset({"float_features"}), _ELSEWHERE, "features_info")["float_features"]
    if not isinstance(found, list) or not 0 < len(found) <= MOST_FEATURES:
        raise Unsound("its features are no list, none, or too many")
    missing, borders = [], []
    for place, each in enumerate(found):
        needed = frozenset({"borders", "feature_index", "flat_feature_index", "has_nans", "nan_value_treatment"})
        members(each, needed, frozenset({"feature_id", "feature_name"}), "a feature")
        integers([each["feature_index"], each["flat_feature_index"]], "the places of a feature")
        if each["feature_index"] != place or each["flat_feature_index"] != place:
            raise Unsound("its features are not in order")
        if any(type(each.get(n, "")) is not str or len(each.get(n, "")) > 1024 for n in ("feature_id", "feature_name")):
            raise Unsound("the name of a feature is no text, or too long")
        if type(each["has_nans"]) is not bool or each["nan_value_treatment"] not in list(_MISSING):
            raise Unsound("a feature says not how it takes what is missing")
        held = numbers(each["borders"], "the borders of a feature")
        if any(a >= b for a, b in pairwise(held)):
            raise Unsound("the borders of a feature are not in order")
        missing.append(_MISSING[each["nan_value_treatment"]])
        borders.append(held)
    return missing, borders


def _objective(said: Any) -> tuple[str, int]:
    """What it was trained for, and how many classes it tells apart. The rest tells of its training, and nothing reads it."""
    if not isinstance(said, Mapping) or not isinstance(said.get("params"), Mapping):
        raise Unsound("it does not tell how it was trained")
    loss = said["params"].get("loss_function")
    name = loss.get("type") if isinstance(loss, Mapping) else None
    if type(name) is not str or name not in _SEVERAL | _BOTH | _PLAIN:
        raise Unhandled("what it was trained for is not known here")
    told = said.get("class_params")
    classes = told.get("class_to_label") if isinstance(told, Mapping) else []
    if not isinstance(classes, list) or len(classes) > MOST_GROUPS:
        raise Unsound("its classes are no list, or too many")
    if (name in _SEVERAL and len(classes) < 2) or (name in _BOTH and len(classes) not in {0, 2}):
        raise Unsound("its classes are not as many as it tells apart")
    return name, len(classes)


def _scale(said: Any) -> tuple[float, list[float]]:
    if not isinstance(said, list) or len(said) != 2:
        raise Unsound("its scale_and_bias are no pair")
    (scale,) = numbers([said[0]], "its scale")
    bias = numbers(said[1], "its bias")
    if not 0 < len(bias) <= MOST_GROUPS:
        raise Unsound("its bias has no outputs, or too many")
    return scale, bias


def _tree(tree: Any, borders: list[list[float]], width: int) -> tuple[list[tuple[int, float]], list[float]]:
    members(tree, frozenset({"leaf_values", "splits"}), frozenset({"leaf_weights"}), "a tree")
    splits = tree["splits"] or []
    if not isinstance(splits, list) or len(splits) > _DEEPEST:
        raise Unsound("the splits of a tree are no list, or too many")
    asked = []
    for split in splits:
        if isinstance(split, Mapping) and split.get("split_type") != "FloatFeature":
            raise Unhandled("its trees look at categories: such models of CatBoost are not judged here")
        members(split, frozenset({"border", "float_feature_index", "split_index", "split_type"}), name="a split")
        feature, _ = integers([split["float_feature_index"], split["split_index"]], "the places of a split")
        (border,) = numbers([split["border"]], "the border of a split")
        if not 0 <= feature < len(borders) or border not in borders[feature]:
            raise Unsound("a split asks for a feature or a border that is not there")
        asked.append((feature, border))
    leaves = 1 << len(asked)
    if "leaf_weights" in tree:
        weights = numbers(tree["leaf_weights"], "the weights of the leaves")
        if len(weights) not in {0, leaves} or any(weight < 0 for weight in weights):
            raise Unsound("the weights of the leaves are not one for each")
    return asked, numbers(tree["leaf_values"], "the values of the leaves", leaves * width)


def _as_tree(splits: list[tuple[int, float]]) -> Tree:
    """The nodes of a symmetric tree, each level from left to right: the last split asks first."""
    inner = (1 << len(splits)) - 1
    left = [2 * n + 1 if n < inner else -1 for n in range(2 * inner + 1)]
    level = [splits[-(n + 1).bit_length()] if n < inner else (0, 0.0) for n in range(2 * inner + 1)]
    right = [n + 1 if n >= 0 else -1 for n in left]
    return Tree(left, right, [feature for feature, _ in level], [border for _, border in level])
