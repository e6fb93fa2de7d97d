"""What every installed attack must keep to, built-in or not (trustplane.training.attacks.contract).

A plug-in passes by being installed: the suite runs over the entry points of the group ``trustplane.attacks``.
"""

import numpy as np
import pytest

from trustplane.training.attacks.contract import Task
from trustplane.training.attacks.registry import installed_attacks
from trustplane.training.attacks.space import space_of
from trustplane.training.threats.parsing import parse_threat

INSTALLED = installed_attacks()
every = pytest.mark.parametrize("attack", INSTALLED.values(), ids=list(INSTALLED))
THREAT = parse_threat(
    """
    budget = { norm = "l2", distance = 0.5 }
    relations = [{ name = "order", holds = "a <= b" }]
    [features]
    a = { low = 0, high = 10 }
    b = { type = "integer", low = 0, high = 10 }
    c = { mutable = false }
    """
)


def score(rows: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(rows[:, 0] + rows[:, 1] - 8)))


def task(offered: list, *, smooth: bool = True, rows: int = 20, background: int = 50, seed: int = 4) -> Task:
    random = np.random.default_rng(1)
    b = random.integers(5, 10, rows + background)
    table = np.column_stack([b * random.random(len(b)), b, random.normal(size=len(b))]).astype(np.float32).astype(float)
    origins = table[:rows].copy()
    return Task(
        space_of(THREAT, THREAT.names), origins, origins.copy(), table[rows:], score,
        lambda made, of: offered.append((np.array(made), np.array(of))),
        (lambda given: np.repeat([[1.0, 1.0, 0.0]], len(given), axis=0)) if smooth else None,
        None if smooth else {0: np.array([2.0, 4.0]), 1: np.array([3.5])}, 0.5, False, 300, seed,
    )  # fmt: skip


@every
def test_it_says_what_it_is(attack) -> None:
    assert INSTALLED[attack.descriptor.name] is attack
    assert attack.descriptor.about


@every
@pytest.mark.parametrize("smooth", [True, False])
def test_it_gives_a_row_for_each_row_and_leaves_its_task_alone(attack, smooth) -> None:
    offered: list = []
    given = task(offered, smooth=smooth)
    kept = [a.copy() for a in (given.origins, given.start, given.background)]
    made = attack.run(given)
    assert made.shape == given.origins.shape
    assert np.isfinite(made).all()
    for before, after in zip(kept, (given.origins, given.start, given.background), strict=True):
        assert np.array_equal(before, after)
    for rows, of in offered:
        assert rows.shape == (len(of), 3)
        assert ((of >= 0) & (of < 20)).all()


@every
def test_it_is_the_same_for_the_same_seed(attack) -> None:
    assert np.array_equal(attack.run(task([])), attack.run(task([])))


@every
@pytest.mark.parametrize(("rows", "background"), [(0, 50), (1, 50), (20, 0), (1, 1)])
def test_few_rows_do_not_make_it_raise(attack, rows, background) -> None:
    assert attack.run(task([], rows=rows, background=background)).shape == (rows, 3)
