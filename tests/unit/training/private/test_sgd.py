"""Networks trained privately, with Opacus."""

import msgspec
import numpy as np
import pytest
import torch

from trustplane.training.private.claims import judge_claim
from trustplane.training.private.sgd import PrivateSteps, train_module
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Passed

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.uniform(-1, 1, (600, 3))
LABEL = (ROWS[:, 0] > ROWS[:, 1]).astype(int)


def network():
    torch.manual_seed(7)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))


def test_a_network_learns_within_its_epsilon_and_the_claim_holds() -> None:
    module = network()
    claim = train_module(module, ROWS, LABEL, PrivateSteps(8.0, 1e-4, epochs=6, batch=60, rate=0.05))
    assert 7.9 < claim.epsilon <= 8.0
    assert claim.parameters["steps"] == 60
    assert isinstance(judge_claim(msgspec.to_builtins(claim), 10.0), Passed)
    with torch.no_grad():
        said = module(torch.as_tensor(ROWS, dtype=torch.float32))[:, 0].numpy() > 0
    assert (said == LABEL).mean() > 0.8
    assert not module.training


def test_the_seed_of_the_run_does_not_give_the_noise_away() -> None:
    trained = []
    for _ in range(2):
        module = network()
        train_module(module, ROWS, LABEL, PrivateSteps(1.0, 1e-4, epochs=1, batch=300))
        trained.append(module[0].weight.detach().numpy().copy())
    assert (trained[0] != trained[1]).all()


def test_steps_out_of_bounds_are_refused() -> None:
    for steps in (PrivateSteps(0.0, 1e-5), PrivateSteps(1.0, 1.0), PrivateSteps(1.0, 1e-5, batch=0)):
        with pytest.raises(BadInput) as caught:
            train_module(network(), ROWS, LABEL, steps)
        assert caught.value.code == "TP-RUN-052"
