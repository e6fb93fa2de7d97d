"""Which way a model is explained, and that every way adds up."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from trustplane.assessment.explaining.explainer import explainer
from trustplane.assessment.explaining.forest import Scale
from trustplane.assessment.explaining.sampling import sample, walks
from trustplane.assessment.scoring import score

SEED = 3


def logit(p):
    return np.log(p / (1 - p))


def additive(features):
    """A model whose Shapley values are known: half of x0, a fifth of x1."""
    return 0.5 * features[:, 0].astype(np.float64) + 0.2 * features[:, 1]


def product(features):
    return features[:, 0].astype(np.float64) * features[:, 1]


@pytest.mark.parametrize(
    ("make", "way", "scale"),
    [
        (lambda: GradientBoostingClassifier(n_estimators=5, random_state=0), "tables", Scale.LOG_ODDS),
        (lambda: RandomForestClassifier(2, random_state=0), "deep", Scale.PROBABILITY),
        (LogisticRegression, "linear", Scale.LOG_ODDS),
    ],
)
def test_a_known_form_is_explained_exactly(exported, rows, make, way, scale) -> None:
    artifact = exported(make())
    made = explainer(artifact, partial(score, artifact), rows[0][:30])
    assert (made.way, made.scale, made.exact) == (way, scale, True)
    found = made.explain(rows[0][:20])
    total = found.contributions.sum(1) + found.base
    said = score(artifact, rows[0][:20])
    assert total == pytest.approx(logit(said) if scale is Scale.LOG_ODDS else said, abs=1e-5)
    assert not found.errors.any()


def test_a_form_that_does_not_give_the_models_scores_is_not_trusted(exported, rows) -> None:
    artifact = exported(LogisticRegression())
    made = explainer(artifact, lambda features: 0.9 * score(artifact, features), rows[0][:30])
    assert (made.way, made.exact) == ("sampling", False)
    assert "does not give its scores" in made.why


def test_sampling_knows_how_far_it_may_be_off(rows) -> None:
    features = np.random.default_rng(0).random((300, 3)).astype(np.float32)
    along = walks(features[:100], SEED)
    found = sample(additive, features[100:140], along)
    wanted = np.zeros((40, 3))
    for n, weight in enumerate((0.5, 0.2)):
        wanted[:, n] = weight * (features[100:140, n] - features[:100, n].astype(np.float64).mean())
    assert (np.abs(found.contributions - wanted) < 5 * found.errors + 1e-6).all()
    assert found.errors[:, 0].min() > 0
    assert not found.contributions[:, 2].any()


@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 40))
def test_walks_add_up_whatever_is_drawn(seed, width, reference) -> None:
    features = np.random.default_rng(seed).random((reference + 2, max(width, 2))).astype(np.float32)
    along = walks(features[2:], seed, pairs=4)
    found = sample(product, features[:2], along)
    base = product(along.start).mean()
    assert found.contributions.sum(1) + base == pytest.approx(product(features[:2]), abs=1e-6)


def test_the_same_seed_draws_the_same_walks(rows) -> None:
    made = [explainer(b"", additive, rows[0][:200], seed).explain(rows[0][:3]).contributions for seed in (1, 1, 2)]
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).any()
