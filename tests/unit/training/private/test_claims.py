"""What a run claims of its privacy: written, read, and counted again."""

import json

import msgspec
import numpy as np
import pytest

from trustplane.training.private.claims import SIZE, Claim, claim_in, judge_claim, read_claim, write_claim
from trustplane.training.private.logistic import Bounds, fit_logistic
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Passed

STEPS = {"noise_multiplier": 1.1, "sampling_rate": 0.01, "steps": 1000.0}
NETWORK = Claim("dp-sgd", 1.8, 1e-5, "one row more or less", 10_000, "RDP", STEPS)


def judged(claim, limit=10.0):
    return judge_claim(msgspec.to_builtins(claim), limit)


def test_a_claim_comes_back_as_it_was_written(tmp_path, monkeypatch) -> None:
    assert read_claim(write_claim(NETWORK, tmp_path).read_bytes()) == NETWORK
    assert claim_in(tmp_path)["claim"]["epsilon"] == 1.8
    monkeypatch.setenv("TRUSTPLANE_OUTPUT", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError):
        write_claim(NETWORK)
    monkeypatch.delenv("TRUSTPLANE_OUTPUT")
    with pytest.raises(BadInput) as caught:
        write_claim(NETWORK)
    assert caught.value.code == "TP-RUN-050"


@pytest.mark.parametrize("epsilon", [0.01, 1.0, 20.0])
def test_what_the_regression_claims_is_counted_again_to_the_same(epsilon) -> None:
    random = np.random.default_rng(0)
    rows = random.uniform(0, 1, (50, 1))
    claim = fit_logistic(rows, (rows[:, 0] > 0.5).astype(int), epsilon, Bounds((0.0,), (1.0,))).claim
    verdict = judged(claim, 30.0)
    assert isinstance(verdict, Passed)
    assert verdict.figures["counted_epsilon"] == pytest.approx(epsilon)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"epsilon": 1.0}, "its parameters spend 1.7"),
        ({"epsilon": 12.0}, "above the limit"),
        ({"predictable": True}, "came from a seed"),
        ({"delta": 1e-4}, "allows to tell a whole row"),
        ({"mechanism": "magic"}, "no mechanism that can be counted again"),
        ({"parameters": {"steps": 3.0}}, "no mechanism that can be counted again"),
        ({"parameters": STEPS | {"sampling_rate": 2.0}}, "no mechanism that can be counted again"),
        ({"mechanism": "objective-perturbation", "parameters": {"noise_rate": 9.0, "strength": 0.1}}, "spend 18"),
    ],
)
def test_a_claim_that_does_not_hold_fails(changes, why) -> None:
    assert isinstance(judged(NETWORK), Passed)
    verdict = judged(msgspec.structs.replace(NETWORK, **changes))
    assert isinstance(verdict, Failed)
    assert why in verdict.reason


@pytest.mark.parametrize(
    "change", [{"epsilon": -1}, {"delta": 1}, {"rows": 0}, {"epsilon": "low"}, {"more": 1}, {"epsilon": 1e999}]
)
def test_what_is_no_claim_is_refused(change) -> None:
    said = json.dumps(msgspec.to_builtins(NETWORK) | change).encode()
    with pytest.raises(BadInput) as caught:
        read_claim(said)
    assert caught.value.code == "TP-RUN-051"


def test_a_claim_too_large_is_refused_unread(tmp_path) -> None:
    (tmp_path / "privacy.json").write_bytes(b" " * (SIZE + 1))
    with pytest.raises(BadInput):
        claim_in(tmp_path)
