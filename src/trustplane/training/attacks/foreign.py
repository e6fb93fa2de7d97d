"""Attacks of other libraries, or any function, as attacks of ours: they go through the same validator.

ART and foolbox perturb rows without knowing of a threat model, so their rows can be repaired before they are judged.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import AttackDescriptor, Task
from trustplane.training.attacks.space import repaired
from trustplane.training.threats.model import Knowledge

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Foreign:
    """``make(rows)`` gives one row for each row, as ``generate`` of an attack of ART does.

    With ``repair`` its rows are brought back into the threat model; without, they count only if they lie in it as they are.
    """

    name: str
    make: Callable[[Floats], Any] = field(repr=False)
    repair: bool = True

    @property
    def descriptor(self) -> AttackDescriptor:
        """What this attack is."""
        return AttackDescriptor(self.name, "an attack of another library", Knowledge.SCORES)

    def run(self, task: Task) -> Floats:
        """What the other library makes of the origins; where that cannot be repaired, the row it started from."""
        made = np.asarray(self.make(task.origins.astype(np.float32)), np.float64)
        if not self.repair or made.shape != task.origins.shape:
            return made
        fixed, good = repaired(task.space, task.origins, np.where(np.isfinite(made), made, task.origins))
        return np.where(good[:, None], fixed, task.start)


def from_art(attack: Any, *, repair: bool = True) -> Foreign:
    """An evasion attack of the Adversarial Robustness Toolbox, set up with its own estimator."""
    return Foreign(f"art-{type(attack).__name__}", lambda rows: attack.generate(x=rows), repair)


def from_foolbox(
    attack: Any, model: Any, start: int = 1, *, epsilon: float | None = None, repair: bool = True
) -> Foreign:
    """An attack of foolbox on a model of foolbox."""

    def make(rows: Floats) -> Any:
        import torch

        labels = torch.full((len(rows),), start)
        _, clipped, _ = attack(model, torch.from_numpy(np.asarray(rows, np.float32)), labels, epsilons=epsilon)
        return clipped.detach().cpu().numpy()

    return Foreign(f"foolbox-{type(attack).__name__}", make, repair)
