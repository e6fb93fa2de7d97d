"""ONNX Runtime on the processor, one thread a request: requests run side by side, and the same input gives the same answer."""

from collections.abc import Mapping
from typing import Any

from trustplane.values.errors import Unavailable


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
        self._names = [output.name for output in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name."""
        try:
            answers = self._session.run(self._names, dict(inputs))
        except Exception as error:  # noqa: BLE001 - as above; its words may quote the input
            raise Unavailable("TP-SERVING-006", "the model broke on this input", why=type(error).__name__) from None
        return dict(zip(self._names, answers, strict=True))


class OnnxRuntime:
    """The runtime of the format ``onnx``."""

    formats = ("onnx",)

    def load(self, data: bytes) -> OnnxModel:
        """Load a graph from memory; nothing is read from a disk."""
        return OnnxModel(data)
