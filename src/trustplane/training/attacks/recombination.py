"""Evolutionary recombination, after MOEVA (Simonetto et al., arXiv 2112.01156): children of the best row, of other people's rows, and of level moves.

Every child of every row is made, repaired and scored at once. How often each way of making children has won decides how often it is used.
"""

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import AttackDescriptor, Task
from trustplane.training.attacks.coordinate import improve
from trustplane.training.attacks.levels import Ladder, ladder_of, levels_of
from trustplane.training.attacks.space import repaired

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]
CHILDREN = 32
MOST_DONORS = 2000
_WAYS = ("copy", "part", "level", "back")
DESCRIPTOR = AttackDescriptor(
    "recombination", "mixes rows with those of other people and keeps what the model likes best"
)


class Recombination:
    """Generations of children, the best of which is the parent of the next."""

    @property
    def descriptor(self) -> AttackDescriptor:
        """What this attack is."""
        return DESCRIPTOR

    def run(self, task: Task) -> Floats:
        """The best row found for each."""
        space, random = task.space, np.random.default_rng(task.seed)
        best = task.start.copy()
        units = len(space.moves) + len(space.groups)
        if not units or not len(task.background):
            return best
        ladder = ladder_of(levels_of(space, task.background, task.cuts))
        donors = task.background[:MOST_DONORS]
        scores = task.score(best)
        liking = np.ones(units)
        ways = np.ones(len(_WAYS))
        for _ in range(max(1, task.queries // CHILDREN)):
            live = np.flatnonzero(scores >= task.threshold)
            if not len(live):
                break
            of = np.repeat(live, CHILDREN)
            way = random.choice(len(_WAYS), len(of), p=ways / ways.sum())
            rows = _children(task, best[of], of, (way, liking, ladder, donors), random)
            fixed, good = repaired(space, task.origins[of], rows)
            before = best[live].copy()
            worst = scores[live].copy()
            improve(task, fixed[good], of[good], best, scores)
            _learn(task, liking, before != best[live], worst > scores[live])
            _learn_ways(ways, way, of, fixed, best)
        return best


_Pool = tuple[Ints, Floats, Ladder, Floats]


def _children(task: Task, parents: Floats, of: Ints, pool: _Pool, random: np.random.Generator) -> Floats:
    way, liking, ladder, donors = pool
    columns, groups = task.space.moves, task.space.groups
    rows, count = parents.copy(), len(parents)
    donor = random.integers(0, len(donors), count)
    chance = liking / liking.sum()
    for turn in range(4):
        # one to four units each, the fewer the likelier
        some = np.flatnonzero(random.random(count) < (1.0, 0.7, 0.4, 0.25)[turn])
        unit = random.choice(len(liking), len(some), p=chance)
        mine, place = some[unit < len(columns)], unit[unit < len(columns)]
        at = columns[place]
        old, kind = parents[mine, at], way[mine]
        given = donors[donor[mine], at]
        made = np.where(kind == 1, old + (given - old) * random.random(len(mine)), given)
        made = np.where(kind == 2, ladder.moved(place, old, random), made)
        rows[mine, at] = np.where(kind == 3, task.origins[of[mine], at], made)
        for number, group in enumerate(groups):
            mine = some[unit == len(columns) + number]
            back = (way[mine] == 3)[:, None]
            rows[mine[:, None], group] = np.where(
                back, task.origins[of[mine][:, None], group], donors[donor[mine][:, None], group]
            )
    return rows


def _learn(task: Task, liking: Floats, changed: Truths, won: Truths) -> None:
    """Units that changed where a row got better are tried more often."""
    moved = changed & won[:, None]
    each = [moved[:, task.space.moves].mean(axis=0)] + [[moved[:, g].any(axis=1).mean()] for g in task.space.groups]
    liking *= 0.9
    liking += 0.1 * (0.2 + 4.0 * np.concatenate(each))


def _learn_ways(ways: Floats, way: Ints, of: Ints, rows: Floats, best: Floats) -> None:
    won = (rows == best[of]).all(axis=1)
    for number in range(len(ways)):
        tried = way == number
        if tried.any():
            ways[number] = max(0.05, 0.9 * ways[number] + 2.0 * float(won[tried].mean()))
