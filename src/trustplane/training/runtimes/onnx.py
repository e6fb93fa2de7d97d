"""ONNX Runtime on the processor, one thread a request: requests run side by side, and the same input gives the same answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from trustplane.training.runtimes.contract import Tensor
from trustplane.values.errors import Unavailable

_TYPES = {
    "float": "FP32",
    "double": "FP64",
    "float16": "FP16",
    "string": "BYTES",
    "bool": "BOOL",
    **{f"{sign}int{bits}": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


class OnnxModel:
    """A loaded graph."""

    def __init__(self, data: bytes) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime has no base class of its own for what it raises
            raise Unavailable("TP-SERVING-005", "the model cannot be loaded", why=type(error).__name__) from None
        self.inputs = tuple(_tensors(self._session.get_inputs()))
        self.outputs = tuple(_tensors(self._session.get_outputs()))
        self._names = [output.name for output in self.outputs]

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name."""
        try:
            answers = self._session.run(self._names, dict(inputs))
        except Exception as error:  # noqa: BLE001 - as above; its words may quote the input
            raise Unavailable("TP-SERVING-006", "the model broke on this input", why=type(error).__name__) from None
        return dict(zip(self._names, answers, strict=True))


def _tensors(ends: Iterable[Any]) -> Iterable[Tensor]:
    for end in ends:
        kind = end.type.removeprefix("tensor(").removesuffix(")")
        shape = tuple(size if isinstance(size, int) and size > 0 else -1 for size in end.shape or ())
        yield Tensor(end.name, _TYPES.get(kind, end.type), shape)


class OnnxRuntime:
    """The runtime of the format ``onnx``."""

    formats = ("onnx",)

    def load(self, data: bytes) -> OnnxModel:
        """Load a graph from memory; nothing is read from a disk."""
        return OnnxModel(data)
