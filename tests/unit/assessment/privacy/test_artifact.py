"""What is read of a model's file: its family and size, and the rows that it holds."""

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import NuSVC
from tests.corpora import boosters

from trustplane.assessment.privacy.artifact import Shape, read_shape, stored_rows
from trustplane.assessment.privacy.copies import near_copies, verbatim

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(200, 4)).astype(np.float32)
LABEL = (ROWS[:, 0] + 0.5 * RANDOM.normal(size=200) > 0).astype(int)
OTHERS = RANDOM.normal(size=(150, 4)).astype(np.float32)


def exported(model):
    return to_onnx(model.fit(ROWS, LABEL), ROWS[:1]).SerializeToString()


def test_families_and_sizes_are_read() -> None:
    assert read_shape(exported(LogisticRegression()), "onnx") == Shape("linear")
    assert read_shape(exported(make_pipeline(StandardScaler(), LogisticRegression())), "onnx") == Shape("linear")
    forest = RandomForestClassifier(7, max_depth=3, random_state=0)
    assert read_shape(exported(forest), "onnx") == Shape(
        "forest", 7, 3, max(t.get_n_leaves() for t in forest.estimators_)
    )
    boosted = read_shape(exported(GradientBoostingClassifier(n_estimators=5, max_depth=2)), "onnx")
    assert boosted == Shape("boosted", 5, 2, 4)


def test_boosted_trees_in_their_own_formats_tell_their_size() -> None:
    shapes = {label: read_shape(data, kind) for label, (kind, _, data) in boosters.files().items()}
    assert shapes["xgboost binary:logistic"] == shapes["xgboost binary:logistic ubj"] == Shape("boosted", 3, 3, 8)
    assert shapes["catboost two classes"] == Shape("boosted", 4, 3, 8)
    assert (shapes["lightgbm binary"].family, shapes["lightgbm binary"].trees, shapes["lightgbm binary"].leaves) == (
        "boosted",
        3,
        6,
    )
    assert shapes["lightgbm random forest"].family == "forest"
    assert shapes["xgboost linear"] == Shape("linear")
    assert shapes["xgboost no trees"] == Shape("unknown")


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "catboost"])
def test_boosted_trees_that_are_not_sound_are_unknown(kind) -> None:
    assert read_shape(boosters.simple(kind)[:200], kind) == Shape("unknown")
    assert stored_rows(boosters.simple(kind), kind, 5).shape == (0, 5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_has_the_width_of_its_widest_layer() -> None:
    assert read_shape(exported(MLPClassifier((16, 8), max_iter=3)), "onnx") == Shape("network", width=16)


@pytest.mark.parametrize(("said", "kind"), [(b"", "onnx"), (b"no model", "onnx"), (b"\x08\x07", "skops")])
def test_what_cannot_be_read_is_unknown_and_holds_no_rows(said, kind) -> None:
    assert read_shape(said, kind) == Shape("unknown")
    assert stored_rows(said, kind, 4).shape == (0, 4)


@pytest.mark.filterwarnings("ignore:Attribute `prob:FutureWarning")
def test_a_model_that_keeps_its_rows_is_found_out() -> None:
    stored = stored_rows(exported(KNeighborsClassifier()), "onnx", 4)
    assert verbatim(stored, ROWS, OTHERS) == 200
    assert near_copies(stored, ROWS, OTHERS, 0) >= 200
    support = NuSVC(nu=0.3)
    stored = stored_rows(exported(support), "onnx", 4)
    assert verbatim(stored, ROWS, OTHERS) == len(support.support_)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(5), MLPClassifier((16,), max_iter=3)])
def test_models_of_weights_hold_none(model) -> None:
    stored = stored_rows(exported(model), "onnx", 4)
    assert verbatim(stored, ROWS, OTHERS) == 0
    assert near_copies(stored, ROWS, OTHERS, 0) <= 1


def test_a_row_that_is_nearly_a_training_row_is_a_near_copy_and_one_from_elsewhere_is_not() -> None:
    shifted = ROWS[:50] + np.float32(1e-3)
    assert verbatim(shifted, ROWS, OTHERS) == 0
    assert near_copies(shifted, ROWS, OTHERS, 0) >= 45
    assert near_copies(RANDOM.normal(size=(50, 4)).astype(np.float32), ROWS, OTHERS, 0) <= 1


def test_a_row_that_the_hold_out_holds_too_says_nothing() -> None:
    assert verbatim(ROWS, ROWS, ROWS) == 0
