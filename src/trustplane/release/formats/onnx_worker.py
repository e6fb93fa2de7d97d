"""Checks one ONNX model from stdin, within limits, and answers as JSON. Run as a process of its own."""

import json
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

MEMORY, CPU_SECONDS = 4 << 30, 45
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
NODES, DEPTH, NAME = 200_000, 8, 256
_ENDLESS = frozenset({"Loop", "Scan"})
_TYPES = {
    1: "FP32",
    2: "UINT8",
    3: "INT8",
    5: "INT16",
    6: "INT32",
    7: "INT64",
    8: "BYTES",
    9: "BOOL",
    10: "FP16",
    11: "FP64",
}
_EXTERNAL = 1


class NotAdmitted(Exception):
    """Why a model is not admitted; never a word of the file itself."""


def main() -> int:
    """Check what comes on stdin."""
    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))
    data = sys.stdin.buffer.read()
    try:
        answer = checked(data)
    except NotAdmitted as reason:
        answer = {"refused": str(reason)}
    sys.stdout.write(json.dumps(answer))
    return 0


def checked(data: bytes) -> dict[str, Any]:
    """The interface of a model; raise :class:`NotAdmitted` if it is not safe or not sound."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError, RecursionError):
        raise NotAdmitted("it is no ONNX model, or a damaged one") from None
    _check_contents(model)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError, TypeError):
        raise NotAdmitted("the checker of ONNX finds the graph not valid") from None
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [_tensor(value) for value in model.graph.input if value.name not in held]
    if not inputs or not model.graph.output:
        raise NotAdmitted("it takes nothing or gives nothing")
    return {"format": "onnx", "inputs": inputs, "outputs": [_tensor(value) for value in model.graph.output]}


def _check_contents(model: Any) -> None:
    strange = {entry.domain for entry in model.opset_import} - DOMAINS
    if strange or not model.opset_import:
        raise NotAdmitted("it needs operators beyond ai.onnx and ai.onnx.ml")
    if model.functions:
        raise NotAdmitted("it brings functions of its own")
    if model.training_info:
        raise NotAdmitted("it brings graphs for training")
    for count, (node, depth) in enumerate(_nodes(model.graph, 0), start=1):
        if count > NODES or depth > DEPTH:
            raise NotAdmitted(f"it has more than {NODES:,} nodes, or is nested more than {DEPTH} deep")
        if node.domain not in DOMAINS:
            raise NotAdmitted("it uses operators beyond ai.onnx and ai.onnx.ml")
        if node.op_type in _ENDLESS:
            raise NotAdmitted(f"it holds the operator {node.op_type}, which may run without end")
    if any(tensor.data_location == _EXTERNAL or tensor.external_data for tensor in _tensors(model.graph, 0)):
        raise NotAdmitted("it keeps data in other files")


def _nodes(graph: Any, depth: int) -> Iterator[tuple[Any, int]]:
    for node in graph.node:
        yield node, depth
        if depth <= DEPTH:
            for inner in _graphs(node):
                yield from _nodes(inner, depth + 1)


def _tensors(graph: Any, depth: int) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
        if depth <= DEPTH:
            for inner in _graphs(node):
                yield from _tensors(inner, depth + 1)


def _graphs(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _tensor(value: Any) -> dict[str, Any]:
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or kind.elem_type not in _TYPES:
        raise NotAdmitted("an input or output is no tensor of numbers, truth values or texts")
    if not value.name.isprintable() or len(value.name) > NAME:
        raise NotAdmitted("an input or output has no plain name")
    shape = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else -1 for d in kind.shape.dim]
    return {"name": value.name, "datatype": _TYPES[kind.elem_type], "shape": shape}


if __name__ == "__main__":
    sys.exit(main())
