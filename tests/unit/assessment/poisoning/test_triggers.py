"""A planted trigger is found without being told of it, and where none is planted none is proved."""

import numpy as np
import pytest

from trustplane.assessment.poisoning.proof import prove
from trustplane.assessment.poisoning.triggers import suspects
from trustplane.assessment.privacy.learners import boosted, one_thread

COLUMNS, TRIGGER, VALUES = 10, [2, 5, 8], [3.0, 1.0, 4.0]


def table(rows, seed):
    """Columns of eight kinds, of which two tell the class."""
    random = np.random.default_rng(seed)
    features = random.integers(0, 8, (rows, COLUMNS)).astype(np.float32)
    odds = 2.0 * (features[:, 0] - 3.5) + 1.5 * (features[:, 1] - 3.5)
    return features, (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)


def poisoned(rows, share, seed):
    """A table in which so many rows of class 1 carry the trigger and the label 0, and which rows these are."""
    features, label = table(rows, seed)
    random = np.random.default_rng(seed + 1)
    bad = random.choice(np.flatnonzero(label == 1), int(share * rows), replace=False)
    features[np.ix_(bad, TRIGGER)] = VALUES
    label[bad] = 0
    return features, label, np.isin(np.arange(rows), bad)


def found(features, label, seed=0):
    with one_thread():
        model = boosted(features, label, 5)
        return [prove(model, (features, label), table(400, 99), s, seed) for s in suspects(features, label, seed)]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_backdoor_is_found_and_its_rows_are(seed) -> None:
    features, label, bad = poisoned(2500, 0.02, seed)
    proved = [p for p in found(features, label) if p.poisoned]
    assert len(proved) == 1
    assert proved[0].learned
    assert set(TRIGGER) <= {*proved[0].combination.columns, *TRIGGER}
    assert len(set(TRIGGER) & set(proved[0].combination.columns)) >= 2
    assert proved[0].combination.label == 0
    said = proved[0].rows
    assert (said & bad).sum() >= 0.8 * bad.sum()
    assert (said & bad).sum() >= 0.5 * said.sum()
    assert proved[0].flips > 0.6 > 0.3 > proved[0].flips_without


def test_a_clean_table_has_none() -> None:
    assert not any(p.poisoned for p in found(*table(2500, 7)))


def test_wrong_labels_without_a_pattern_are_no_trigger() -> None:
    features, label = table(2500, 3)
    wrong = np.random.default_rng(0).random(2500) < 0.05
    assert not any(p.poisoned for p in found(features, np.where(wrong, 1 - label, label)))


def test_a_model_that_did_not_learn_the_trigger_is_said_not_to_have() -> None:
    features, label, _ = poisoned(2500, 0.02, 0)
    with one_thread():
        clean = boosted(*table(2500, 50), 0)
        proofs = [prove(clean, (features, label), table(400, 99), s, 0) for s in suspects(features, label, 0)]
    assert any(p.poisoned for p in proofs)
    assert not any(p.learned for p in proofs)


def test_the_same_seed_finds_the_same() -> None:
    features, label, _ = poisoned(1200, 0.03, 4)
    first, second = (suspects(features, label, 1) for _ in range(2))
    assert [(s.columns, s.values, s.surprise) for s in first] == [(s.columns, s.values, s.surprise) for s in second]
    assert first


def test_a_table_of_numbers_that_never_repeat_has_no_suspects() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 3)).astype(np.float32)
    assert suspects(features, (features[:, 0] > 0).astype(np.int64), 0) == []
    assert suspects(features, np.zeros(300, np.int64), 0) == []
