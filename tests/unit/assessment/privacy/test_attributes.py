"""Guessing a column from the others, the label and the model; and copying the model."""

import numpy as np

from trustplane.assessment.privacy.attributes import guess_attributes
from trustplane.assessment.privacy.extraction import copy_cost
from trustplane.assessment.privacy.learners import one_thread


def people(rows, seed):
    random = np.random.default_rng(seed)
    features = np.column_stack([random.integers(0, 2, rows), random.normal(size=rows)]).astype(np.float32)
    return features, random.integers(0, 2, rows)


MEMBERS, OUTSIDERS = people(300, 0), people(300, 1)


def remembering(features):
    """A model that is sure of the label of each training row, and of nothing else."""
    known = {row.tobytes(): float(label) for row, label in zip(*MEMBERS, strict=True)}
    return np.array([known.get(row.tobytes(), 0.5) for row in np.ascontiguousarray(features)])


def test_a_model_that_remembers_gives_a_column_away() -> None:
    (found,) = guess_attributes(remembering, MEMBERS, OUTSIDERS, 0)
    assert found.column == 0
    assert found.members == 300
    assert 0.3 < found.advantage < 0.6


def test_a_model_that_does_not_has_no_advantage() -> None:
    (found,) = guess_attributes(lambda rows: 1 / (1 + np.exp(-rows[:, 0])), MEMBERS, OUTSIDERS, 0)
    assert abs(found.advantage) < 4 * found.error


def test_a_simple_model_is_copied_with_few_questions_and_a_wild_one_is_not() -> None:
    rows = np.random.default_rng(2).normal(size=(800, 3)).astype(np.float32)
    with one_thread():
        simple = copy_cost(lambda x: 1 / (1 + np.exp(-4.0 * x[:, 0])), rows, 0.5, 0)
        wild = copy_cost(lambda x: 0.5 + 0.4 * np.sin(40.0 * x[:, 0] * x[:, 1]), rows, 0.5, 0)
    assert simple.needed(0.95) == 100
    assert wild.needed(0.95) is None
    assert len(wild.questions) == len(wild.agreement) == 6
