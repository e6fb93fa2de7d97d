"""The checks that open a model's file do so with boosted trees in their own formats, through the runtime of the format."""

from dataclasses import replace

import numpy as np
import pytest
from tests.corpora import boosters

from trustplane.assessment.checks import explanation, membership, robustness
from trustplane.assessment.checks.contract import CheckInput, Examined, Rows
from trustplane.assessment.scoring import scorer
from trustplane.training.threats.draft import draft_threat
from trustplane.training.threats.model import Knowledge
from trustplane.values.outcomes import Failed, Passed

NAMES = ("signal", "debt", "other", "more")


def people(rows, seed):
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 4)).astype(np.float32)
    return Rows(features, (features[:, 0] - features[:, 1] + random.normal(size=rows) > 0).astype(np.int64), {})


LEARNED, HELD = people(500, 0), people(500, 1)


def trained(library):
    if library == "xgboost":
        import xgboost

        model = xgboost.XGBClassifier(n_estimators=30, max_depth=3, n_jobs=1)
    elif library == "lightgbm":
        import lightgbm

        model = lightgbm.LGBMClassifier(n_estimators=30, max_depth=3, verbose=-1, n_jobs=1)
    else:
        import catboost

        model = catboost.CatBoostClassifier(
            iterations=30, depth=3, verbose=0, allow_writing_files=False, thread_count=1
        )
    model.fit(LEARNED.features, LEARNED.label)
    return boosters.written(library, getattr(model, "booster_", model))


@pytest.fixture(scope="module", params=["xgboost", "lightgbm", "catboost"])
def data(request):
    artifact = trained(request.param)
    score = scorer(artifact, request.param)
    drafted = draft_threat("draft", NAMES, LEARNED.features.astype(np.float64))
    threat = replace(drafted, knowledge=Knowledge.WHITE_BOX)
    examined = Examined(score, NAMES, HELD, LEARNED, artifact, request.param, threat=threat)
    said = score(HELD.features)
    return CheckInput(HELD.label, said, (said >= 0.5).astype(np.int64), {}, 0, 0, examined)


def run(module, check, data, **changed):
    return check().run(data, {p.name: p.default for p in module.DESCRIPTOR.parameters} | changed)


def test_it_is_explained_exactly(data):
    result = run(explanation, explanation.Explanation, data)
    assert result.figures["exact"] == 1.0
    assert isinstance(result.verdict, Passed | Failed)


def test_it_is_attacked_at_its_thresholds(data):
    result = run(robustness, robustness.Robustness, data, rows=40, min_rows=10)
    assert result.figures["rows_attacked"] == 40
    assert result.figures["robust_accuracy"] < 0.5


def test_its_shadows_are_boosted_trees_as_it_is(data):
    result = run(membership, membership.Membership, data, shadows=4)
    assert "30 boosted trees" in result.verdict.reason
