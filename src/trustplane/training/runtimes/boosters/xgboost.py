"""The JSON and UBJSON models of XGBoost 1.6 to 3.2: the schema of ``doc/model.schema``, and what its loader takes on trust."""

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from trustplane.training.runtimes.boosters.sound import (
    MOST_FEATURES,
    MOST_GROUPS,
    Booster,
    Tree,
    Unsound,
    ends,
    integers,
    json_of,
    members,
    numbers,
    reached,
    texts,
    within,
)
from trustplane.training.runtimes.boosters.ubjson import ubjson

_FIRST = rb"(?:attributes|feature_names|gradient_booster|learner_model_param|objective)"
_JSON = re.compile(rb'\s*\{\s*"learner"\s*:\s*\{\s*"' + _FIRST + rb'"\s*:')
_SIZE = rb"(?:[iU]|I\0|l\0\0\0|L\0{7})"
_UBJSON = re.compile(rb"\{" + _SIZE + rb"\x07learner\{" + _SIZE + rb"[\x09-\x13]" + _FIRST, re.DOTALL)
"""The library writes members in the order of their names, the learner first."""
_PARAMETERS = {
    "binary:hinge": "",
    "binary:logistic": "reg_loss_param",
    "binary:logitraw": "reg_loss_param",
    "count:poisson": "poisson_regression_param",
    "multi:softmax": "softmax_multiclass_param",
    "multi:softprob": "softmax_multiclass_param",
    "rank:map": "lambdarank_param",
    "rank:ndcg": "lambdarank_param",
    "rank:pairwise": "lambdarank_param",
    "reg:absoluteerror": "",
    "reg:expectileerror": "expectile_loss_param",
    "reg:gamma": "gamma_regression_param",
    "reg:linear": "reg_loss_param",
    "reg:logistic": "reg_loss_param",
    "reg:pseudohubererror": "pseudo_huber_param",
    "reg:quantileerror": "quantile_loss_param",
    "reg:squarederror": "reg_loss_param",
    "reg:squaredlogerror": "reg_loss_param",
    "reg:tweedie": "tweedie_regression_param",
    "survival:aft": "aft_loss_param",
    "survival:cox": "",
}
_ALSO = {"lambdarank_param": "lambda_rank_param"}
_MORE = frozenset({"reg_loss_param"})
"""Members that some objectives have in some versions."""
_BOTH = frozenset({"binary:logistic", "binary:logitraw", "binary:hinge"})
_SEVERAL = frozenset({"multi:softmax", "multi:softprob"})
_COUNT, _VALUE = re.compile(r"\d{1,10}\Z", re.ASCII), re.compile(r"[\w.+\-\[\], ]*\Z", re.ASCII)
_TYPES = frozenset({"i", "q", "int", "float", "c"})
_NONE, _DELETED = (1 << 31) - 1, (1 << 31) - 1
_MOST_CATEGORIES, _MOST_BITS = 1 << 24, 1 << 28
_TREE = frozenset(
    [
        "base_weights",
        "categories",
        "categories_nodes",
        "categories_segments",
        "categories_sizes",
        "default_left",
        "id",
        "left_children",
        "loss_changes",
        "parents",
        "right_children",
        "split_conditions",
        "split_indices",
        "sum_hessian",
        "tree_param",
    ]
)


def begins(head: bytes) -> bool:
    """Whether the bytes begin as a model does."""
    return bool(_JSON.match(head) or _UBJSON.match(head))


def document(data: bytes) -> Any:
    """The model as it is written, in either notation."""
    return ubjson(data) if _UBJSON.match(data) else json_of(data)


def read(data: bytes) -> Booster:
    """A sound model; raise :class:`Unsound` for any other."""
    root = members(document(data), frozenset({"learner", "version"}))
    within(root["version"], "the parts of its version", 3, 0, 1000)
    learner = members(
        root["learner"],
        frozenset({"attributes", "gradient_booster", "learner_model_param", "objective"}),
        frozenset({"feature_names", "feature_types"}),
        "the learner",
    )
    size = _Size(learner["learner_model_param"])
    _attributes(learner["attributes"])
    for name in ("feature_names", "feature_types"):
        said = texts(learner.get(name, []), f"the {name}")
        if said and len(said) != size.features:
            raise Unsound(f"the {name} are not as many as its features")
    if not _TYPES.issuperset(learner.get("feature_types", [])):
        raise Unsound("a type of a feature is not known")
    objective = _objective(learner["objective"], size)
    trees, linear = _booster(learner["gradient_booster"], size)
    rounds = answering(learner)
    classes = 2 if objective in _BOTH and size.groups == 1 else size.classes if objective in _SEVERAL else 0
    return Booster(
        *ends("FP32", size.features, classes, size.groups, probabilities=objective != "binary:hinge"),
        trees=tuple(trees if rounds is None else trees[: trees_of(learner, rounds)]),
        linear=linear,
    )


