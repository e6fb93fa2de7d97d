"""The way back: evasions brought nearer to where they came from, by undoing moves and by going a part of the way."""

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import AttackDescriptor, Task
from trustplane.training.attacks.space import distances, repaired

Floats = npt.NDArray[np.float64]
ROUNDS, TRIES = 4, 8
DESCRIPTOR = AttackDescriptor("nearing", "brings evasions that were found nearer to the rows they were made of")


class Nearing:
    """Its start rows evade already."""

    @property
    def descriptor(self) -> AttackDescriptor:
        """What this attack is."""
        return DESCRIPTOR

    def run(self, task: Task) -> Floats:
        """For each row the nearest evasion that was found."""
        random, best = np.random.default_rng(task.seed), task.start.copy()
        origins, count = task.origins, len(task.origins)
        for _ in range(min(ROUNDS, max(1, task.queries // TRIES))):
            of = np.repeat(np.arange(count), TRIES)
            rows, home = best[of], origins[of]
            undone = (random.random(rows.shape) < random.choice([0.1, 0.3, 0.6], len(rows))[:, None]) & (rows != home)
            part = home + (rows - home) * random.choice([0.3, 0.6, 0.8, 0.9], len(rows))[:, None]
            tried = np.where((np.arange(len(rows)) % 2 == 0)[:, None], np.where(undone, home, rows), part)
            fixed, good = repaired(task.space, home, tried)
            fixed, of = fixed[good], of[good]
            away, now = distances(task.space, origins[of], fixed), distances(task.space, origins, best)
            nearer = (away < now[of]) & (away > 0)
            fixed, of, away = fixed[nearer], of[nearer], away[nearer]
            if not len(of):
                continue
            won = task.score(fixed) < task.threshold
            fixed, of, away = fixed[won], of[won], away[won]
            task.offer(fixed, of)
            order = np.lexsort((away, of))
            first = order[np.unique(of[order], return_index=True)[1]]
            best[of[first]] = fixed[first]
        return best
