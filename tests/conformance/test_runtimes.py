"""What every runtime must keep to (trustplane.training.runtimes.contract): the library's own answers, from many threads, and no word of an input.

A plug-in passes by being installed: the suite runs over the entry points of the group ``trustplane.runtimes``. One that this suite does not
know shows a model of its format by the environment variable ``TRUSTPLANE_TEST_FORMAT_<NAME>``.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from tests.corpora import boosters
from tests.unit.release.conftest import graph

from trustplane.kernel.plugins import group, load
from trustplane.training.runtimes.contract import LABEL, PROBABILITIES, Tensor
from trustplane.training.runtimes.registry import runtime_for
from trustplane.values.errors import Unavailable

FORMATS = sorted({form for entry in group("runtimes") for form in load(entry)().formats})
every = pytest.mark.parametrize("form", FORMATS)
TYPES = {"FP32": np.float32, "FP64": np.float64, "INT64": np.int64, "INT32": np.int32, "BOOL": np.bool_}
SECRET = 271828.0


def model(form):
    """A file of the format."""
    if form == "onnx":
        return graph()
    if form in {"xgboost", "lightgbm", "catboost"}:
        return boosters.simple(form)
    if form == "skops":
        features = np.random.default_rng(0).normal(size=(60, 3))
        classifier = HistGradientBoostingClassifier(max_iter=5).fit(features, (features[:, 0] > 0).astype(int))
        return skops.io.dumps(classifier)
    return Path(os.environ[f"TRUSTPLANE_TEST_FORMAT_{form.upper().replace('-', '_')}"]).read_bytes()


@pytest.fixture
def loaded(form):
    return runtime_for(form).load(model(form))


def rows(tensor, count):
    """Rows for an input; the same ones each time."""
    shape = (count, *(size if size > 0 else 3 for size in tensor.shape[1:]))
    numbers = np.random.default_rng(count).normal(size=shape) * 2
    return numbers.astype(TYPES[tensor.datatype])


def inputs(loaded, count=7):
    return {tensor.name: rows(tensor, count) for tensor in loaded.inputs}


@every
def test_it_answers_each_row_by_each_output(loaded):
    answers = loaded.run(inputs(loaded))
    assert set(answers) == {tensor.name for tensor in loaded.outputs}
    for tensor in (*loaded.inputs, *loaded.outputs):
        assert isinstance(tensor, Tensor)
    for tensor in loaded.outputs:
        assert len(answers[tensor.name]) == 7
        assert answers[tensor.name].dtype == TYPES[tensor.datatype]
        assert len(tensor.shape) == answers[tensor.name].ndim
        assert all(told in {-1, size} for told, size in zip(tensor.shape, answers[tensor.name].shape, strict=True))


@every
def test_a_row_gets_the_same_answer_alone_and_among_others_and_twice(loaded):
    given = inputs(loaded, 50)
    together = loaded.run(given)
    again = loaded.run(given)
    for name, said in together.items():
        assert said.tobytes() == again[name].tobytes()
    for row in (0, 17, 49):
        alone = loaded.run({name: each[row : row + 1] for name, each in given.items()})
        for name, said in together.items():
            np.testing.assert_allclose(alone[name][0], said[row], rtol=1e-6, atol=1e-7)


@every
def test_eight_threads_get_the_same_answers(loaded):
    given = [inputs(loaded, count) for count in (1, 3, 64, 200)]
    wanted = [loaded.run(each) for each in given]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: loaded.run(given[n % 4]), range(160)))
    for n, said in enumerate(answers):
        for name, each in said.items():
            assert each.tobytes() == wanted[n % 4][name].tobytes()


@every
def test_the_input_is_left_as_it_was(loaded):
    given = inputs(loaded)
    before = {name: each.copy() for name, each in given.items()}
    loaded.run(given)
    assert all((given[name] == each).all() for name, each in before.items())


@every
@pytest.mark.parametrize("wrong", ["nothing", "another name", "fewer features", "another type", "one dimension"])
def test_a_wrong_input_is_refused_and_never_quoted(loaded, wrong):
    (first, *_), given = loaded.inputs, {name: each * 0 + SECRET for name, each in inputs(loaded).items()}
    if wrong == "nothing":
        given = {}
    elif wrong == "another name":
        given = {"häß": given[first.name]}
    elif wrong == "fewer features":
        given[first.name] = given[first.name][:, :1]
    elif wrong == "another type":
        given[first.name] = given[first.name].astype(np.int16)
    else:
        given[first.name] = given[first.name][0]
    with pytest.raises(Unavailable) as caught:
        loaded.run(given)
    assert caught.value.code == "TP-SERVING-006"
    assert "271828" not in str(caught.value.problem())
    assert "häß" not in str(caught.value.problem())


@every
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.95])
def test_a_cut_model_is_not_loaded(form, part):
    data = model(form)
    for damaged in (data[: int(len(data) * part)], bytes(len(data)), b"\x80\x04."):
        with pytest.raises(Unavailable) as caught:
            runtime_for(form).load(damaged)
        assert caught.value.code == "TP-SERVING-005"


# --- boosted trees: the libraries' own answers

EDGES = boosters.X[:6].copy()
EDGES[0] = np.nan
EDGES[1] = 0
EDGES[2] = [-0.0, 1e-40, -1e-40, 3e38, -3e38]


def features(name):
    rows = boosters.WITH_CODES if name.startswith("categories") else np.concatenate([boosters.X, EDGES])
    if name != "linear leaves":
        return rows
    return np.nan_to_num(rows, nan=0, posinf=0, neginf=0).clip(-9, 9)


def answered(library, name, said):
    """What the library answers, as probabilities of classes or numbers."""
    rows = features(name)
    if library == "catboost":
        if hasattr(said, "predict_proba"):
            return said.predict_proba(rows)
        return said.predict(rows, **({"prediction_type": "RawFormulaVal"} if name == "with uncertainty" else {}))
    if library == "lightgbm":
        return said.predict(rows.astype(np.float64))
    import xgboost as xgb

    if name == "stopped early":
        return said.predict_proba(rows)
    said = getattr(said, "get_booster", lambda: said)()
    kinds = ["q"] * 4 + ["c"] if name.startswith("categories") else None
    matrix = xgb.DMatrix(rows, feature_types=kinds, enable_categorical=True)
    margins = name in {"multi:softmax", "binary:logitraw"}
    found = said.predict(matrix, output_margin=margins, validate_features=False)
    if name == "multi:softmax":
        return np.exp(found) / np.exp(found).sum(axis=1, keepdims=True)
    return 1 / (1 + np.exp(-found)) if margins else found


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_boosted_trees_answer_as_their_library_does(library):
    for label, (kind, name, data) in boosters.files().items():
        if kind != library:
            continue
        model = runtime_for(library).load(data)
        (source,) = model.inputs
        said = model.run({source.name: features(name).astype(TYPES[source.datatype])})
        wanted = np.asarray(answered(library, name, boosters.made(library)[name]))
        if wanted.ndim == 1 and PROBABILITIES in said:
            wanted = np.stack([1 - wanted, wanted], axis=1)
        found = said[PROBABILITIES] if PROBABILITIES in said else said[model.outputs[-1].name]
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6, err_msg=label)
        if PROBABILITIES in said:
            assert (said[LABEL] == found.argmax(axis=1)).mean() > 0.99, label


@pytest.mark.parametrize(("form", "library"), [("xgboost", "xgboost"), ("lightgbm", "lightgbm")])
def test_a_library_that_is_missing_is_named_with_its_extra(form, library, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(Unavailable, match="TP-SETUP-001") as caught:
        runtime_for(form).load(boosters.simple(form))
    assert "trustplane[boosting]" in caught.value.fix


def test_an_input_beyond_float_is_refused_or_answered(monkeypatch):
    """Infinity goes the way of large numbers, or is refused; it never ends the process."""
    for library in ("xgboost", "lightgbm", "catboost"):
        model = runtime_for(library).load(boosters.simple(library))
        (source,) = model.inputs
        given = np.full((2, 5), np.inf, TYPES[source.datatype])
        assert np.isfinite(model.run({source.name: given})[PROBABILITIES]).all()