def answering(learner: Mapping[str, Any]) -> int | None:
    """How many rounds answer: those to the best one in a model of XGBoost's estimators that stopped early, as they answer themselves."""
    attributes = learner["attributes"]
    if "scikit_learn" not in attributes or not _COUNT.match(attributes.get("best_iteration", "")):
        return None
    return int(attributes["best_iteration"]) + 1


def trees_of(learner: Mapping[str, Any], rounds: int | None) -> int:
    """How many trees the first rounds hold."""
    booster = learner["gradient_booster"]
    model = booster.get("gbtree", booster)["model"]
    if "trees" not in model:
        return 0
    starts, total = model.get("iteration_indptr"), len(model["trees"])
    if rounds is None:
        return total
    if starts:
        return int(starts[min(rounds, len(starts) - 1)])
    said = learner["learner_model_param"]
    groups = max(int(said["num_class"]), int(said.get("num_target", "1")), 1)
    return min(rounds * groups * int(model["gbtree_model_param"]["num_parallel_tree"]), total)


class _Size:
    """How many features, classes and outputs a model has."""

    def __init__(self, said: Any) -> None:
        known = members(
            said,
            frozenset({"base_score", "num_class", "num_feature"}),
            frozenset({"boost_from_average", "num_target"}),
            "the learner_model_param",
        )
        self.features = _count(known, "num_feature", 1, MOST_FEATURES)
        self.classes = _count(known, "num_class", 0, MOST_GROUPS)
        self.targets = _count(known, "num_target", 1, MOST_GROUPS) if "num_target" in known else 1
        self.groups = max(self.classes, self.targets, 1)
        if self.classes > 1 and self.targets > 1:
            raise Unsound("it has several classes and several targets")
        _count({"boost_from_average": "1", **known}, "boost_from_average", 0, 1)
        base = known["base_score"]
        if type(base) is not str or not _VALUE.match(base):
            raise Unsound("its base_score is no number")
        try:
            scores = [float(part) for part in base.removeprefix("[").removesuffix("]").split(",")]
        except ValueError:
            raise Unsound("its base_score is no number") from None
        if not all(map(math.isfinite, scores)) or len(scores) not in {1, self.groups}:
            raise Unsound("its base_score is not finite, or has not one number for each output")


def _count(known: Mapping[str, Any], name: str, least: int, most: int) -> int:
    said = known[name]
    if type(said) is not str or not _COUNT.match(said) or not least <= int(said) <= most:
        raise Unsound(f"its {name} is no number from {least} to {most:,}")
    return int(said)


def _attributes(said: Any) -> None:
    if not isinstance(said, Mapping) or not all(type(v) is str for v in said.values()):
        raise Unsound("its attributes are no texts")
    if len(said) > 1000 or sum(len(k) + len(v) for k, v in said.items()) > 16 << 20:
        raise Unsound("its attributes are too many or too long")


def _objective(said: Any, size: _Size) -> str:
    name = said.get("name") if isinstance(said, Mapping) else None
    if type(name) is not str or name not in _PARAMETERS:
        raise Unsound("its objective is none of XGBoost's own")
    wanted = _PARAMETERS[name]
    members(said, frozenset({"name"}), _MORE | {wanted, _ALSO.get(wanted, wanted)}, "the objective")
    for parameters in (each for key, each in said.items() if key != "name"):
        if not isinstance(parameters, Mapping) or len(parameters) > 32:
            raise Unsound("the parameters of its objective are no object")
        for key, value in parameters.items():
            if type(value) is not str or not _VALUE.match(value) or len(value) > 1 << 16 or not _VALUE.match(key):
                raise Unsound("a parameter of its objective is no plain text")
    if name in _SEVERAL:
        told = members(said, frozenset({"name", wanted}), _MORE, "the objective")[wanted]
        if size.classes < 1 or _count({"num_class": "", **told}, "num_class", 1, MOST_GROUPS) != size.classes:
            raise Unsound("its objective has other classes than its learner")
    elif size.classes > 1 and name.startswith("binary:"):
        raise Unsound("its objective has other classes than its learner")
    return name


