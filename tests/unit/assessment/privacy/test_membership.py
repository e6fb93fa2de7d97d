"""The attacks: they find who was in an over-fitted model, and nobody where there is nothing to find."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from trustplane.assessment.privacy.artifact import Shape
from trustplane.assessment.privacy.learners import learners, nearest, one_thread
from trustplane.assessment.privacy.membership import halves, lira, make_shadows, own_label, rmia
from trustplane.training.private import Bounds, fit_logistic


def people(rows, seed=0, columns=6):
    random = np.random.default_rng(seed)
    features = random.uniform(-1, 1, (rows, columns)).astype(np.float32)
    return features, (random.random(rows) < 1 / (1 + np.exp(-3 * features[:, 0]))).astype(np.int64)


FEATURES, LABEL = people(600)
INSIDE = np.arange(600) < 300


def area(scores):
    return roc_auc_score(INSIDE, scores)


@pytest.mark.parametrize("shadows", [2, 8])
def test_each_row_is_in_half_of_the_shadows(shadows) -> None:
    inside = halves(shadows, 101, 3)
    assert (inside.sum(axis=0) == shadows // 2).all()


def test_an_over_fitted_model_gives_its_rows_away_and_better_than_by_the_loss() -> None:
    model = RandomForestClassifier(50, random_state=1).fit(FEATURES[INSIDE], LABEL[INSIDE])
    said = own_label(model.predict_proba(FEATURES)[:, 1], LABEL)
    with one_thread():
        made = make_shadows(learners(Shape("forest", 50))[0], FEATURES, LABEL, 8, 0)
    assert area(rmia(said, made)) > 0.9
    assert area(lira(said, made)) > 0.8
    assert area(said) > 0.7
    assert area(rmia(said, made)) > area(said)


def test_a_privately_trained_model_gives_nobody_away() -> None:
    ends = Bounds((-1.0,) * 6, (1.0,) * 6)
    model = fit_logistic(FEATURES[INSIDE], LABEL[INSIDE], 1.0, ends, noise=np.random.default_rng(0))
    said = own_label(model.predict_proba(FEATURES), LABEL)
    made = make_shadows(learners(Shape("linear"))[1], FEATURES, LABEL, 8, 0)
    for attack in (rmia, lira):
        assert 0.42 < area(attack(said, made)) < 0.58


@pytest.mark.parametrize(("leaf", "named"), [(1, "1 rows a leaf"), (20, "20 rows a leaf")])
def test_shadows_are_as_eager_as_the_model(leaf, named) -> None:
    model = RandomForestClassifier(50, min_samples_leaf=leaf, random_state=1).fit(FEATURES[INSIDE], LABEL[INSIDE])
    said = model.predict_proba(FEATURES)[:, 1]
    assert named in nearest(learners(Shape("forest", 50)), said, (FEATURES, LABEL), INSIDE, 0).name


def test_the_family_of_an_unknown_model_is_told_by_what_it_says() -> None:
    for at, family in ((0, "logistic"), (1, "forests")):
        made = learners(Shape("unknown"))
        said = made[at].train(FEATURES, LABEL, INSIDE[None, :], 9)[0]
        assert family in nearest(made, said, (FEATURES, LABEL), INSIDE, 0).name


def test_networks_learn_what_there_is_to_learn() -> None:
    network = learners(Shape("network", width=16))[2]
    said = network.train(FEATURES, LABEL, np.stack([INSIDE, ~INSIDE]), 0)
    assert said.shape == (2, 600)
    for k, outside in enumerate((~INSIDE, INSIDE)):
        assert roc_auc_score(LABEL[outside], said[k][outside]) > 0.75
    assert (network.train(FEATURES, LABEL, np.stack([INSIDE, ~INSIDE]), 0) == said).all()
