"""Finding the runtime of a format."""

import pytest

from trustplane.training.runtimes.onnx import OnnxRuntime
from trustplane.training.runtimes.registry import runtime_for
from trustplane.values.errors import Unavailable


def test_onnx_has_its_runtime():
    assert isinstance(runtime_for("onnx"), OnnxRuntime)


@pytest.mark.parametrize("kind", ["", "pickle", "ONNX", "x" * 500])
def test_a_format_without_a_runtime_is_refused(kind):
    with pytest.raises(Unavailable) as caught:
        runtime_for(kind)
    assert caught.value.code == "TP-SERVING-007"
    assert len(str(caught.value)) < 120
