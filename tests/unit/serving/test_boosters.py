"""Boosted trees in their own formats, from the output of a run to an answer of the gateway."""

import json

import numpy as np
import pytest
from tests.corpora import boosters
from tests.unit.serving.conftest import NAME

from trustplane.release.formats.registry import inspect
from trustplane.release.registration import register_version
from trustplane.release.signing import sign_version
from trustplane.rollout.deployments import deploy
from trustplane.serving.inference import infer, metadata
from trustplane.serving.loading import Shelf
from trustplane.training.runtimes.contract import LABEL, PROBABILITIES
from trustplane.values.errors import BadInput, Refused

FEATURES = [{"name": name, "minimum": -4.0, "maximum": 4.0} for name in "abcde"]
ROWS = np.nan_to_num(boosters.X[:6])


def artifact(library, form="json"):
    return {"xgboost": f"booster.{form}", "lightgbm": "booster.txt", "catboost": "booster.json"}[library]


def told(library):
    """What the library says of the rows."""
    model = boosters.made(library)[
        {"xgboost": "binary:logistic", "lightgbm": "binary", "catboost": "two classes"}[library]
    ]
    if library == "xgboost":
        return model.inplace_predict(ROWS)
    return model.predict(ROWS) if library == "lightgbm" else model.predict_proba(ROWS)[:, 1]


def request(kind, rows=ROWS, name="features"):
    tensor = {"name": name, "shape": list(rows.shape), "datatype": kind, "data": rows.ravel().tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


@pytest.fixture
def served(plane, cast, made_run, fetch):
    """Register the output of a run, sign it and serve it."""

    def serve(data, path):
        run = made_run({path: data, "features.json": json.dumps(FEATURES).encode()})
        version = fetch(register_version(plane, cast["scientist"], "credit", "risk", run, path))
        sign_version(plane, cast["scientist"], version)
        deploy(plane, cast["scientist"], "credit", "staging", "risk")
        return version

    return serve


@pytest.mark.parametrize(
    ("library", "form"), [("xgboost", "json"), ("xgboost", "ubj"), ("lightgbm", "txt"), ("catboost", "json")]
)
def test_a_deployment_answers_as_the_library_does(plane, cast, served, library, form):
    label = {"xgboost": "xgboost binary:logistic", "lightgbm": "lightgbm binary", "catboost": "catboost two classes"}[
        library
    ]
    version = served(boosters.files()[label + (" ubj" if form == "ubj" else "")][2], artifact(library, form))
    assert version.format == library
    kind = "FP64" if library == "lightgbm" else "FP32"
    said = metadata(plane, Shelf(plane), cast["consumer"], NAME)
    assert said["platform"] == library
    assert [(t["name"], t["datatype"], list(t["shape"])) for t in said["inputs"]] == [("features", kind, [-1, 5])]
    outputs = {o["name"]: o for o in infer(plane, Shelf(plane), cast["consumer"], NAME, request(kind))["outputs"]}
    assert set(outputs) == {LABEL, PROBABILITIES}
    assert np.reshape(outputs[PROBABILITIES]["data"], (6, 2))[:, 1] == pytest.approx(told(library), abs=1e-6)
    assert outputs[LABEL]["data"] == [int(share > 0.5) for share in told(library)]


def test_a_value_far_outside_of_its_feature_is_not_answered(plane, cast, served):
    served(boosters.simple("xgboost"), "booster.json")
    shelf = Shelf(plane)
    with pytest.raises((BadInput, Refused)) as caught:
        infer(plane, shelf, cast["consumer"], NAME, request("FP32", ROWS * 1000))
    assert "trained on" in str(caught.value)
    for wrong in (request("FP64"), request("FP32", ROWS[:, :3]), request("FP32", name="x")):
        with pytest.raises(BadInput, match="TP-SERVING-003"):
            infer(plane, shelf, cast["consumer"], NAME, wrong)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_a_damaged_file_is_not_registered(plane, cast, made_run, library):
    data = boosters.simple(library)
    run = made_run({artifact(library): data[: len(data) // 2]})
    with pytest.raises(Refused, match="TP-RELEASE-011"):
        register_version(plane, cast["scientist"], "credit", "risk", run, artifact(library))


def test_the_binary_form_of_catboost_is_told_to_be_saved_otherwise(plane, cast, made_run):
    data = boosters.written("catboost", boosters.made("catboost")["two classes"], "cbm")
    with pytest.raises(Refused, match="TP-RELEASE-010") as caught:
        inspect(data)
    assert "format='json'" in caught.value.why
