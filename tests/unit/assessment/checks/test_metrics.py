"""Figures over weighted rows, against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from trustplane.assessment.checks import metrics

RANDOM = np.random.default_rng(5)
CAME = RANDOM.integers(0, 2, 300)
SCORES = np.round(np.clip(RANDOM.normal(0.4 + 0.2 * CAME, 0.2), 0.01, 0.99), 2)  # rounded, so that there are ties
SAID = (SCORES >= 0.5).astype(np.int64)
WEIGHTS = RANDOM.integers(0, 4, 300).astype(float)
ROWS = metrics.Scored.of(CAME, SCORES, SAID)


@pytest.mark.parametrize("weights", [np.ones(300), WEIGHTS], ids=["even", "uneven"])
@pytest.mark.parametrize(
    ("ours", "theirs", "given"),
    [
        (metrics.area, oracle.roc_auc_score, SCORES),
        (metrics.accuracy, oracle.accuracy_score, SAID),
        (metrics.f1, oracle.f1_score, SAID),
        (metrics.brier, oracle.brier_score_loss, SCORES),
        (metrics.log_loss, oracle.log_loss, SCORES),
    ],
    ids=["area", "accuracy", "f1", "brier", "log-loss"],
)
def test_figures_are_those_of_scikit_learn(ours, theirs, given, weights) -> None:
    assert ours(ROWS, weights) == pytest.approx(theirs(CAME, given, sample_weight=weights), abs=1e-12)


def test_a_weight_is_so_many_rows() -> None:
    again = WEIGHTS.astype(int)
    rows = metrics.Scored.of(np.repeat(CAME, again), np.repeat(SCORES, again), np.repeat(SAID, again))
    for figure in (metrics.area, metrics.calibration_error, metrics.prevalence):
        assert figure(ROWS, WEIGHTS) == pytest.approx(figure(rows, np.ones(again.sum())), abs=1e-12)


def test_the_area_of_one_class_is_undefined() -> None:
    ones = np.ones(3, np.int64)
    assert math.isnan(metrics.area(metrics.Scored.of(ones, np.array([0.1, 0.5, 0.9]), ones), np.ones(3)))


def test_the_calibration_error_is_the_distance_within_bins() -> None:
    scores = np.array([0.15, 0.15, 0.15, 0.15, 1.0, 1.0])
    came = np.array([0, 0, 0, 1, 1, 0])
    rows = metrics.Scored.of(came, scores, came)
    assert metrics.calibration_error(rows, np.ones(6)) == pytest.approx((4 * 0.10 + 2 * 0.5) / 6)


def test_scores_of_nought_and_one_lose_finitely() -> None:
    rows = metrics.Scored.of(np.array([1]), np.array([0.0]), np.array([0]))
    assert metrics.log_loss(rows, np.ones(1)) == pytest.approx(-math.log(1e-15))
