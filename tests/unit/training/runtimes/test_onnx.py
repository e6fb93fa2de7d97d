"""ONNX Runtime: the same input gives the same answer, and what breaks is told without the input."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.unit.release.conftest import graph, score

from trustplane.training.runtimes.onnx import OnnxRuntime
from trustplane.values.errors import Unavailable

ROWS = np.asarray([[50, 5], [10, 1]], np.float32)


def test_it_answers_what_the_graph_says():
    answers = OnnxRuntime().load(graph()).run({"features": ROWS})
    assert list(answers) == ["score"]
    assert answers["score"].ravel() == pytest.approx(score(ROWS), abs=1e-6)


@pytest.mark.parametrize("data", [b"", b"no model", graph()[:-20]])
def test_what_is_no_model_is_not_loaded(data):
    with pytest.raises(Unavailable) as caught:
        OnnxRuntime().load(data)
    assert caught.value.code == "TP-SERVING-005"


@pytest.mark.parametrize(
    "inputs", [{}, {"other": ROWS}, {"features": ROWS[:, :1]}, {"features": ROWS.astype(np.int64)}]
)
def test_an_input_that_it_breaks_on_is_not_quoted(inputs):
    with pytest.raises(Unavailable) as caught:
        OnnxRuntime().load(graph()).run(inputs)
    assert caught.value.code == "TP-SERVING-006"
    assert "features" not in str(caught.value.problem())


def test_many_threads_get_the_same_answer():
    model = OnnxRuntime().load(graph())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: model.run({"features": ROWS})["score"].tobytes(), range(64)))
    assert len(set(answers)) == 1
