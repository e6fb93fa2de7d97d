"""A model of histograms is registered as skops, signed, deployed, and answers through the gateway as it does in scikit-learn."""

import json

import numpy as np
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from tests.unit.release.conftest import FEATURES
from tests.unit.serving.conftest import NAME, body

RANDOM = np.random.default_rng(3)
LEARNT = RANDOM.uniform(0, 10, size=(300, 2))
MODEL = HistGradientBoostingClassifier(max_iter=10).fit(LEARNT, (LEARNT[:, 0] > LEARNT[:, 1]).astype(int))
ASKED = [[5.0, 4.0], [1.0, 9.5], [9.0, 0.5]]


def test_it_answers_as_the_library_does(ask, token, deployed):
    features = json.dumps(FEATURES).encode()
    deployed(outputs={"model.onnx": skops.io.dumps(MODEL), "features.json": features})
    held = token().secret
    said = ask("GET", f"/v2/models/{NAME}", held).json()
    assert said["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, 2]}]
    assert [(o["name"], o["datatype"]) for o in said["outputs"]] == [("label", "INT64"), ("probabilities", "FP64")]
    answer = ask("POST", f"/v2/models/{NAME}/infer", held, body(ASKED, datatype="FP64"))
    assert answer.status_code == 200, answer.text
    label, probabilities = answer.json()["outputs"]
    assert label["data"] == MODEL.predict(ASKED).tolist()
    assert np.reshape(probabilities["data"], (3, 2)).tolist() == MODEL.predict_proba(ASKED).tolist()
