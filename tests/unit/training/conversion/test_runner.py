"""The runner of conversions, in a process of its own: each family goes to its format, and answers alike there."""

import io
import json
import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from trustplane.release.formats.registry import inspect
from trustplane.training.conversion.beside import BESIDE

RANDOM = np.random.default_rng(7)
ROWS = RANDOM.normal(size=(200, 3)).astype(np.float32)
TWO = (ROWS[:, 0] + ROWS[:, 1] ** 2 > 0.5).astype(int)
THREE = np.digitize(ROWS[:, 0], [-0.5, 0.5])


def dumped(model, compress=0):
    file = io.BytesIO()
    joblib.dump(model, file, compress=compress)
    return file.getvalue()


@pytest.fixture
def run(tmp_path):
    """Convert bytes; give the process and the folder of its outputs."""

    def convert(data, beside=None, seed=3, views=None, **parameters):
        source, given, output = tmp_path / "model.pkl", tmp_path / "in", tmp_path / "out"
        source.write_bytes(data)
        for folder in (given, given / BESIDE, output):
            folder.mkdir()
        for name, held in (beside or {}).items():
            (given / BESIDE / name).write_bytes(held)
        for name, held in (views or {}).items():
            (given / f"{name}.parquet").write_bytes(held)
        environment = {
            **os.environ,
            "TRUSTPLANE_INPUT": str(given),
            "TRUSTPLANE_OUTPUT": str(output),
            "TRUSTPLANE_SEED": str(seed),
            "TRUSTPLANE_PARAMETERS": json.dumps(parameters),
        }
        command = [sys.executable, "-P", "-m", "trustplane.training.runners.convert", str(source)]
        done = subprocess.run(command, env=environment, cwd=output, capture_output=True, text=True, check=False)
        return done, output

    return convert


def facts_of(outcome):
    done, output = outcome
    assert done.returncode == 0, done.stderr
    return json.loads((output / "conversion.json").read_text()), output


SKLEARN = {
    "a forest": (RandomForestClassifier(8, random_state=0).fit(ROWS, TWO), "onnx"),
    "a forest of three classes": (RandomForestClassifier(8, random_state=0).fit(ROWS, THREE), "onnx"),
    "a forest of numbers": (RandomForestRegressor(8, random_state=0).fit(ROWS, ROWS[:, 0]), "onnx"),
    "a logistic regression": (LogisticRegression().fit(ROWS, TWO), "onnx"),
    "a pipeline": (make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, TWO), "onnx"),
    "boosting by histograms": (HistGradientBoostingClassifier(max_iter=8).fit(ROWS, TWO), "skops"),
}


@pytest.mark.parametrize("which", SKLEARN)
def test_an_estimator_goes_to_onnx_if_it_can_and_else_to_skops(run, which):
    model, kind = SKLEARN[which]
    facts, output = facts_of(run(dumped(model, compress=3)))
    assert facts["target"]["format"] == kind
    assert facts["compared"]["largest_difference"] <= 1e-5
    assert facts["compared"]["rows"] == 2000
    assert "thresholds, with the seed 3" in facts["compared"]["from"]
    assert inspect((output / f"model.{kind}").read_bytes()).format == kind


def test_what_is_asked_for_is_what_comes(run):
    facts, _ = facts_of(run(pickle.dumps(SKLEARN["a forest"][0]), to="skops"))
    assert facts["target"]["file"] == "model.skops"
    assert facts["compared"]["largest_difference"] == 0
    assert facts["compared"]["labels_equal"] == 1


def test_the_hold_out_is_compared_and_carried_over(run):
    table = pa.table({**{name: ROWS[:, i] for i, name in enumerate("abc")}, "y": TWO})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    features = json.dumps([{"name": name} for name in "abc"]).encode()
    beside = {"holdout.parquet": sink.getvalue(), "features.json": features, "other.txt": b"x"}
    facts, output = facts_of(run(pickle.dumps(SKLEARN["a forest"][0]), beside))
    assert (facts["compared"]["from"], facts["compared"]["rows"]) == ("holdout.parquet", 200)
    assert (output / "holdout.parquet").read_bytes() == sink.getvalue()
    assert (output / "features.json").read_bytes() == features
    assert not (output / "other.txt").exists()


