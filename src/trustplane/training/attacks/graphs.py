"""ONNX graphs opened: the thresholds of their trees, or the gradient of a chain of scalings and dense layers.

A graph that is neither is asked for scores alone. What was read is compared with what the graph says before it is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks import networks
from trustplane.training.attacks.contract import Model, Score
from trustplane.training.attacks.networks import Layer, Scaling
from trustplane.values.errors import missing_extra

Floats = npt.NDArray[np.float64]
_TREES = frozenset({"TreeEnsembleClassifier", "TreeEnsembleRegressor"})
_ACTIVATIONS = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "logistic"}
_PASSED = frozenset({"Cast", "Identity", "Flatten", "Dropout", "Reshape"})


@dataclass(slots=True)
class _Chain:
    """What the graph did so far to its input, as a scaling of columns and then dense layers."""

    scaling: Scaling | None = None
    layers: list[Layer] = field(default_factory=list)


def of_onnx(artifact: bytes, score: Score, threshold: float) -> Model:
    """The model of an artifact; ``score`` is how it is asked."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        raise missing_extra("onnx", "ml", "looking into an ONNX model") from None
    graph = onnx.load_from_string(artifact).graph
    nodes = list(graph.node)
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    constants |= {
        n.output[0]: numpy_helper.to_array(n.attribute[0].t)
        for n in nodes
        if n.op_type == "Constant" and n.attribute[0].HasField("t")
    }
    forests = [n for n in nodes if n.op_type in _TREES]
    source = next((i.name for i in graph.input if i.name not in constants), "")
    if forests:
        return Model(score, threshold, cuts=_cuts(nodes, forests, source, constants), votes=_votes(forests))
    chain = _chain(nodes, source, constants)
    if chain is None or not chain.layers:
        return Model(score, threshold)
    gradient = networks.of_layers(chain.layers)
    if chain.scaling is not None:
        gradient = networks.scaled(gradient, chain.scaling)
    return Model(score, threshold, gradient)


def _attributes(node: Any) -> dict[str, Any]:
    from onnx.helper import get_attribute_value

    return {a.name: get_attribute_value(a) for a in node.attribute}


def _cuts(
    nodes: Sequence[Any], forests: Sequence[Any], source: str, constants: Mapping[str, Any]
) -> dict[int, Floats] | None:
    """The thresholds by column of the graph's input; ``None`` where the trees read something that is no scaling of it."""
    scaling = _before(nodes, forests[0].input[0], source, constants)
    if isinstance(scaling, str):
        return None
    found: dict[int, set[float]] = {}
    for forest in forests:
        said = _attributes(forest)
        modes = [m.decode() if isinstance(m, bytes) else m for m in said["nodes_modes"]]
        for mode, column, cut in zip(modes, said["nodes_featureids"], said["nodes_values"], strict=True):
            if mode != "LEAF":
                found.setdefault(int(column), set()).add(float(cut))
    cuts = {c: np.array(sorted(v)) for c, v in found.items()}
    return cuts if scaling is None else {c: v * scaling.scale[c] + scaling.shift[c] for c, v in cuts.items()}


def _before(nodes: Sequence[Any], name: str, source: str, constants: Mapping[str, Any]) -> Scaling | str | None:
    """The scaling between the input and ``name``; a text where there is something else between."""
    by_output = {o: n for n in nodes for o in n.output}
    path = []
    while name != source:
        node = by_output.get(name)
        if node is None:
            return "not from the input"
        path.append(node)
        name = node.input[0]
    chain = _Chain()
    for node in reversed(path):
        if not _step(chain, node, constants) or chain.layers:
            return f"there is a {node.op_type} between"
    return chain.scaling


def _votes(forests: Sequence[Any]) -> bool:
    said = _attributes(forests[0])
    return said.get("post_transform", b"NONE") in (b"NONE", "NONE") and forests[0].op_type == "TreeEnsembleClassifier"


