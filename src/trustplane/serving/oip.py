"""The Open Inference Protocol v2 over HTTP and JSON: requests into arrays, arrays into answers. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from trustplane.values.errors import BadInput

MOST_ROWS = 10_000
LONGEST_SUBJECT = 200
_TYPES = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}
_FROM = {"b": "biu", "i": "iuf", "u": "iuf", "f": "iuf"}
"""Of which kinds JSON's values may be, by the kind of array that is wanted: no text, no null, no truth value in place of a number."""


class Tensor(msgspec.Struct, frozen=True):
    """A tensor of a request: ``data`` is flat in row-major order, or nested like ``shape``."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


class Wanted(msgspec.Struct, frozen=True):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, frozen=True):
    """An inference request."""

    inputs: list[Tensor]
    outputs: list[Wanted] = []
    id: str = ""
    parameters: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(InferRequest)


def parse(body: bytes) -> InferRequest:
    """A request from its JSON; raise :class:`BadInput` without quoting it."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = str(error).rpartition(" - ")[2] if isinstance(error, msgspec.ValidationError) else ""
        raise BadInput("TP-SERVING-002", "the request is no inference request", why=place) from None


def subject(request: InferRequest) -> str | None:
    """Whom a request says that it is about; raise :class:`BadInput` without quoting it."""
    said = request.parameters.get("subject")
    if said is None:
        return None
    if not isinstance(said, str) or not said.strip() or len(said) > LONGEST_SUBJECT:
        raise BadInput(
            "TP-SERVING-012",
            "whom the request is about cannot be read",
            why=f"the parameter 'subject' is text of 1 to {LONGEST_SUBJECT} characters",
            fix="send a request of its own for each person",
        )
    return said


def arrays(request: InferRequest, expected: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The inputs by name; raise :class:`BadInput` unless they are those that the model takes, of the same rows."""
    given = {tensor.name: tensor for tensor in request.inputs}
    names = [str(e["name"]) for e in expected]
    if len(given) != len(request.inputs) or set(given) != set(names):
        raise BadInput("TP-SERVING-003", "the inputs are not those of the model", why=f"it takes {', '.join(names)}")
    made = {name: _array(given[name], expectation) for name, expectation in zip(names, expected, strict=True)}
    rows = {len(array) for array in made.values()}
    if len(rows) != 1 or not 1 <= rows.copy().pop() <= MOST_ROWS:
        raise BadInput("TP-SERVING-003", f"the inputs must have the same number of rows, 1 to {MOST_ROWS:,}")
    return made


def _array(tensor: Tensor, expected: Mapping[str, Any]) -> Any:
    name, kind, shape = expected["name"], expected["datatype"], list(expected["shape"])
    if tensor.datatype != kind:
        raise BadInput("TP-SERVING-003", f"the input {name} is of type {kind}, not {tensor.datatype[:10]}")
    fits = 0 < len(tensor.shape) == len(shape) and all(
        size > 0 and want in (-1, size) for size, want in zip(tensor.shape, shape, strict=True)
    )
    if not fits:
        raise BadInput("TP-SERVING-003", f"the input {name} has the shape {shape}, -1 meaning any number")
    if kind not in _TYPES:
        raise BadInput("TP-SERVING-003", f"inputs of type {kind} cannot be served")
    try:
        return _faithful(tensor, np.dtype(_TYPES[kind]))
    except (ValueError, TypeError, OverflowError):
        raise BadInput(
            "TP-SERVING-003", f"the data of the input {name} are not {kind} values that fill its shape"
        ) from None


def _faithful(tensor: Tensor, kind: Any) -> Any:
    """The data as an array of the kind; raise :class:`ValueError` where it would hold other values, or in other places, than were sent."""
    given: Any = np.asarray(tensor.data)
    if given.dtype.kind not in _FROM[kind.kind] or (given.ndim > 1 and list(given.shape) != tensor.shape):
        raise ValueError
    with np.errstate(over="ignore", invalid="ignore"):
        made = given.astype(kind)
    if kind.kind != "f" and not np.array_equal(made, given):
        raise ValueError
    return made.reshape(tensor.shape)


def answer(request: InferRequest, model: str, version: str, outputs: Mapping[str, Any], event: str) -> dict[str, Any]:
    """The answer to a request. ``event`` is the decision's place in the ledger."""
    wanted = [w.name for w in request.outputs] or list(outputs)
    if len(set(wanted)) < len(wanted) or not set(wanted) <= set(outputs):
        raise BadInput(
            "TP-SERVING-003",
            "an output is asked for twice, or the model does not give it",
            why=f"it gives {', '.join(outputs)}",
        )
    body: dict[str, Any] = {
        "model_name": model,
        "model_version": version,
        "outputs": [_tensor(name, np.asarray(outputs[name])) for name in wanted],
        "parameters": {"event": event},
    }
    return {**body, "id": request.id} if request.id else body


def _tensor(name: str, array: Any) -> dict[str, Any]:
    kind = next((k for k, t in _TYPES.items() if array.dtype == t), "BYTES")
    return {"name": name, "datatype": kind, "shape": list(array.shape), "data": array.ravel().tolist()}
