"""Checks of what estimators do not check when they answer: an index or a count from the file that C code uses as it is.

scikit-learn's compiled code follows the numbers of a tree without looking whether they lie within it (scikit-learn pull request 34558,
CVE-less, and the reason why skops trusts no tree). A class whose compiled code was not looked at is on no list.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from trustplane.training.runtimes.skops.arrays import Archive, Array, NotAdmitted, numbers
from trustplane.training.runtimes.skops.schema import Node, Visited, plain

TREE_NODES = [
    *(("left_child", "<i8"), ("right_child", "<i8"), ("feature", "<i8"), ("threshold", "<f8"), ("impurity", "<f8")),
    *(("n_node_samples", "<i8"), ("weighted_n_node_samples", "<f8"), ("missing_go_to_left", "|u1")),
]
PREDICTOR_NODES = [
    *(
        ("value", "<f8"),
        ("count", "<u4"),
        ("feature_idx", "<i8"),
        ("num_threshold", "<f8"),
        ("missing_go_to_left", "|u1"),
    ),
    *(
        ("left", "<u4"),
        ("right", "<u4"),
        ("gain", "<f8"),
        ("depth", "<u4"),
        ("is_leaf", "|u1"),
        ("bin_threshold", "|u1"),
    ),
    *(("is_categorical", "|u1"), ("bitset_idx", "<u4")),
]
_TREES = frozenset({"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"})
_BOOSTED = frozenset({"GradientBoostingClassifier", "GradientBoostingRegressor"})
_HISTOGRAM = frozenset({"HistGradientBoostingClassifier", "HistGradientBoostingRegressor"})
_WITHOUT_CHECK = _BOOSTED | {
    *("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"),
    *("RandomTreesEmbedding", "IsolationForest"),
}
"""Ensembles that look at the number of features once, and not again for each tree."""
_VECTORS = frozenset({"SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM"})
_STATES = 624  # words of the Mersenne twister


def _refuse(message: str) -> NotAdmitted:
    return NotAdmitted(message)


class State:
    """The parts of one object."""

    def __init__(self, archive: Archive, node: Node) -> None:
        self.archive, self.node = archive, node
        content = node["content"]
        self.parts: Mapping[str, Node] = content["content"] if content["__loader__"] == "DictNode" else {}

    def value(self, name: str) -> Any:
        """A plain value, None where it is not there."""
        return plain(self.parts[name]) if name in self.parts else None

    def whole(self, name: str) -> int:
        """A count."""
        return whole(self.parts.get(name), name)

    def array(self, name: str, kind: Any = None, dimensions: int = 1) -> Array:
        """An array of one type."""
        return array(self.archive, self.parts.get(name), name, kind, dimensions)


def whole(node: Node | None, name: str) -> int:
    """A count that a node holds."""
    value = plain(node) if node is not None else None
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise _refuse(f"{name} is no count")
    return value


def array(archive: Archive, node: Node | None, name: str, kind: Any = None, dimensions: int = 1) -> Array:
    """The array that a node holds; raise unless it is of that type and has so many dimensions."""
    if node is None or node["__loader__"] != "NdArrayNode" or node["type"] != "numpy" or node["__class__"] != "ndarray":
        raise _refuse(f"{name} is no array")
    found = numbers(archive, node["file"])
    if found.ndim != dimensions or (kind is not None and _kind(found) != kind):
        raise _refuse(f"{name} is an array of another type or shape than scikit-learn writes")
    return found


def _kind(found: Array) -> Any:
    """The type of an item: a word, or each field with its own."""
    fields = found.dtype.fields
    return found.dtype.str if fields is None else [(n, fields[n][0].str) for n in found.dtype.names or ()]


def _within(parents: Array, children: Iterable[Array], most: int) -> bool:
    """Children come behind their parent and lie within the tree: so a walk ends, and ends within it."""
    return all(bool(((each > parents) & (each < most)).all()) for each in children)


def _depth(leaf: Array, left: Array, right: Array) -> int:
    depth, level = 0, np.zeros(1, np.int64)
    while True:
        level = level[~leaf[level]]
        if not len(level):
            return depth
        level = np.unique(np.concatenate([left[level], right[level]]).astype(np.int64))
        depth += 1


def check_tree(archive: Archive, node: Node) -> int:
    """A tree of scikit-learn; the number of features that it looks at."""
    arguments = node["__reduce__"]["args"].get("content")
    state = node["content"].get("content")
    known = {"max_depth", "node_count", "nodes", "values"}
    if not isinstance(arguments, list) or len(arguments) != 3 or not isinstance(state, dict) or state.keys() != known:
        raise _refuse("a tree has other parts than scikit-learn writes")
    features, outputs = whole(arguments[0], "n_features"), whole(arguments[2], "n_outputs")
    classes = array(archive, arguments[1], "n_classes", "<i8")
    nodes = array(archive, state["nodes"], "nodes", TREE_NODES)
    values = array(archive, state["values"], "values", "<f8", 3)
    count = len(nodes)
    if not count or whole(state["node_count"], "node_count") != count or len(classes) != outputs or not outputs:
        raise _refuse("the counts of a tree do not agree")
    if int(classes.min()) < 1 or values.shape != (count, outputs, int(classes.max())):
        raise _refuse("the values of a tree are not as many as its nodes")
    left, right, feature = (nodes[name] for name in ("left_child", "right_child", "feature"))
    leaf = left == -1
    inner = np.flatnonzero(~leaf)
    if not bool((right[leaf] == -1).all()) or not _within(inner, (left[inner], right[inner]), count):
        raise _refuse("a node of a tree leads out of it, or back")
    if not bool(((feature[inner] >= 0) & (feature[inner] < features)).all()):
        raise _refuse("a node of a tree asks for a feature that is not there")
    if whole(state["max_depth"], "max_depth") < _depth(leaf, left, right):
        raise _refuse("a tree is deeper than it says")
    return features


def _check_of_tree(state: State, visited: Visited) -> None:
    held = state.parts.get("tree_")
    if held is None:
        return
    if held["__loader__"] != "TreeNode":
        raise _refuse("tree_ is no tree")
    features = check_tree(state.archive, held)
    if features != state.whole("n_features_in_"):
        raise _refuse("a tree looks at another number of features than its estimator")
    for above in visited.above:
        if above["__class__"] in _WITHOUT_CHECK and State(state.archive, above).whole("n_features_in_") != features:
            raise _refuse("a tree looks at another number of features than the ensemble that holds it")


def _check_boosted(state: State, _visited: Visited) -> None:
    """The stages write one number for each tree of a row; there must be room for so many."""
    held = state.parts.get("estimators_")
    if held is None:
        return
    if held["__loader__"] != "NdArrayNode" or held["type"] != "json" or len(held["shape"]["content"]) != 2:
        raise _refuse("estimators_ is no table of trees")
    wide = whole(held["shape"]["content"][1], "estimators_")
    for each in (tree for row in held["content"] for tree in row["content"]):
        tree = _parts(each).get("tree_")
        if each["__class__"] != "DecisionTreeRegressor" or tree is None:
            raise _refuse("estimators_ is no table of trees")
        if whole(tree["__reduce__"]["args"]["content"][2], "n_outputs") != 1:
            raise _refuse("a tree of boosting has several outputs")
    if state.whole("n_trees_per_iteration_") != wide or wide < 1:
        raise _refuse("there are more trees for each row than numbers")
    if wide > 1:
        _check_beginning(state, wide)


def _check_beginning(state: State, wide: int) -> None:
    """What several classes begin with has a number for each."""
    start = state.parts["init_"]
    if start["__loader__"] == "JsonNode" and plain(start) == "zero":
        return
    first = State(state.archive, start)
    fits = (
        state.parts["_loss"]["__class__"] == "HalfMultinomialLoss"
        and start["__class__"] == "DummyClassifier"
        and first.value("strategy") == "prior"
        and first.array("class_prior_", "<f8").shape == (wide,)
        and first.whole("n_classes_") == wide
    )
    if not fits:
        raise _refuse("boosting of several classes begins with something else than their shares")


def _parts(node: Node) -> Mapping[str, Node]:
    content = node.get("content")
    held = content.get("content") if isinstance(content, dict) else None
    return held if isinstance(held, dict) else {}


def _check_histogram(state: State, _visited: Visited) -> None:
    held = state.parts.get("_predictors")
    if held is None:
        return
    features = state.whole("n_features_in_")
    mapper = state.parts.get("_bin_mapper")
    if mapper is None or mapper["__class__"] != "_BinMapper":
        raise _refuse("_bin_mapper is none")
    categorical = State(state.archive, mapper).array("is_categorical_", "|u1")
    thresholds = State(state.archive, mapper).parts.get("bin_thresholds_", {}).get("content")
    if len(categorical) != features or not isinstance(thresholds, list) or len(thresholds) != features:
        raise _refuse("the bins are of another number of features than the model")
    preprocessor = state.parts.get("_preprocessor")
    if preprocessor is not None and preprocessor["__loader__"] != "JsonNode":
        _check_preprocessor(state.archive, preprocessor, features)
    if held["__loader__"] != "ListNode":
        raise _refuse("_predictors is no list")
    for stage in held["content"]:
        for each in stage["content"] if stage["__loader__"] == "ListNode" else [stage]:
            if each["__class__"] != "TreePredictor":
                raise _refuse("_predictors holds something else than trees")
            _check_predictor(State(state.archive, each), features, categorical.astype(bool))


def _check_predictor(state: State, features: int, categorical: Array) -> None:
    nodes = state.array("nodes", PREDICTOR_NODES)
    sets = state.array("raw_left_cat_bitsets", "<u4", 2)
    count = len(nodes)
    if not count or (len(sets) and sets.shape[1] != 8):
        raise _refuse("a tree has no nodes, or sets of another width")
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    if not _within(inner, (nodes["left"][inner], nodes["right"][inner]), count):
        raise _refuse("a node of a tree leads out of it, or back")
    feature = nodes["feature_idx"][inner]
    if not bool(((feature >= 0) & (feature < features)).all()):
        raise _refuse("a node of a tree asks for a feature that is not there")
    by_set = nodes["is_categorical"][inner] != 0
    if not bool((nodes["bitset_idx"][inner][by_set] < len(sets)).all()) or not bool(categorical[feature[by_set]].all()):
        raise _refuse("a node of a tree asks for a set of categories that is not there")


def _check_preprocessor(archive: Archive, node: Node, features: int) -> None:
    """What HistGradientBoosting puts before its trees for categories: it gives as many columns as it takes."""
    state = State(archive, node)
    steps = state.parts.get("transformers_", {}).get("content", [])
    if len(steps) == 3 and [plain(part) for part in steps[2]["content"][:2]] == ["remainder", "drop"]:
        steps = steps[:2]
    kinds = [step["content"][1].get("__class__") if len(step.get("content", ())) == 3 else "" for step in steps]
    if node["__class__"] != "ColumnTransformer" or kinds != ["OrdinalEncoder", "FunctionTransformer"]:
        raise _refuse("the categories are encoded by something else than scikit-learn uses")
    masks = [array(archive, step["content"][2], "the columns of an encoder", "|b1") for step in steps]
    if any(len(mask) != features for mask in masks) or bool((masks[0] == masks[1]).any()):
        raise _refuse("the categories are encoded into another number of columns")
    encoder, rest = (State(archive, step["content"][1]) for step in steps)
    func = rest.parts.get("func")
    keeps = (
        func is None
        or func["__loader__"] == "PartialNode"
        or (func["__loader__"] == "JsonNode" and plain(func) is None)
    )
    if len(encoder.parts.get("categories_", {}).get("content", ())) != int(masks[0].sum()) or not keeps:
        raise _refuse("the categories are encoded into another number of columns")


def _check_vectors(state: State, visited: Visited) -> None:
    """libsvm copies as many numbers as the counts say."""
    if "support_vectors_" not in state.parts:
        return
    if (
        state.value("_sparse") is not False
        or not isinstance(state.value("kernel"), str)
        or state.value("kernel") == "precomputed"
    ):
        raise _refuse("support vectors that are sparse or stand for a kernel of one's own are not looked through")
    vectors = state.array("support_vectors_", "<f8", 2)
    counts, support = state.array("_n_support", "<i4"), state.array("support_", "<i4")
    slopes, offsets = state.array("_dual_coef_", "<f8", 2), state.array("_intercept_", "<f8")
    many, classes = len(vectors), len(counts)
    pairs = classes * (classes - 1) // 2
    classifies = visited.node["__class__"] in {"SVC", "NuSVC"}
    fits = (
        vectors.shape[1] == state.whole("n_features_in_")
        and len(support) == many
        and classes >= 2
        and slopes.shape == (classes - 1, many)
        and len(offsets) == pairs
        and bool((counts >= 0).all())
        and (not classifies or int(counts.sum()) == many)
        and all(len(state.array(name, "<f8")) in {0, pairs} for name in ("_probA", "_probB"))
        and len(state.array("_probA", "<f8")) == len(state.array("_probB", "<f8"))
    )
    if not fits:
        raise _refuse("the counts of the support vectors do not agree")


def _categories(archive: Archive, node: Node) -> int:
    """How many categories; numbers are looked up by halving, so they must ascend, the unknown last."""
    if node["type"] == "json":
        return len(node["content"])
    found = array(archive, node, "categories_")
    if found.dtype.kind in "iufb":
        known = found[:-1] if found.dtype.kind == "f" and np.isnan(found[-1:]).any() else found
        if not bool((known[1:] > known[:-1]).all()):
            raise _refuse("the categories of a one-hot encoder do not ascend")
    return len(found)


def _check_one_hot(state: State, _visited: Visited) -> None:
    """Each category has its column, because a sparse matrix is filled without looking."""
    held = state.parts.get("categories_")
    if held is None:
        return
    if state.value("_infrequent_enabled") is not False:
        raise _refuse("a one-hot encoder that gathers infrequent categories is not looked through")
    sizes = [_categories(state.archive, each) for each in held["content"]]
    dropped = state.parts.get("_drop_idx_after_grouping")
    drops: list[Any] = [None] * len(sizes)
    if dropped is not None and dropped["__loader__"] == "NdArrayNode":
        drops = (
            [plain(each) for each in dropped["content"]]
            if dropped["type"] == "json"
            else array(state.archive, dropped, "drop_idx_").tolist()
        )
    wide = [whole(each, "_n_features_outs") for each in state.parts.get("_n_features_outs", {}).get("content", ())]
    if not len(sizes) == len(drops) == len(wide) == state.whole("n_features_in_"):
        raise _refuse("the counts of a one-hot encoder do not agree")
    for size, drop, columns in zip(sizes, drops, wide, strict=True):
        if columns != size - (drop is not None) or (drop is not None and not (type(drop) is int and 0 <= drop < size)):
            raise _refuse("a one-hot encoder has another number of columns than categories")


_CHECKS: Mapping[str, Callable[[State, Visited], None]] = {
    **dict.fromkeys(_TREES, _check_of_tree),
    **dict.fromkeys(_BOOSTED, _check_boosted),
    **dict.fromkeys(_HISTOGRAM, _check_histogram),
    **dict.fromkeys(_VECTORS, _check_vectors),
    "OneHotEncoder": _check_one_hot,
}


def check_state(archive: Archive, visited: Visited) -> None:
    """Check what one node holds; raise :class:`NotAdmitted` with its path."""
    node = visited.node
    try:
        match node["__loader__"]:
            case "ObjectNode":
                if (check := _CHECKS.get(node["__class__"])) is not None:
                    check(State(archive, node), visited)
                if node["__class__"] == "TreePredictor" and not _is_in(visited, _HISTOGRAM):
                    raise _refuse("a tree lies where scikit-learn keeps none")
            case "TreeNode":
                if not _is_in(visited, _TREES) or not visited.path.endswith(".tree_"):
                    raise _refuse("a tree lies where scikit-learn keeps none")
            case "RandomStateNode" | "RandomGeneratorNode":
                _check_random(archive, node)
    except NotAdmitted as reason:
        reason.path = reason.path or visited.path
        reason.subject = reason.subject or f"{node['__module__']}.{node['__class__']}"
        raise
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        told = f"{node['__module__']}.{node['__class__']}"
        raise NotAdmitted("its parts are not of the kinds that scikit-learn writes", told, visited.path) from None


def _is_in(visited: Visited, classes: frozenset[str]) -> bool:
    return bool(visited.above) and visited.above[-1]["__class__"] in classes


def _check_random(archive: Archive, node: Node) -> None:
    """A place beyond the words of its state would be read from what lies behind them."""
    if node["__loader__"] == "RandomGeneratorNode":
        said = node["content"]["bit_generator"]["content"]
        if plain(said["bit_generator"]) != "PCG64":
            raise _refuse("a generator of random numbers is not PCG64")
        return
    said = node["content"]["content"]
    state = said["state"]["content"]
    key = array(archive, state["key"], "key", "<u4")
    if plain(said["bit_generator"]) != "MT19937" or len(key) != _STATES or whole(state["pos"], "pos") > _STATES:
        raise _refuse("the state of random numbers is not as NumPy writes it")