def _chain(nodes: Sequence[Any], source: str, constants: Mapping[str, Any]) -> _Chain | None:
    """The chain from the input to the first node that ends a model of two classes; ``None`` where the graph is no chain."""
    chain, name = _Chain(), source
    for _ in range(len(nodes)):
        node = next((n for n in nodes if name in n.input and n.op_type not in ("Shape", "ArgMax")), None)
        if node is None:
            break
        if node.op_type == "LinearClassifier":
            return chain if _linear_classifier(chain, _attributes(node)) else None
        last = bool(chain.layers) and chain.layers[-1].weights.shape[1] in (1, 2)
        if node.op_type in ("Sigmoid", "Softmax") and last and chain.layers[-1].activation == "identity":
            break
        if not _step(chain, node, constants):
            break
        name = node.output[0]
    return _odds(chain)


def _odds(chain: _Chain) -> _Chain | None:
    """The chain ending in one number, the log-odds."""
    if not chain.layers or chain.layers[-1].weights.shape[1] not in (1, 2):
        return None
    last = chain.layers[-1]
    if last.activation not in ("identity", "logistic"):
        return None
    if last.weights.shape[1] == 2:
        last = Layer(last.weights[:, 1:] - last.weights[:, :1], last.bias[1:] - last.bias[:1], "identity")
    chain.layers[-1] = Layer(last.weights, last.bias, "identity")
    return chain


def _linear_classifier(chain: _Chain, said: Mapping[str, Any]) -> bool:
    weights = np.array(said["coefficients"], np.float64)
    bias = np.array(said.get("intercepts", [0.0, 0.0]), np.float64)
    if len(bias) == 2:
        weights = weights.reshape(2, -1)
        # with a logistic function on each of them, the second alone is the log-odds
        lone = said.get("post_transform", b"NONE") in (b"LOGISTIC", "LOGISTIC")
        weights, bias = (weights[1], bias[1:]) if lone else (weights[1] - weights[0], bias[1:] - bias[:1])
    chain.layers.append(Layer(weights.reshape(-1, 1), bias.reshape(1), "identity"))
    return True


def _step(chain: _Chain, node: Any, constants: Mapping[str, Any]) -> bool:
    """Take one node into the chain; return whether it could be taken."""
    if node.op_type in _PASSED:
        return True
    return _of_layers(chain, node, constants) or (not chain.layers and _of_columns(chain, node, constants))


def _of_columns(chain: _Chain, node: Any, constants: Mapping[str, Any]) -> bool:
    """A node that shifts or scales columns one by one."""
    kind, said = node.op_type, _attributes(node)
    if kind == "Scaler":
        return _scale(chain, np.array(said["offset"], np.float64), 1 / np.array(said["scale"], np.float64))
    if kind not in ("Sub", "Div") or node.input[1] not in constants:
        return False
    value = np.asarray(constants[node.input[1]], np.float64).reshape(-1)
    if len(value) < 2:  # one number for all columns: how many there are is not said
        return False
    same = np.zeros_like(value) if kind == "Div" else np.ones_like(value)
    return _scale(chain, value, same) if kind == "Sub" else _scale(chain, same, value)


def _of_layers(chain: _Chain, node: Any, constants: Mapping[str, Any]) -> bool:
    """A node of a dense layer: its product, its bias or its activation."""
    kind, said = node.op_type, _attributes(node)
    given = [np.asarray(constants[i], np.float64) for i in node.input if i in constants]
    if kind in ("MatMul", "Gemm") and given and given[0].ndim == 2 and node.input[1] in constants:
        weights = given[0].T if said.get("transB", 0) else given[0]
        weights = weights * said.get("alpha", 1.0)
        bias = given[1].reshape(-1) * said.get("beta", 1.0) if len(given) > 1 else np.zeros(weights.shape[1])
        chain.layers.append(Layer(weights, np.broadcast_to(bias, weights.shape[1:]).copy(), "identity"))
        return True
    if kind == "Add" and given and chain.layers and chain.layers[-1].activation == "identity":
        last = chain.layers[-1]
        chain.layers[-1] = Layer(last.weights, last.bias + given[0].reshape(-1), "identity")
        return True
    if kind in _ACTIVATIONS and chain.layers and chain.layers[-1].activation == "identity":
        last = chain.layers[-1]
        chain.layers[-1] = Layer(last.weights, last.bias, _ACTIVATIONS[kind])
        return True
    return False


def _scale(chain: _Chain, shift: Floats, scale: Floats) -> bool:
    before = chain.scaling
    chain.scaling = (
        Scaling(shift, scale) if before is None else Scaling(before.shift + before.scale * shift, before.scale * scale)
    )
    return True
