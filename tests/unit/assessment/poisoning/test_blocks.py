"""Doubted labels are those that cleanlab prunes, given the same probabilities."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues

from trustplane.assessment.poisoning.blocks import doubts


@pytest.mark.parametrize("seed", range(8))
def test_doubted_labels_are_those_of_cleanlab(seed) -> None:
    dice = np.random.default_rng(seed)
    truth = (dice.random(3000) < 0.2 + 0.1 * seed).astype(np.int64)
    said = np.clip(truth * 0.5 + 0.25 + dice.normal(0, 0.2, 3000), 0.01, 0.99)
    label = np.where(dice.random(3000) < 0.05, 1 - truth, truth)
    theirs = find_label_issues(label, np.column_stack([1 - said, said]), n_jobs=1)
    ours = doubts(said, label)
    assert (ours != theirs).sum() <= 1  # a count that ends on a half may be rounded otherwise
    assert ours.sum() > 50


@pytest.mark.parametrize("label", [np.zeros(5, np.int64), np.ones(5, np.int64), np.zeros(0, np.int64)])
def test_labels_of_one_class_or_none_are_not_doubted(label) -> None:
    assert not doubts(np.full(len(label), 0.5), label).any()
