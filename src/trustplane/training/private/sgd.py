"""Networks trained by noisy steps of clipped gradients (Abadi et al. 2016), with Opacus."""

import secrets
import warnings
from dataclasses import dataclass
from typing import Any

from trustplane.training.private.accounting import noise_for, spent_by_steps
from trustplane.training.private.claims import STEPS, Claim
from trustplane.values.errors import BadInput, Unavailable


@dataclass(frozen=True, slots=True)
class PrivateSteps:
    """How a network is trained: the privacy that it may cost, and how its steps are made.

    Each step samples every row with the probability ``batch`` over rows, clips the gradient of each row to the norm ``clip``, and adds noise.
    """

    epsilon: float
    delta: float
    epochs: int = 10
    batch: int = 256
    clip: float = 1.0
    rate: float = 1e-2


def train_module(module: Any, features: Any, label: Any, steps: PrivateSteps) -> Claim:
    """Train a PyTorch module of one output, the log-odds of class 1, in place; return what it cost, counted by Rényi differential privacy.

    ``features`` and ``label`` are arrays of shape (rows, features) and (rows,). The loss is the logarithmic one, the steps are Adam's. Noise and
    samples are drawn from generators that the operating system seeds, since ``torch.manual_seed`` with the seed of the run, which is on
    record, would let anybody take the noise off again. Raises :class:`Unavailable` (TP-SETUP-001) without PyTorch and Opacus.
    """
    torch, opacus = _libraries()
    _check(steps, len(features))
    noise, sampling = (torch.Generator().manual_seed(secrets.randbits(63)) for _ in range(2))
    rows = torch.utils.data.TensorDataset(
        torch.as_tensor(features, dtype=torch.float32), torch.as_tensor(label, dtype=torch.float32)
    )
    data = torch.utils.data.DataLoader(rows, batch_size=min(steps.batch, len(rows)), generator=sampling)
    share, taken = 1 / len(data), len(data) * steps.epochs
    multiplier = noise_for(steps.epsilon, steps.delta, share, taken)
    module.train()
    with warnings.catch_warnings():
        # it asks for a cryptographic generator from a package that PyTorch has outgrown
        warnings.filterwarnings("ignore", "Secure RNG turned off")
        engine = opacus.PrivacyEngine(accountant="rdp")
    loss = torch.nn.BCEWithLogitsLoss()
    private, optimiser, loader = engine.make_private(
        module=module,
        optimizer=torch.optim.Adam(module.parameters(), lr=steps.rate),
        data_loader=data,
        noise_multiplier=multiplier,
        max_grad_norm=steps.clip,
        noise_generator=noise,
    )
    for _ in range(steps.epochs):
        for some, came in loader:
            optimiser.zero_grad()
            # rows ask for gradients, as PyTorch warns where a module's input asks for none
            loss(private(some.requires_grad_()).reshape(-1), came).backward()
            optimiser.step()
    ((used, sampled, made),) = engine.accountant.history
    # the module itself is the caller's again
    private.remove_hooks()
    module.eval()
    spent = spent_by_steps(used, sampled, made, steps.delta)
    parameters = {"noise_multiplier": used, "sampling_rate": sampled, "steps": float(made), "clip": steps.clip}
    return Claim(STEPS, spent, steps.delta, "one row more or less", len(rows), "RDP", parameters)


def _check(steps: PrivateSteps, rows: int) -> None:
    positive = (steps.epsilon, steps.epochs, steps.batch, steps.clip, steps.rate, rows)
    if any(not number > 0 for number in positive) or not 0 < steps.delta < 1:
        raise BadInput(
            "TP-RUN-052", "epsilon, epochs, batch, clip and rate are above 0, and delta lies between 0 and 1"
        )


def _libraries() -> tuple[Any, Any]:
    try:
        import opacus
        import torch
    except ImportError as error:
        raise Unavailable(
            "TP-SETUP-001", "PyTorch or Opacus is not installed: they come with trustplane[torch]"
        ) from error
    return torch, opacus
