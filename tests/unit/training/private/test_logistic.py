"""Private logistic regression: the law itself, by the exact density of what comes out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression

from trustplane.training.private.logistic import Bounds, drawn, fit_logistic, minimum, perturbation, scaled
from trustplane.values.errors import BadInput

SQUARE = Bounds((-1.0, -1.0), (1.0, 1.0))
numbers = st.floats(-3, 3, allow_nan=False, width=32)


def people(rows=400, seed=0):
    random = np.random.default_rng(seed)
    features = random.uniform(-1, 1, (rows, 2))
    return features, (random.random(rows) < 1 / (1 + np.exp(-6 * features[:, 0]))).astype(int)


def log_density(weights, rows, label, terms):
    """Of the weights that come out: the noise that makes them the minimum, and how it stretches about there (their proof of theorem 9)."""
    signs, count = np.where(label == 1, 1.0, -1.0), len(rows)
    wrong = 1 / (1 + np.exp(signs * (rows @ weights)))
    noise = (rows * (signs * wrong)[:, None]).sum(axis=0) - count * terms.strength * weights
    bend = (rows * (wrong * (1 - wrong))[:, None]).T @ rows + count * terms.strength * np.eye(len(weights))
    return -terms.rate * np.linalg.norm(noise) + np.linalg.slogdet(bend)[1]


@given(
    st.lists(st.tuples(numbers, numbers, st.integers(0, 1)), min_size=2, max_size=12),
    st.tuples(numbers, numbers, st.integers(0, 1)),
    st.tuples(*[st.floats(-50, 50)] * 3),
    st.floats(0.05, 8),
    st.floats(1e-4, 1),
)
def test_no_outcome_is_likelier_by_more_than_epsilon_with_another_row(table, other, weights, epsilon, ridge) -> None:
    terms = perturbation(epsilon, len(table), ridge)
    densities = []
    for rows in (table, [other, *table[1:]]):
        features = scaled(np.array([row[:2] for row in rows]), SQUARE)
        densities.append(log_density(np.array(weights), features, np.array([row[2] for row in rows]), terms))
    assert abs(densities[0] - densities[1]) <= epsilon + 1e-9


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.floats(0.1, 5))
def test_no_row_is_longer_than_one(rows, norm) -> None:
    for bounds in (SQUARE, Bounds(SQUARE.lower, SQUARE.upper, norm)):
        assert (np.linalg.norm(scaled(np.array(rows), bounds), axis=1) <= 1 + 1e-12).all()


def test_the_noise_has_the_length_and_the_directions_that_the_proof_asks_for() -> None:
    random = np.random.default_rng(3)
    vectors = np.array([drawn(3, 0.7, random) for _ in range(2000)])
    assert stats.kstest(np.linalg.norm(vectors, axis=1), stats.gamma(3, scale=1 / 0.7).cdf).pvalue > 0.01
    # the height of a point on a sphere is uniform (Archimedes)
    assert stats.kstest(vectors[:, 2] / np.linalg.norm(vectors, axis=1), stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_the_noise_is_another_each_time() -> None:
    features, label = people()
    first, second = (fit_logistic(features, label, 1.0, SQUARE) for _ in range(2))
    assert (first.weights != second.weights).all()
    assert not first.claim.predictable
    assert fit_logistic(features, label, 1.0, SQUARE, noise=np.random.default_rng(1)).claim.predictable


def test_without_noise_it_is_ridge_logistic_regression() -> None:
    features, label = people()
    rows = scaled(features, SQUARE)
    ours = minimum(rows, label, np.zeros(3), 0.01)
    theirs = LogisticRegression(C=1 / (0.01 * len(rows)), fit_intercept=False, tol=1e-10).fit(rows, label)
    assert ours == pytest.approx(theirs.coef_[0], rel=1e-4)


def test_more_epsilon_is_more_useful() -> None:
    features, label = people(2000)
    right = []
    for epsilon in (0.01, 0.5, 50.0):
        models = [fit_logistic(features, label, epsilon, SQUARE, noise=np.random.default_rng(k)) for k in range(10)]
        right.append(np.mean([((m.predict_proba(features) >= 0.5) == label).mean() for m in models]))
    assert right[0] < right[1] < right[2] + 0.01
    plain = LogisticRegression().fit(features, label).score(features, label)
    assert right[2] > plain - 0.01


def test_weights_are_in_the_units_of_the_rows() -> None:
    features, label = people()
    moved = features * [100, 0.01] + [5000, 7]
    bounds = Bounds((4900.0, 6.99), (5100.0, 7.01))
    ours, theirs = (
        fit_logistic(rows, label, 5.0, b, noise=np.random.default_rng(2)).predict_proba(rows)
        for rows, b in ((moved, bounds), (features, SQUARE))
    )
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_what_lies_outside_of_the_bounds_counts_as_their_end() -> None:
    features, label = people()
    far, end = features.copy(), features.copy()
    far[0], end[0] = [1e9, -5], [1, -1]
    models = [fit_logistic(rows, label, 1.0, SQUARE, noise=np.random.default_rng(0)) for rows in (far, end)]
    assert (models[0].weights == models[1].weights).all()


@pytest.mark.parametrize(
    "change",
    [
        {"epsilon": 0.0},
        {"epsilon": float("inf")},
        {"regularisation": -1.0},
        {"bounds": Bounds((0.0,), (1.0,))},
        {"bounds": Bounds((0.0, 1.0), (1.0, 1.0))},
        {"bounds": Bounds((0.0, 0.0), (1.0, 1.0), 0.0)},
        {"label": np.full(400, 2)},
        {"features": np.full((400, 2), np.nan)},
    ],
)
def test_what_cannot_be_fitted_is_refused(change) -> None:
    features, label = people()
    said = {"features": features, "label": label, "epsilon": 1.0, "bounds": SQUARE} | change
    with pytest.raises(BadInput) as caught:
        fit_logistic(**said)
    assert caught.value.code == "TP-RUN-052"
