"""Models of several forms, and shap as the oracle of their explanations."""

import warnings

import numpy as np
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

ROWS, FEATURES = 600, 6


@pytest.fixture(scope="session")
def shap():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        return shap


@pytest.fixture(scope="session")
def rows():
    """Rows with an interaction, and what came of them."""
    random = np.random.default_rng(0)
    features = random.normal(size=(ROWS, FEATURES)).astype(np.float32)
    features[:, 5] = features[:, 5].round()
    score = features[:, 0] + features[:, 1] * features[:, 2] + features[:, 5] + random.normal(size=ROWS)
    return features, (score > 0).astype(np.int64)


@pytest.fixture(scope="session")
def exported(rows):
    """An estimator fitted on the rows, as ONNX."""

    def export(estimator):
        estimator.fit(*rows)
        types = [("features", FloatTensorType([None, FEATURES]))]
        options = {id(estimator): {"zipmap": False}}
        return to_onnx(estimator, name="made", initial_types=types, options=options).SerializeToString()

    return export
