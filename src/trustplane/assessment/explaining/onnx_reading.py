"""Tree ensembles and linear models out of ONNX, as the exporters of scikit-learn, XGBoost and LightGBM write them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.forest import MOST_NODES, Forest, Scale, Unexplained
from trustplane.assessment.explaining.linear import Linear
from trustplane.values.errors import Unavailable

_TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_LINEAR = ("LinearClassifier", "LinearRegressor")
_PLAIN = frozenset({"Cast", "Identity", "ZipMap", "Normalizer", "Reshape", "Flatten", "Squeeze"})
_DENSE = frozenset({"MatMul", "Gemm", "Add", "Sigmoid"})
_MODES = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"}
_TURNED = {"BRANCH_GT": "BRANCH_LEQ", "BRANCH_GTE": "BRANCH_LT", "BRANCH_NEQ": "BRANCH_EQ"}
_OUTPUTS = {"LOGISTIC": Scale.LOG_ODDS, "SOFTMAX": Scale.LOG_ODDS, "NONE": Scale.PROBABILITY}


def read_onnx(model: bytes, features: int) -> Forest | Linear:
    """The forest or the linear model that a graph is; raise :class:`Unexplained` where it is something else."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise Unavailable("TP-SETUP-001", "onnx is not installed: it comes with trustplane[ml]") from error
    try:
        graph = onnx.load_model_from_string(model).graph
    except (DecodeError, ValueError, RecursionError):
        raise Unexplained("it is no ONNX model") from None
    if {node.op_type for node in graph.node} <= _DENSE | _PLAIN:
        return _dense(graph, features)
    wanted = [node for node in graph.node if node.op_type in _TREES + _LINEAR]
    others = {node.op_type for node in graph.node} - {*_TREES, *_LINEAR, *_PLAIN, "Scaler"}
    if len(wanted) != 1 or others:
        raise Unexplained("its graph is neither one ensemble of trees nor one linear model")
    said = {a.name: onnx.helper.get_attribute_value(a) for a in wanted[0].attribute}
    scalers = [
        {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        for node in graph.node
        if node.op_type == "Scaler"
    ]
    try:
        if wanted[0].op_type in _LINEAR:
            return _linear(said, scalers, features)
        if scalers:
            raise Unexplained("its trees see scaled features")
        return _forest(said, features)
    except (KeyError, IndexError, ValueError, TypeError):
        raise Unexplained("its attributes do not fit together") from None


def _forest(said: Mapping[str, Any], features: int) -> Forest:
    count = len(said["nodes_nodeids"])
    if not 0 < count <= MOST_NODES:
        raise Unexplained("it has no nodes, or too many")
    place = {key: n for n, key in enumerate(zip(said["nodes_treeids"], said["nodes_nodeids"], strict=True))}
    modes = np.array([m.decode() for m in said["nodes_modes"]])
    inner = modes != "LEAF"
    if not set(modes[inner].tolist()) <= _MODES:
        raise Unexplained("its nodes compare in ways that are not known here")
    yes, no = (
        np.array(
            [place[t, child] if i else -1 for t, child, i in zip(said["nodes_treeids"], said[name], inner, strict=True)]
        )
        for name in ("nodes_truenodeids", "nodes_falsenodeids")
    )
    threshold = _values(said, "nodes_values")
    tracks = np.array(said.get("nodes_missing_value_tracks_true") or [0] * count, bool)
    if {len(said["nodes_featureids"]), len(modes), len(threshold), len(tracks)} != {count}:
        raise Unexplained("its attributes do not fit together")
    turned = np.isin(modes, list(_TURNED))
    strict = np.isin(modes, ["BRANCH_LT", "BRANCH_GTE"])  # x < t is x <= the number before t
    children = set(yes[inner].tolist()) | set(no[inner].tolist())
    value, base, scale = _leaves(said, place)
    forest = Forest(
        feature=np.array(said["nodes_featureids"], np.int64),
        threshold=np.where(strict, np.nextafter(threshold, -np.inf, dtype=threshold.dtype), threshold),
        yes=np.where(turned, no, yes),
        no=np.where(turned, yes, no),
        # NaN is unequal to any number, whatever is tracked
        missing_yes=inner & (tracks ^ turned) & (modes != "BRANCH_NEQ"),
        equal=np.isin(modes, ["BRANCH_EQ", "BRANCH_NEQ"]),
        value=value,
        roots=np.array([n for n in range(count) if n not in children], np.int64),
        base=base,
        features=features,
        scale=scale,
    )
    if forest.feature.min() < 0 or forest.feature.max() >= features:
        raise Unexplained("its trees look at features that are not there")
    return forest


def _values(said: Mapping[str, Any], name: str) -> npt.NDArray[Any]:
    """An attribute of floats, which newer graphs keep as a tensor where they are of double precision."""
    tensor = said.get(f"{name}_as_tensor")
    if tensor is None:
        return np.array(said[name], np.float32)
    import onnx

    return np.asarray(onnx.numpy_helper.to_array(tensor))


def _leaves(
    said: Mapping[str, Any], place: Mapping[tuple[int, int], int]
) -> tuple[npt.NDArray[np.float64], float, Scale]:
    """The value of each node for class 1, the score before any tree, and the scale."""
    kind = "class" if "class_ids" in said else "target"
    ids = np.array(said[f"{kind}_ids"])
    names = ("base_values", f"{kind}_weights")
    bases, given = (_values(said, n) if n in said or f"{n}_as_tensor" in said else np.zeros(0) for n in names)
    post = said.get("post_transform", b"NONE").decode()
    if post not in _OUTPUTS or (
        kind == "target" and said.get("aggregate_function", b"SUM") not in (b"SUM", b"AVERAGE")
    ):
        raise Unexplained("it makes its output in a way that is not known here")
    classes = np.unique(ids).tolist()
    if len(classes) > 2 or (len(classes) == 2 and classes != [0, 1]):
        raise Unexplained("it is no model of two classes")
    sign = np.ones(len(ids))  # where one class alone has weights, they are those of class 1
    if len(classes) == 2:
        sign = np.where(ids == 1, 1.0, -1.0 if post == "SOFTMAX" else 0.0)
    base = 0.0 if not len(bases) else float(bases[-1])
    if post == "SOFTMAX" and len(bases) == 2:
        base = float(bases[1] - bases[0])
    value = np.zeros(len(place))
    nodes = [place[key] for key in zip(said[f"{kind}_treeids"], said[f"{kind}_nodeids"], strict=True)]
    np.add.at(value, nodes, sign * given.astype(np.float64))
    if said.get("aggregate_function") == b"AVERAGE":
        value /= len(set(said["nodes_treeids"]))
    # The runtime hands a regressor's sum through: LOGISTIC is one of classifiers.
    return value, base, _OUTPUTS[post] if kind == "class" else Scale.PROBABILITY


def _dense(graph: Any, features: int) -> Linear:
    """A logistic regression as networks of one layer are exported: a product, a sum with constants and a sigmoid."""
    import onnx

    kinds = [node.op_type for node in graph.node if node.op_type not in _PLAIN]
    held = {tensor.name: onnx.numpy_helper.to_array(tensor).astype(np.float64) for tensor in graph.initializer}
    products = [node for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    weights = [held[name] for name in products[0].input[1:2] if name in held] if len(products) == 1 else []
    if kinds[-1:] != ["Sigmoid"] or kinds.count("Sigmoid") != 1 or not weights or weights[0].size != features:
        raise Unexplained("its graph is neither one ensemble of trees nor one linear model")
    added = [held[n] for node in graph.node if node.op_type == "Add" for n in node.input if n in held]
    added += [held[name] for name in products[0].input[2:] if name in held]
    if any(constant.size != 1 for constant in added):
        raise Unexplained("its graph adds more than a number")
    return Linear(weights[0].ravel(), float(sum(constant.sum() for constant in added)), Scale.LOG_ODDS)


def _linear(said: Mapping[str, Any], scalers: list[dict[str, Any]], features: int) -> Linear:
    """``coefficients`` have shape (classes, features); of two classes the second counts, or its distance from the first."""
    post = said.get("post_transform", b"NONE").decode()
    lines = np.array(said["coefficients"], np.float64).reshape(-1, features)
    starts = np.array(said.get("intercepts", [0.0] * len(lines)), np.float64)
    if post not in _OUTPUTS or len(lines) > 2 or len(starts) != len(lines):
        raise Unexplained("it is no linear model of two classes")
    weight, start = lines[-1], starts[-1]
    if post == "SOFTMAX" and len(lines) == 2:
        weight, start = lines[1] - lines[0], starts[1] - starts[0]
    for scaler in reversed(scalers):
        offset, scale = (np.broadcast_to(np.array(scaler[n], np.float64), (features,)) for n in ("offset", "scale"))
        start, weight = start - float((weight * scale * offset).sum()), weight * scale
    return Linear(weight, float(start), _OUTPUTS[post])