def _booster(said: Any, size: _Size) -> tuple[list[Tree], bool]:
    name = said.get("name") if isinstance(said, Mapping) else None
    if name == "gblinear":
        model = members(said, frozenset({"name", "model"}), name="the booster")["model"]
        members(model, frozenset({"weights"}), frozenset({"boosted_rounds"}), "the booster")
        numbers(model["weights"], "the weights", (size.features + 1) * size.groups)
        integers([model.get("boosted_rounds", 0)], "the rounds", 1)
        return [], True
    if name == "dart":
        members(said, frozenset({"name", "gbtree", "weight_drop"}), name="the booster")
        if not isinstance(said["gbtree"], Mapping) or said["gbtree"].get("name") != "gbtree":
            raise Unsound("a booster of dart is none of trees")
        trees, _ = _booster(said["gbtree"], size)
        numbers(said["weight_drop"], "the weights of the trees", len(trees))
        return trees, False
    if name != "gbtree":
        raise Unsound("its booster is none of gbtree, dart and gblinear")
    model = members(said, frozenset({"name", "model"}), name="the booster")["model"]
    needed = frozenset({"gbtree_model_param", "tree_info", "trees"})
    members(model, needed, frozenset({"cats", "iteration_indptr"}), "the booster")
    counts = members(
        model["gbtree_model_param"],
        frozenset({"num_trees", "num_parallel_tree"}),
        frozenset({"size_leaf_vector"}),
        "the gbtree_model_param",
    )
    total = _count(counts, "num_trees", 0, 10_000_000)
    _count(counts, "num_parallel_tree", 1, 10_000_000)
    _count({"size_leaf_vector": "0", **counts}, "size_leaf_vector", 0, MOST_GROUPS)
    within(model["tree_info"], "the outputs of the trees", total, 0, size.groups)
    if not isinstance(model["trees"], list) or len(model["trees"]) != total:
        raise Unsound("its trees are not as many as it says")
    trees = [_tree(tree, number, size) for number, tree in enumerate(model["trees"])]
    if len({tree["tree_param"]["size_leaf_vector"] for tree in model["trees"]} - {"0"}) > 1:
        raise Unsound("its trees are not of as many outputs")
    starts = within(model.get("iteration_indptr", [0, total]), "the starts of the rounds", None, 0, total + 1)
    if starts[:1] != [0] or starts[-1] != total or any(a > b for a, b in pairwise(starts)):
        raise Unsound("the starts of the rounds are not in order")
    if "cats" in model:
        _categories(model["cats"], size)
    return trees, False


def _tree(tree: Any, number: int, size: _Size) -> Tree:
    if isinstance(tree, Mapping) and "leaf_weights" not in tree and "loss_changes" not in tree:
        # XGBoost 3.2 reads beyond its memory where it loads trees of several outputs of 2.0 to 3.0.
        raise Unsound("a tree lacks the outputs of its leaves, as those of several outputs did before XGBoost 3.1")
    members(tree, _TREE, frozenset({"leaf_weights", "split_type"}), "a tree")
    told = members(
        tree["tree_param"],
        frozenset({"num_nodes", "num_feature", "num_deleted", "size_leaf_vector"}),
        frozenset({"num_roots"}),
        "the tree_param",
    )
    count = _count(told, "num_nodes", 1, _NONE - 1)
    width = _count(told, "size_leaf_vector", 0, MOST_GROUPS)
    if (
        _count(told, "num_feature", 0, MOST_FEATURES) != size.features
        or width not in {0, 1, size.targets}
        or tree["id"] != number
        or type(tree["id"]) is not int
    ):
        raise Unsound("a tree has other features or outputs than the model, or another number")
    left = within(tree["left_children"], "the left children", count, -1, count)
    right = within(tree["right_children"], "the right children", count, -1, count)
    seen = reached(left, right)
    parents = integers(tree["parents"], "the parents", count)
    feature = within(tree["split_indices"], "the features of the nodes", count, 0, _DELETED + 1)
    conditions = numbers(tree["split_conditions"], "the thresholds and leaves", count, finite=False)
    _flags(tree["default_left"], "the ways of what is missing", count)
    kinds = _flags(tree.get("split_type", [0] * count), "the kinds of the nodes", count)
    for name, each in (("loss_changes", 1), ("sum_hessian", 1), ("base_weights", max(width, 1))):
        numbers(tree[name], f"the {name}", count * each, finite=False)
    by_category = _split_by(tree, count, kinds)
    for node, child in enumerate(left):
        if child < 0:
            continue
        if parents[child] != node or parents[right[node]] != node:
            raise Unsound("a node of a tree has another parent than leads to it")
        if feature[node] >= size.features:
            raise Unsound("a node of a tree looks at a feature that is not there")
        if (node in by_category) != bool(kinds[node]) or (not kinds[node] and math.isnan(conditions[node])):
            raise Unsound("a node of a tree has neither a threshold nor categories")
    gone = [node for node in range(count) if not seen[node]]
    _deleted(gone, left, feature, parents)
    if parents[0] not in {-1, _NONE} or len(gone) != _count(told, "num_deleted", 0, count):
        raise Unsound("the nodes of a tree are not as many as it says")
    leaves = [node for node in range(count) if left[node] < 0 and seen[node]]
    if not all(math.isfinite(conditions[node]) for node in leaves):
        raise Unsound("a leaf of a tree is not finite")
    _leaves(tree, left, right, len(leaves), width)
    return Tree(left, right, feature, conditions, by_category)


