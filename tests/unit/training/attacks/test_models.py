"""Models opened: thresholds by library, gradients against differences, and ONNX graphs against the models they were made of."""

import json

import lightgbm
import numpy as np
import onnxruntime
import pytest
import torch
import xgboost
from skl2onnx import to_onnx
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.corpora import boosters

from trustplane.training.attacks import trees
from trustplane.training.attacks.models import open_artifact, open_model
from trustplane.values.errors import BadInput

TREES = [
    DecisionTreeClassifier(max_depth=3),
    RandomForestClassifier(5, max_depth=4, random_state=0),
    ExtraTreesClassifier(5, max_depth=4, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, random_state=0),
    xgboost.XGBClassifier(n_estimators=5, max_depth=3, n_jobs=1),
    lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
    make_pipeline(StandardScaler(), RandomForestClassifier(5, max_depth=4, random_state=0)),
]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("model", TREES, ids=lambda m: type(m).__name__)
def test_between_two_thresholds_a_tree_does_not_change(known, model) -> None:
    opened = open_model(model.fit(known.rows, known.labels))
    assert np.allclose(opened.score(known.rows), model.predict_proba(known.rows.astype(np.float32))[:, 1], atol=1e-6)
    assert opened.cuts
    row = known.rows[:1]
    for column in range(len(known.names)):
        cuts = opened.cuts.get(column, np.zeros(0))
        edges = np.concatenate([[-1e3], cuts, [1e3]])
        gaps = np.diff(edges) > 1e-2
        inside = np.stack([edges[:-1] + np.diff(edges) * 0.25, edges[:-1] + np.diff(edges) * 0.75], axis=1)[gaps]
        moved = np.repeat(row, 2 * len(inside), axis=0)
        moved[:, column] = inside.reshape(-1)
        said = opened.score(moved).reshape(-1, 2)
        assert np.allclose(said[:, 0], said[:, 1], atol=1e-7)
        if len(cuts):  # and they are all there: the score over the whole line has no other step
            assert len(np.unique(said[:, 0].round(7))) <= len(cuts) + 1


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2)).double().float()


SMOOTH = [
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(MinMaxScaler(), StandardScaler(), LogisticRegression()),
    make_pipeline(StandardScaler(), MLPClassifier((8, 4), activation="tanh", max_iter=300, random_state=0)),
    make_pipeline(StandardScaler(), MLPClassifier((8,), activation="logistic", max_iter=300, random_state=0)),
    make_pipeline(StandardScaler(), MLPClassifier((8,), activation="relu", max_iter=300, random_state=0)),
]


def slopes(odds, rows: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Central differences of the log-odds."""
    found = np.zeros_like(rows)
    for column in range(rows.shape[1]):
        up, down = rows.copy(), rows.copy()
        up[:, column] += step[column]
        down[:, column] -= step[column]
        found[:, column] = (odds(up) - odds(down)) / (2 * step[column])
    return found


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", SMOOTH, ids=lambda m: "-".join(n for n, _ in m.steps))
def test_gradients_are_those_of_the_log_odds(known, model) -> None:
    model.fit(known.rows, known.labels)
    rows, step = known.rows[:40], known.rows.std(axis=0) * 1e-4
    expected = slopes(lambda r: logit(model.predict_proba(r)[:, 1]), rows, step)
    given = open_model(model).gradient(rows)
    assert np.median(np.abs(given - expected)) < 1e-4
    assert np.corrcoef(given.ravel(), expected.ravel())[0, 1] > 0.999


def test_a_module_of_pytorch(known) -> None:
    module = network()
    opened = open_model(module)
    rows = known.rows[:20] / 50
    with torch.no_grad():
        out = module(torch.tensor(rows, dtype=torch.float32)).double().numpy()
    assert np.allclose(logit(opened.score(rows)), out[:, 1] - out[:, 0], atol=1e-5)
    expected = slopes(lambda r: logit(opened.score(r)), rows, np.full(8, 1e-2))
    assert np.allclose(opened.gradient(rows), expected, atol=1e-2)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", [*SMOOTH[:1], *SMOOTH[2:]], ids=lambda m: "-".join(n for n, _ in m.steps))
def test_an_onnx_graph_of_layers_has_the_gradient_of_its_model(known, model) -> None:
    model.fit(known.rows, known.labels)
    artifact = to_onnx(
        model, known.rows[:1].astype(np.float32), options={id(model): {"zipmap": False}}
    ).SerializeToString()
    opened = open_artifact(artifact, "onnx", lambda rows: np.zeros(len(rows)))
    assert opened.gradient is not None
    assert np.allclose(opened.gradient(known.rows), open_model(model).gradient(known.rows), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("model", [TREES[0], TREES[1], TREES[3], TREES[7]], ids=lambda m: type(m).__name__)
def test_an_onnx_graph_of_trees_has_the_thresholds_of_its_model(known, model) -> None:
    model.fit(known.rows, known.labels)
    artifact = to_onnx(
        model, known.rows[:1].astype(np.float32), options={id(model): {"zipmap": False}}
    ).SerializeToString()
    session = onnxruntime.InferenceSession(artifact)
    opened = open_artifact(artifact, "onnx", lambda rows: session.run(None, {"X": rows.astype(np.float32)})[1][:, 1])
    theirs = open_model(model)
    assert opened.cuts.keys() == theirs.cuts.keys()
    for column, cuts in opened.cuts.items():
        assert np.allclose(np.unique(cuts), np.unique(theirs.cuts[column].astype(np.float32)), rtol=1e-4, atol=1e-4)
    assert opened.votes == theirs.votes


@pytest.mark.parametrize(
    ("library", "name"),
    [("xgboost", "binary:logistic"), ("xgboost", "pruned"), ("lightgbm", "binary"), ("catboost", "two classes")],
)
def test_a_file_of_boosted_trees_has_the_thresholds_of_its_model(library, name) -> None:
    data = next(d for kind, known, d in boosters.files().values() if (kind, known) == (library, name))
    opened = open_artifact(data, library, lambda rows: rows[:, 0])
    assert opened.cuts
    if library == "catboost":
        known = json.loads(data)
        asked = [s for tree in known["oblivious_trees"] for s in tree["splits"]]
        wanted = {f: sorted({s["border"] for s in asked if s["float_feature_index"] == f}) for f in opened.cuts}
        assert len(wanted) == len({s["float_feature_index"] for s in asked})
    elif library == "xgboost":
        wanted = trees._gathered(trees._xgboost(boosters.made(library)[name]))
    else:
        wanted = trees._gathered(trees._lightgbm(boosters.made(library)[name].dump_model()))
    assert opened.cuts.keys() == wanted.keys()
    for column, cuts in opened.cuts.items():
        assert cuts == pytest.approx(np.asarray(wanted[column]), abs=1e-6)


@pytest.mark.parametrize("form", ["xgboost", "lightgbm", "catboost", "skops"])
def test_a_file_that_is_not_sound_is_asked_for_scores(form) -> None:
    assert open_artifact(b"tree", form, lambda rows: rows[:, 0]).cuts is None


def test_what_is_not_known_is_asked_for_scores(known) -> None:
    opened = open_model(GaussianNB().fit(known.rows, known.labels))
    assert (opened.gradient, opened.cuts) == (None, None)
    assert open_artifact(b"", "xgboost", lambda rows: rows[:, 0]).cuts is None
    with pytest.raises(BadInput, match="TP-RUN-043"):
        open_model(7)
