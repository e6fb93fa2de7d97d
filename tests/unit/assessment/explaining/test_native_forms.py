"""Boosted trees in their own formats are explained exactly, from the file that answers."""

import numpy as np
import pytest
from tests.corpora import boosters

from trustplane.assessment.explaining.explainer import explainer
from trustplane.assessment.explaining.forest import Scale
from trustplane.assessment.scoring import scorer

REFERENCE, ROWS = np.nan_to_num(boosters.X[:40]), boosters.X[40:70]
EXACT = {
    "xgboost": ["binary:logistic", "binary:logitraw", "dart", "parallel trees", "pruned", "stopped early", "random forest", "attributes"],
    "lightgbm": ["binary", "dart", "goss", "nothing is missing", "monotone", "steep"],
    "catboost": ["two classes", "words for classes", "missing above all", "names"],
}  # fmt: skip
SAMPLED = {
    "xgboost": ["linear", "categories 2", "categories 50"],
    "lightgbm": ["random forest", "categories", "zeros are missing"],
}


def made(library, name):
    return next(
        (label, data) for label, (kind, known, data) in boosters.files().items() if (kind, known) == (library, name)
    )


@pytest.mark.parametrize(("library", "name"), [(library, name) for library, names in EXACT.items() for name in names])
def test_a_booster_of_two_classes_is_explained_exactly(library, name):
    _, data = made(library, name)
    score = scorer(data, library)
    on = explainer(data, score, REFERENCE, form=library)
    assert (on.exact, on.scale, on.why) == (True, Scale.LOG_ODDS, "")
    found = on.explain(ROWS)
    said = score(ROWS)
    assert found.contributions.sum(1) + found.base == pytest.approx(np.log(said / (1 - said)), abs=1e-5)


@pytest.mark.parametrize(("library", "name"), [(library, name) for library, names in SAMPLED.items() for name in names])
def test_what_its_file_does_not_show_is_sampled_and_said_to_be(library, name):
    _, data = made(library, name)
    reference = boosters.WITH_CODES[:40] if "categories" in name else boosters.X[:40]
    on = explainer(data, scorer(data, library), reference, form=library)
    assert (on.exact, on.way) == (False, "sampling")
    assert on.why


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_contributions_are_those_of_shap(library, shap):
    data = boosters.simple(library)
    name = {"xgboost": "binary:logistic", "lightgbm": "binary", "catboost": "two classes"}[library]
    model = boosters.made(library)[name]
    wanted = shap.TreeExplainer(model, data=REFERENCE.astype(np.float64)).shap_values(
        np.nan_to_num(ROWS), check_additivity=False
    )
    found = explainer(data, scorer(data, library), REFERENCE, form=library).explain(np.nan_to_num(ROWS))
    assert np.asarray(wanted) == pytest.approx(found.contributions, abs=1e-6)


def test_ubjson_and_json_are_explained_alike():
    score = scorer(boosters.simple("xgboost"), "xgboost")
    on = [
        explainer(boosters.files()[label][2], score, REFERENCE, form="xgboost").explain(ROWS).contributions
        for label in ("xgboost binary:logistic", "xgboost binary:logistic ubj")
    ]
    assert on[0] == pytest.approx(on[1], abs=1e-7)


def test_a_format_that_is_not_read_is_sampled():
    on = explainer(b"", lambda rows: np.full(len(rows), 0.5), REFERENCE, form="skops")
    assert (on.way, "skops" in on.why) == ("sampling", True)


def test_a_file_of_other_features_is_sampled():
    data = boosters.simple("xgboost")
    on = explainer(data, lambda rows: np.full(len(rows), 0.5), REFERENCE[:, :3], form="xgboost")
    assert "other features" in on.why
