"""Repair: whatever goes in, what comes out marked as good is what the validator lets pass."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.training.attacks.space import distances, repaired, space_of
from trustplane.training.threats.model import Budget, Norm
from trustplane.training.threats.validator import validate

BUDGETS = [
    Budget(Norm.L2, 0.5),
    Budget(Norm.LINF, 0.15),
    Budget(Norm.L2, 5.0, features=2),
    Budget(Norm.L2, 0.7, cost=0.4),
    Budget(Norm.LINF, 0.5, cost=0.6, features=3),
]


@settings(max_examples=60)
@given(budget=st.sampled_from(BUDGETS), seed=st.integers(0, 10_000), width=st.sampled_from([0.05, 0.5, 5.0]))
def test_what_is_marked_as_good_is_valid(known, budget, seed, width) -> None:
    random = np.random.default_rng(seed)
    threat = dataclasses.replace(known.threat, budget=budget)
    space = space_of(threat, known.names)
    origins = known.rows[random.integers(0, len(known.rows), 30)]
    wild = origins + random.normal(size=origins.shape) * width * np.where(np.isfinite(space.scale), space.scale, 1.0)
    rows, good = repaired(space, origins, wild)
    assert validate(threat, known.names, origins[good], rows[good]).valid.all()
    assert (rows == rows.astype(np.float32)).all()


def test_most_rows_can_be_repaired_and_move(known) -> None:
    random, space = np.random.default_rng(0), space_of(known.threat, known.names)
    origins = known.rows[:300]
    wild = origins + random.normal(size=origins.shape) * 0.3 * np.where(np.isfinite(space.scale), space.scale, 1.0)
    rows, good = repaired(space, origins, wild)
    assert good.mean() > 0.95
    assert (distances(space, origins, rows)[good] > 0).mean() > 0.95


def test_a_row_that_keeps_to_the_threat_model_is_left_alone(known) -> None:
    rows, good = repaired(space_of(known.threat, known.names), known.rows, known.rows)
    assert good.all()
    assert np.array_equal(rows, known.rows)


@pytest.mark.parametrize("name", ["age", "unknown"])
def test_what_cannot_change_does_not(known, name) -> None:
    names = (*known.names, "unknown")
    origins = np.column_stack([known.rows[:50], np.arange(50.0)])
    wild = origins.copy()
    wild[:, names.index(name)] += 7
    rows, good = repaired(space_of(known.threat, names), origins, wild)
    assert good.all()
    assert np.array_equal(rows, origins)
