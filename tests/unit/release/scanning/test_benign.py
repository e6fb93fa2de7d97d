"""What the libraries write themselves passes: every estimator of scikit-learn, boosted trees, PyTorch's tensors."""

import io
import pickle

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators
from tests.corpora import boosters, hostile
from tools import learn_globals

from trustplane.training.runtimes.skops.allowed import allowed

ROWS = np.abs(np.random.RandomState(0).randn(40, 5)) + 0.1
CLASSES = (ROWS[:, 0] > np.median(ROWS[:, 0])).astype(int)


FITTED = {
    "FrozenEstimator": lambda kind: kind(LogisticRegression().fit(ROWS, CLASSES)),
    "LabelBinarizer": lambda kind: kind().fit(CLASSES),
    "LabelEncoder": lambda kind: kind().fit(CLASSES),
    "LinearDiscriminantAnalysis": lambda kind: kind().fit(ROWS, CLASSES),
    "MultiLabelBinarizer": lambda kind: kind().fit([[1, 2], [3]]),
    "SelfTrainingClassifier": lambda kind: kind(LogisticRegression()).fit(ROWS, np.where(ROWS[:, 1] < 1, CLASSES, -1)),
    "SparseCoder": lambda kind: kind(np.eye(5)[:3]).fit(ROWS),
    "TSNE": lambda kind: kind(perplexity=3, max_iter=250).fit(ROWS),
}
"""What no table of the tool fits: labels alone, another estimator within, or rows of another kind."""


def objections(judged, data):
    return [(o.message, o.subject, o.place) for o in judged(data).objections]


@pytest.mark.parametrize("label", boosters.files())
def test_boosted_trees_in_their_own_formats_pass_and_tell_what_they_take(label, judged):
    library, _, data = boosters.files()[label]
    found = judged(data)
    assert objections(judged, data) == []
    assert found.format == library
    assert [tensor.shape for tensor in found.takes] == [(-1, 5)]


def test_the_models_that_the_hostile_ones_are_changes_of_pass(judged):
    for sound in (hostile.xgboost_model(), hostile.lightgbm_model()):
        assert objections(judged, sound) == []


def compressed(thing):
    file = io.BytesIO()
    joblib.dump(thing, file, compress=3)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "kind"), all_estimators(), ids=[name for name, _ in all_estimators()])
def test_an_estimator_passes(name, kind, judged):
    fitted = next((f for f in map(learn_globals.fit, learn_globals.instances(kind)) if f is not None), None)
    if fitted is None:
        fitted = FITTED[name](kind)
    for data in (pickle.dumps(fitted), pickle.dumps(fitted, 2), compressed(fitted)):
        assert objections(judged, data) == []


LISTED = [(n, k) for n, k in all_estimators() if (k.__module__, n) in allowed().attributes]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "kind"), LISTED, ids=[name for name, _ in LISTED])
def test_an_estimator_passes_as_skops(name, kind, judged):
    fitted = next((f for f in map(learn_globals.fit, learn_globals.instances(kind)) if f is not None), None)
    if fitted is None:
        fitted = FITTED[name](kind)
    found = judged(skops.io.dumps(fitted))
    assert [(o.message, o.subject) for o in found.objections] == []
    assert (found.format, found.loads_code) == ("skops", False)


def test_most_estimators_are_listed():
    assert len(LISTED) >= 120


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", ["python", "numpy", "scipy", "pandas", "xgboost", "lightgbm", "catboost"])
def test_a_library_passes(library, judged):
    for thing in learn_globals.LIBRARIES[library][1]():
        if type(thing).__name__ == "interp1d":  # it keeps a bound method, which a pickle fetches by a dotted name
            assert "interp1d._call_linear" in objections(judged, pickle.dumps(thing))[0][1]
            continue
        assert objections(judged, pickle.dumps(thing)) == []
        assert objections(judged, compressed(thing)) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("modern", [True, False])
def test_tensors_pass(modern, judged):
    torch = pytest.importorskip("torch")
    for thing in learn_globals.torch():
        file = io.BytesIO()
        torch.save(thing, file, _use_new_zipfile_serialization=modern)
        assert objections(judged, file.getvalue()) == []
        assert judged(file.getvalue()).format == ("torch" if modern else "torch-legacy")


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_arrays_pass(save, judged):
    file = io.BytesIO()
    save(file, np.zeros((3, 2), [("a", "f4"), ("b", "U3", (2,))]))
    assert objections(judged, file.getvalue()) == []
    assert not judged(file.getvalue()).loads_code


def test_a_pickle_is_told_as_one_even_if_it_passes(judged):
    found = judged(pickle.dumps(np.arange(3)))
    assert found.loads_code
    assert found.globals == ("numpy._core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype")


def test_text_passes(judged):
    for text in ("catboost\nnumpy\n", "class A:\n    pass\n", "{}", "# Title\n\nWords, Wörter.\n"):
        assert judged(text.encode()).format == "text"
        assert objections(judged, text.encode()) == []
