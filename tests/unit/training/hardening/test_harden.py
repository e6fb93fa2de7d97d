"""Hardening: what is chosen withstands more, ranks as it must, and does not look at what was taken out."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trustplane.training.attacks.engine import Effort
from trustplane.training.attacks.models import open_model
from trustplane.training.hardening import Recipe, harden
from trustplane.training.hardening.fitting import fitted, monotone_signs
from trustplane.training.hardening.standing import Table, stand, threshold_for
from trustplane.training.threats.model import ThreatModel
from trustplane.training.threats.parsing import parse_threat
from trustplane.values.errors import BadInput

THREAT = parse_threat(
    """
    attacker = { knowledge = "white-box" }
    budget = { norm = "l2", distance = 0.5 }
    [features]
    weak = { low = -4, high = 4 }
    paid = { low = 0, high = 10, direction = "up" }
    solid = { mutable = false }
    more = { mutable = false }
    """
)
EFFORT = Effort(queries=150, seconds=60, near=False)
RECIPE = Recipe(rounds=2, rows=60, effort=EFFORT)


@dataclass(frozen=True)
class Known:
    names: tuple[str, ...]
    threat: ThreatModel
    learn: Table
    test: Table


def drawn(count: int, seed: int) -> Table:
    """What can be changed says a little more than what cannot: an undefended model leans on it."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    sign = 2 * labels - 1
    weak = np.clip(sign * 0.9 + random.normal(size=count) * 0.8, -4, 4)
    paid = np.clip(5 - sign * 1.5 + random.normal(size=count) * 1.5, 0, 10)
    solid, more = sign[:, None].T * 1.0 + random.normal(size=(2, count)) * 0.75
    rows = np.column_stack([weak, paid, solid, more]).astype(np.float32).astype(float)
    return Table(THREAT.names, rows, labels)


@pytest.fixture(scope="module")
def known() -> Known:
    return Known(THREAT.names, THREAT, drawn(1200, 1), drawn(600, 2))


def model():
    return xgboost.XGBClassifier(n_estimators=30, max_depth=3, n_jobs=1, random_state=0)


@pytest.fixture(scope="module")
def hardened(known):
    return harden(model(), known.learn.features, known.learn.labels, known.names, known.threat, RECIPE)


def test_the_hardened_model_withstands_more_on_rows_that_nobody_saw(known, hardened) -> None:
    plain = model().fit(known.learn.features.astype(np.float32), known.learn.labels)
    background = known.learn.of(0, 500)
    before, _ = stand("plain", open_model(plain), known.test, known.threat, background, Effort(150, 60), rows=100)
    opened = open_model(hardened.model, hardened.threshold)
    after, _ = stand("hardened", opened, known.test, known.threat, background, Effort(300, 60), rows=100)
    assert after.robust_accuracy > before.robust_accuracy + 0.2
    assert after.auc > before.auc - 0.05
    assert hardened.undefended.name == "undefended"
    assert hardened.chosen.auc >= hardened.undefended.auc - RECIPE.max_auc_loss
    assert hardened.chosen.robust_accuracy == max(
        s.robust_accuracy for s in hardened.standings if s.auc >= hardened.undefended.auc - RECIPE.max_auc_loss
    )


def test_every_defence_was_tried_and_the_report_is_json(hardened) -> None:
    names = {s.name for s in hardened.standings}
    assert {"undefended", "monotone", "smoothing", "adversarial"} < names
    assert any(n.startswith("without") for n in names)
    plain = hardened.plain()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert {"auc", "mcc", "robust_accuracy"} <= plain["standings"][0].keys()
    assert hardened.advice[0].feature in {"weak", "paid"}


def test_the_same_seed_gives_the_same_model(known, hardened) -> None:
    again = harden(model(), known.learn.features, known.learn.labels, known.names, known.threat, RECIPE)
    assert again.plain() == hardened.plain()


@pytest.mark.parametrize(
    "kind", [model(), make_pipeline(StandardScaler(), LogisticRegression())], ids=["trees", "linear"]
)
def test_a_feature_that_is_taken_out_has_no_say(known, kind) -> None:
    made = fitted(kind, known.learn, ["weak"])
    rows = known.test.features.astype(np.float32)
    other = rows.copy()
    other[:, 0] = np.random.default_rng(0).normal(size=len(rows)) * 9
    assert np.array_equal(made.predict_proba(rows), made.predict_proba(other))


def test_a_monotone_model_gives_nothing_for_what_moves_one_way(known) -> None:
    signs = monotone_signs(known.threat, known.names)
    assert signs == [0, 1, 0, 0]
    made = fitted(model(), known.learn, (), signs)
    rows = known.test.features.astype(np.float32)
    more = rows.copy()
    more[:, 1] += 1
    assert (made.predict_proba(more)[:, 1] >= made.predict_proba(rows)[:, 1] - 1e-7).all()


@pytest.fixture
def one_thread():
    """Threads that wait for each other cost more than these small products."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_network_is_trained_against_gradient_steps(known, one_thread) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    recipe = Recipe(smoothing=False, removal=False, rows=60, effort=EFFORT)
    found = harden(module, known.learn.features, known.learn.labels, known.names, known.threat, recipe)
    assert {"undefended", "adversarial"} <= {s.name for s in found.standings}
    assert found.chosen.robust_accuracy > found.undefended.robust_accuracy
    assert found.undefended.auc > 0.9


def test_the_threshold_keeps_the_share_that_is_predicted() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.9])
    assert (scores >= threshold_for(scores, 0.25)).sum() == 1
    assert (scores >= threshold_for(scores, 0.75)).sum() == 3


@pytest.mark.parametrize(
    ("features", "labels", "wrong", "code"),
    [
        (np.zeros((50, 4)), np.zeros(50), model(), "TP-RUN-046"),
        (np.zeros((50, 3)), np.arange(50) % 2, model(), "TP-RUN-046"),
        (np.full((50, 4), np.nan), np.arange(50) % 2, model(), "TP-RUN-046"),
        (np.zeros((50, 4)), np.arange(50) % 3, model(), "TP-RUN-046"),
        (np.zeros((50, 4)), np.arange(50) % 2, "a model", "TP-RUN-045"),
    ],
)
def test_what_cannot_be_hardened_is_said(features, labels, wrong, code) -> None:
    with pytest.raises(BadInput, match=code):
        harden(wrong, features, labels, THREAT.names, THREAT, RECIPE)


def test_removal_needs_a_model_that_can_be_kept_from_looking(known) -> None:
    with pytest.raises(BadInput, match="TP-RUN-045"):
        fitted(GaussianNB(), known.learn, ["weak"])
    fitted(KNeighborsClassifier(), known.learn)
