"""Gradient steps with projection and repair, after CAPGD (Simonetto et al., arXiv 2406.00775): for models whose inside is known and smooth."""

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import AttackDescriptor, Gradient, Task
from trustplane.training.attacks.coordinate import improve
from trustplane.training.attacks.space import Space, repaired
from trustplane.training.threats.model import Knowledge, Norm

Floats = npt.NDArray[np.float64]
STEPS, FIRST = 12, 1.0
DESCRIPTOR = AttackDescriptor(
    "gradient", "steps along the gradient, back into the threat model after each", Knowledge.WHITE_BOX
)


class GradientSteps:
    """Steps that get shorter, with restarts from random rows of the ball; the walk itself is not rounded, what is scored is."""

    @property
    def descriptor(self) -> AttackDescriptor:
        """What this attack is."""
        return DESCRIPTOR

    def run(self, task: Task) -> Floats:
        """The best row found for each; the start where there is no gradient."""
        best = task.start.copy()
        if task.gradient is None:
            return best
        random = np.random.default_rng(task.seed)
        scores = task.score(best)
        for restart in range(max(1, min(4, task.queries // STEPS))):
            live = np.flatnonzero(scores >= task.threshold)
            if not len(live):
                break
            walk = best[live].copy()
            if restart:
                walk += _noise(task, walk.shape, random)
            for step in range(STEPS):
                walk = walked(task.space, task.gradient, task.origins[live], walk, FIRST * (1 - step / STEPS))
                rows, good = repaired(task.space, task.origins[live], walk)
                improve(task, rows[good], live[good], best, scores)
                still = scores[live] >= task.threshold
                live, walk = live[still], walk[still]
                if not len(live):
                    break
        return best


def walked(space: Space, slope_at: Gradient, origins: Floats, walk: Floats, share: float) -> Floats:
    """One step of ``share`` of the budget downhill, by the scaled columns that move, and back into the ball and the bounds."""
    columns = space.moves
    scale, reach = space.scale[columns], space.distance_allowed
    slope = slope_at(walk)[:, columns] * scale
    at = (walk[:, columns] - origins[:, columns]) / scale
    low = (np.minimum(space.low, origins)[:, columns] - origins[:, columns]) / scale
    high = (np.maximum(space.high, origins)[:, columns] - origins[:, columns]) / scale
    low, high = np.where(space.up[columns], 0.0, low), np.where(space.down[columns], 0.0, high)
    # what is at its end already cannot move further, and would use up the step of the others
    stuck = ((at <= low) & (slope > 0)) | ((at >= high) & (slope < 0))
    slope = np.where(stuck, 0.0, slope)
    if space.threat.budget.norm is Norm.LINF:
        at = np.clip(at - share * reach * np.sign(slope), -reach, reach)
    else:
        size = np.sqrt((slope**2).sum(axis=1, keepdims=True))
        at -= share * reach * slope / np.maximum(size, 1e-12)
        at *= np.minimum(1.0, reach / np.maximum(np.sqrt((at**2).sum(axis=1, keepdims=True)), 1e-12))
    moved = walk.copy()
    moved[:, columns] = origins[:, columns] + np.clip(at, low, high) * scale
    for column, value in space.derived:
        moved[:, column] = value(moved)
    return moved


def _noise(task: Task, shape: tuple[int, ...], random: np.random.Generator) -> Floats:
    columns, made = task.space.moves, np.zeros(shape)
    drawn = random.normal(size=(shape[0], len(columns)))
    drawn *= task.space.distance_allowed * 0.5 / np.maximum(np.sqrt((drawn**2).sum(axis=1, keepdims=True)), 1e-12)
    made[:, columns] = drawn * task.space.scale[columns]
    return made