def test_a_view_comes_before_the_hold_out(run):
    sink = io.BytesIO()
    pq.write_table(pa.table({name: ROWS[:50, i] for i, name in enumerate("abc")}), sink)
    empty = io.BytesIO()
    pq.write_table(pa.table({"other": ["x"]}), empty)
    beside, views = {"holdout.parquet": empty.getvalue()}, {"people": sink.getvalue(), "a": empty.getvalue()}
    facts, _ = facts_of(run(pickle.dumps(SKLEARN["a logistic regression"][0]), beside, views=views))
    assert (facts["compared"]["from"], facts["compared"]["rows"]) == ("the view people", 50)


def test_boosters(run):
    xgboost = pytest.importorskip("xgboost")
    facts, output = facts_of(run(pickle.dumps(xgboost.XGBClassifier(n_estimators=5).fit(ROWS, TWO))))
    assert facts["target"]["file"] == "model.json"
    assert inspect((output / "model.json").read_bytes()).format == "xgboost"
    assert facts["compared"]["labels_equal"] == 1


def test_ubj_and_light_gbm_and_three_classes(run):
    lightgbm = pytest.importorskip("lightgbm")
    facts, output = facts_of(run(pickle.dumps(lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(ROWS, THREE))))
    assert facts["target"]["file"] == "model.txt"
    assert inspect((output / "model.txt").read_bytes()).format == "lightgbm"
    assert facts["compared"]["classes"] == ["0", "1", "2"]


def test_ubj(run):
    xgboost = pytest.importorskip("xgboost")
    booster = xgboost.XGBRegressor(n_estimators=5).fit(ROWS, ROWS[:, 0])
    facts, output = facts_of(run(pickle.dumps(booster), to="ubj"))
    assert facts["target"]["file"] == "model.ubj"
    assert inspect((output / "model.ubj").read_bytes()).format == "xgboost"


def test_cat_boost(run):
    catboost = pytest.importorskip("catboost")
    model = catboost.CatBoostClassifier(iterations=5, verbose=False, allow_writing_files=False).fit(ROWS, TWO)
    facts, output = facts_of(run(pickle.dumps(model)))
    assert facts["target"]["file"] == "model.json"
    assert inspect((output / "model.json").read_bytes()).format == "catboost"


def test_tensors_are_equal_bit_for_bit(run):
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    net[0].weight.data[0, 0] = float("nan")
    file = io.BytesIO()
    torch.save({"model": net.state_dict(), "epoch": 3, "half": torch.ones(2, dtype=torch.bfloat16)}, file)
    facts, output = facts_of(run(file.getvalue()))
    assert facts["compared"]["equal"] == "bit for bit"
    assert facts["compared"]["left_out_names"] == ["epoch"]
    from safetensors.torch import load

    assert inspect((output / "model.safetensors").read_bytes()).format == "safetensors"
    held = load((output / "model.safetensors").read_bytes())
    assert held["model.0.weight"].isnan().sum() == 1
    assert held["half"].dtype == torch.bfloat16
    assert {name.removeprefix("model.") for name in held} - {"half"} == set(net.state_dict())


def test_a_module_is_no_tensor(run):
    torch = pytest.importorskip("torch")
    file = io.BytesIO()
    torch.save(torch.nn.Linear(2, 2), file)
    done, output = run(file.getvalue())
    assert done.returncode == 1
    assert not list(output.iterdir())


def test_a_conversion_that_is_not_equal_fails_with_its_figures(run):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS * 1e6, TWO)
    done, output = run(pickle.dumps(model), to="onnx", tolerance=0.0)
    assert done.returncode == 1
    assert "does not agree with the source on 2,000 rows: largest difference" in done.stderr
    assert not list(output.glob("*.json")) + list(output.glob("model.*"))


def test_what_cannot_be_converted_says_why(run):
    done, _ = run(pickle.dumps({"a": 1}))
    assert (done.returncode, "it is no model of" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("model", "said"),
    [(LogisticRegression(), "was it fitted?"), (SVC().fit(ROWS, TWO), "")],
    ids=["not fitted", "labels alone"],
)
def test_odd_models(run, model, said):
    done, _ = run(pickle.dumps(model))
    assert said in done.stderr
    assert done.returncode in {0, 1}
    assert "Traceback" not in done.stderr


def test_a_target_of_another_family_is_refused(run):
    done, _ = run(pickle.dumps(SKLEARN["a forest"][0]), to="txt")
    assert "a model of sklearn is converted to onnx or skops, not to txt" in done.stderr