def _deleted(gone: list[int], left: list[int], feature: list[int], parents: list[int]) -> None:
    """What pruning left behind has no children and no feature."""
    if any(left[node] >= 0 or feature[node] != _DELETED for node in gone):
        raise Unsound("a node of a tree is not reached, and not deleted")
    if any(not 0 <= parents[node] < len(parents) for node in gone):  # XGBoost 3.2 follows these too
        raise Unsound("a deleted node has a parent that is not there")


def _leaves(tree: Mapping[str, Any], left: list[int], right: list[int], leaves: int, width: int) -> None:
    """A leaf of several outputs says by its right child where they stand; any other has none."""
    at = [b for a, b in zip(left, right, strict=True) if a < 0 and b >= 0]
    if "leaf_weights" not in tree:
        if at or width > 1:
            raise Unsound("a leaf of a tree has no outputs of its own")
        return
    numbers(tree["leaf_weights"], "the outputs of the leaves", leaves * width if width > 1 else 0)
    if sorted(at) != (list(range(leaves)) if width > 1 else []):
        raise Unsound("the leaves of a tree point beyond their outputs")


def _flags(what: Any, name: str, count: int) -> list[int]:
    if (
        type(what) is not list
        or len(what) != count
        or any(type(each) not in {int, bool} or each not in {0, 1} for each in what)
    ):
        raise Unsound(f"{name} are not one for each node")
    return what


def _split_by(tree: Mapping[str, Any], count: int, kinds: list[int]) -> frozenset[int]:
    """The nodes that split by categories. Each keeps as many bits as its highest category."""
    nodes = within(tree["categories_nodes"], "the nodes of categories", None, 0, count)
    starts = integers(tree["categories_segments"], "the places of categories", len(nodes))
    lengths = integers(tree["categories_sizes"], "the numbers of categories", len(nodes))
    held = within(tree["categories"], "the categories", None, 0, _MOST_CATEGORIES)
    at = bits = 0
    for start, length in zip(starts, lengths, strict=True):
        if start != at or not 0 < length <= len(held) - at:
            raise Unsound("the categories of a node lie beyond what there is")
        bits += max(held[at : at + length]) + 1
        at += length
    if at != len(held) or bits > _MOST_BITS or any(a >= b for a, b in pairwise(nodes)):
        raise Unsound("the categories of the nodes are not in order, or too many")
    if not all(kinds[node] for node in nodes):
        raise Unsound("a node has categories and does not split by them")
    return frozenset(nodes)


def _categories(said: Any, size: _Size) -> None:
    """What the categories of each feature were called in training (since 3.1)."""
    members(said, frozenset({"enc", "feature_segments", "sorted_idx"}), name="the cats")
    named = said["enc"]
    if not isinstance(named, list) or len(named) not in {0, size.features}:
        raise Unsound("the categories are not named for each feature")
    order = integers(said["sorted_idx"], "the order of the categories")
    ends_at = within(
        said["feature_segments"], "the places of the categories", len(named) + 1 if named else None, 0, len(order) + 1
    )
    if not named:
        if order or any(ends_at):
            raise Unsound("the categories have an order and no names")
        return
    if ends_at[0] != 0 or ends_at[-1] != len(order) or any(a > b for a, b in pairwise(ends_at)):
        raise Unsound("the places of the categories are not in order")
    for each, (start, end) in zip(named, pairwise(ends_at), strict=True):
        if _named(each) != end - start or sorted(order[start:end]) != list(range(end - start)):
            raise Unsound("the categories of a feature are not as many as their names")


def _named(said: Any) -> int:
    """How many categories a feature names, by texts or by numbers."""
    if isinstance(said, Mapping) and "type" in said:
        members(said, frozenset({"type", "values"}), name="a feature's categories")
        within([said["type"]], "the type of categories", 1, 0, 32)
        return len(integers(said["values"], "the categories' numbers"))
    members(said, frozenset({"offsets", "values"}), name="a feature's categories")
    letters = within(said["values"], "the letters of categories", None, -128, 256)
    starts = within(said["offsets"], "the places of the letters", None, 0, len(letters) + 1)
    if not starts and not letters:
        return 0
    if starts[:1] != [0] or starts[-1] != len(letters) or any(a > b for a, b in pairwise(starts)):
        raise Unsound("the names of categories are not in order")
    return len(starts) - 1
