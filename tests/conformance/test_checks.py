"""What every installed check must keep to, built-in or not (trustplane.assessment.checks.contract).

A plug-in passes by being installed: the suite runs over the entry points of the group ``trustplane.checks``.
"""

import json
import math

import numpy as np
import pytest

from trustplane.assessment.checks.contract import CheckInput, CheckResult, Examined, Rows, laxer
from trustplane.assessment.checks.registry import installed_checks
from trustplane.training.threats.parsing import parse_threat
from trustplane.values.outcomes import Inconclusive, NotApplicable, Passed

# An attacker who can change what has no say.
THREAT = """
budget = { norm = "l2", distance = 0.5 }
features.part0 = { mutable = false }
features.noise = { low = -5, high = 5 }
"""
INSTALLED = installed_checks()
every = pytest.mark.parametrize("check", INSTALLED.values(), ids=list(INSTALLED))


WEIGHTS = (0.35, 0.25, 0.2, 0.12, 0.08)
PARTS = len(WEIGHTS)


def sigmoid(features: np.ndarray) -> np.ndarray:
    """A model that adds up its first features: the last has no say, and none says much alone."""
    return 1 / (1 + np.exp(-np.clip(features[:, :PARTS].astype(np.float64).sum(axis=1), -50, 50)))


def drawn(rows: int, seed: int, groups: int) -> Rows:
    """Rows whose first features add up to the true log-odds."""
    random = np.random.default_rng(seed)
    scores = np.clip(random.beta(0.4, 0.6, rows), 1e-4, 1 - 1e-4)
    apart = random.normal(0, 0.3, (rows, PARTS))
    parts = np.log(scores / (1 - scores))[:, None] * WEIGHTS + apart - apart.mean(axis=1, keepdims=True)
    features = np.column_stack([parts, random.normal(size=rows)]).astype(np.float32)
    came = (random.random(rows) < sigmoid(features)).astype(np.int64)
    return Rows(features, came, {f"g{n}": random.choice(["a", "b", "c"], rows) for n in range(groups)})


def made(rows: int, seed: int = 0, groups: int = 2) -> CheckInput:
    """Rows of a calibrated model whose groups have no say, and the model itself."""
    held, learned = drawn(rows, seed, groups), drawn(rows, seed + 1000, groups)
    scores = sigmoid(held.features)
    model = Examined(
        sigmoid, (*(f"part{n}" for n in range(PARTS)), "noise"), held, learned, b"", "onnx", threat=parse_threat(THREAT)
    )
    return CheckInput(held.label, scores, (scores >= 0.5).astype(np.int64), held.groups, 0, seed, model)


def degenerate() -> dict[str, CheckInput]:
    usual = made(400)
    ones, zeros = np.ones(400, np.int64), np.zeros(400, np.int64)
    return {
        "usual": usual,
        "one row": made(1),
        "two rows": made(2),
        "no groups": made(400, groups=0),
        "only ones": CheckInput(ones, usual.y_score, usual.y_pred, usual.groups),
        "only zeros": CheckInput(zeros, usual.y_score, usual.y_pred, usual.groups),
        "one score": CheckInput(usual.y_true, np.full(400, 0.5), ones, usual.groups),
        "nobody favourably": CheckInput(usual.y_true, np.ones(400), ones, usual.groups),
        "everybody favourably": CheckInput(usual.y_true, np.zeros(400), zeros, usual.groups),
        "certain": CheckInput(usual.y_true, usual.y_true.astype(float), usual.y_true, usual.groups),
        "always wrong": CheckInput(usual.y_true, 1.0 - usual.y_true, 1 - usual.y_true, usual.groups),
        "a group for each row": CheckInput(
            usual.y_true, usual.y_score, usual.y_pred, {"id": np.array([f"r{n}" for n in range(400)])}
        ),
        "one group": CheckInput(usual.y_true, usual.y_score, usual.y_pred, {"g": np.full(400, "all")}),
        "odd names": CheckInput(
            usual.y_true, usual.y_score, usual.y_pred, {"\u202e[=,]": np.resize(["", "\n", "\U0001f600"], 400)}
        ),
    }


CASES = degenerate()


def defaults(check) -> dict[str, float]:
    return {p.name: p.default for p in check.descriptor.parameters}


def run(check, data: CheckInput) -> CheckResult:
    return check.run(data, defaults(check))


@every
def test_it_says_what_it_is_and_where_its_rules_come_from(check) -> None:
    descriptor = check.descriptor
    assert INSTALLED[descriptor.name] is check
    assert descriptor.question.endswith("?")
    names = [p.name for p in descriptor.parameters]
    assert len(set(names)) == len(names)
    for parameter in descriptor.parameters:
        assert math.isfinite(parameter.default)
        assert parameter.default >= 0
        assert "convention" in parameter.source or "legal" in parameter.source
    assert laxer(descriptor, defaults(check)) == ()


@every
@pytest.mark.parametrize("case", CASES)
def test_no_input_makes_it_raise_and_all_figures_are_finite(check, case: str) -> None:
    plain = run(check, CASES[case]).plain()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert set(plain) - {"details"} == {"status", "reason", "figures", "intervals"}
    assert plain["reason"]
    for name, (low, high) in plain["intervals"].items():
        assert low <= high
        assert name in plain["figures"]


@every
def test_it_is_the_same_for_the_same_seed(check) -> None:
    assert run(check, made(400, 3)).plain() == run(check, made(400, 3)).plain()


@every
@pytest.mark.parametrize("case", ["one row", "two rows"])
def test_too_few_rows_never_pass(check, case: str) -> None:
    assert isinstance(run(check, CASES[case]).verdict, Inconclusive | NotApplicable)


@every
def test_a_good_and_even_model_passes(check) -> None:
    assert isinstance(run(check, made(3000, 1)).verdict, Passed)


@every
def test_it_leaves_its_input_alone(check) -> None:
    data = made(300, 2)
    kept = [a.copy() for a in (data.y_true, data.y_score, data.y_pred, *data.groups.values())]
    run(check, data)
    for before, after in zip(kept, (data.y_true, data.y_score, data.y_pred, *data.groups.values()), strict=True):
        assert (before == after).all()
