"""What the file of a model says of how it was made: its family, its size, and the rows that it holds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.runtimes.boosters.reading import booster
from trustplane.training.runtimes.boosters.sound import Booster
from trustplane.values.errors import Unavailable

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """``family`` is ``linear``, ``forest``, ``boosted``, ``network`` or ``unknown``; the sizes are 0 where they are not read.

    ``trees`` counts the trees, ``depth`` is that of the deepest, ``leaves`` how many the largest has, ``width`` that of the widest layer.
    """

    family: str
    trees: int = 0
    depth: int = 0
    leaves: int = 0
    width: int = 0


def read_shape(artifact: bytes, kind: str) -> Shape:
    """The shape of a model in ONNX or of boosted trees; ``unknown`` for another format and for what is none."""
    read = booster(artifact, kind)
    if read is not None:
        return _boosted(read)
    graph = _graph(artifact, kind)
    if graph is None:
        return Shape("unknown")
    nodes = [node for node in graph.node if node.op_type.startswith("TreeEnsemble")]
    if nodes:
        return _trees(_attributes(nodes[0]))
    layers = [node for node in graph.node if node.op_type in {"Gemm", "MatMul"}]
    if len(layers) > 1:
        sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        inner = [sizes[name] for node in layers[:-1] for name in node.input if len(sizes.get(name, ())) == 2]
        return Shape("network", width=max((max(dims[1:]) for dims in inner), default=0))
    if layers or any(node.op_type.startswith("Linear") for node in graph.node):
        return Shape("linear")
    return Shape("unknown")


def _boosted(read: Booster) -> Shape:
    sizes = [tree.leaves_and_depth() for tree in read.trees]
    if read.linear or not sizes:
        return Shape("linear" if read.linear else "unknown")
    leaves, depth = (max(each) for each in zip(*sizes, strict=True))
    return Shape("forest" if read.averaged else "boosted", len(sizes), depth, leaves)


def _trees(said: dict[str, Any]) -> Shape:
    ids = said.get("nodes_treeids")
    if ids is None:  # the newer operator numbers trees by their roots, and its leaves apart
        roots = len(said.get("tree_roots", ()))
        leaves = len(said.get("leaf_targetids", ())) // max(roots, 1)
        return Shape("boosted", roots, max(int(np.ceil(np.log2(max(leaves, 2)))), 1), leaves)
    counts = Counter(t for t, mode in zip(ids, said["nodes_modes"], strict=True) if mode == b"LEAF")
    weights = np.asarray(said.get("class_weights") or said.get("target_weights") or (0.0,))
    forest = said.get("post_transform", b"NONE") == b"NONE" and bool((weights >= 0).all())
    trees = len(set(ids))
    return Shape("forest" if forest else "boosted", trees, _depth(said), max(counts.values(), default=0))


def _depth(said: dict[str, Any]) -> int:
    at: dict[tuple[int, int], int] = {}
    places = zip(said["nodes_treeids"], said["nodes_nodeids"], strict=True)
    below = {
        place: (t, f) for place, t, f in zip(places, said["nodes_truenodeids"], said["nodes_falsenodeids"], strict=True)
    }
    modes = dict(zip(below, said["nodes_modes"], strict=True))
    waiting = [(place, 0) for place in {t: (t, n) for t, n in reversed(list(below))}.values()]
    while waiting:
        place, deep = waiting.pop()
        if place in at or place not in below:  # a loop, or a link to nowhere: no model can be run on it either
            continue
        at[place] = deep
        if modes[place] != b"LEAF":
            waiting += [((place[0], node), deep + 1) for node in below[place]]
    return max(at.values(), default=0)


def stored_rows(artifact: bytes, kind: str, width: int) -> Matrix:
    """All numbers in an ONNX model that are laid out in rows as wide as its input, such as support vectors; shape (rows, ``width``).

    The first layer of a network has that shape too, transposed: what is stored is told by comparing it with real rows.
    """
    graph = _graph(artifact, kind)
    found = [np.zeros((0, width), np.float32)]
    for numbers in () if graph is None else _numbers(graph):
        if numbers.ndim == 2 and numbers.shape[1] == width:
            found.append(numbers)
        elif numbers.ndim == 2 and numbers.shape[0] == width:
            found.append(numbers.T)
        elif numbers.ndim == 1 and numbers.size and numbers.size % width == 0:
            found.append(numbers.reshape(-1, width))
    return np.concatenate(found).astype(np.float32)


def _numbers(graph: Any) -> Iterator[Any]:
    from onnx import numpy_helper

    tensors = [*graph.initializer]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in {"support_vectors", "values_float"} or (attribute.type == 6 and len(attribute.floats)):
                yield np.asarray(attribute.floats, np.float32)
            if attribute.HasField("t"):
                tensors.append(attribute.t)
            if attribute.HasField("g"):
                yield from _numbers(attribute.g)
    for tensor in tensors:
        if tensor.data_type in {1, 11}:  # FLOAT, DOUBLE
            yield numpy_helper.to_array(tensor).astype(np.float32)


def _graph(artifact: bytes, kind: str) -> Any:
    """The graph of the model, ``None`` where there is none."""
    if kind != "onnx" or not artifact:
        return None
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise Unavailable("TP-SETUP-001", "onnx is not installed: it comes with trustplane[ml]") from error
    try:
        return onnx.load_model_from_string(artifact).graph
    except DecodeError:
        return None


def _attributes(node: Any) -> dict[str, Any]:
    import onnx

    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
