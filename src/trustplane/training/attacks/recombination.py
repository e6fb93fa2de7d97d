"""Evolutionary recombination, after MOEVA (Simonetto et al., arXiv 2112.01156): children of the best row, of other people's rows, and of level moves.

Every child of every row is made, repaired and scored at once. How often each way of making children has won decides how often it is used.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import AttackDescriptor, Task
from trustplane.training.attacks.coordinate import improve
from trustplane.training.attacks.levels import levels_of
from trustplane.training.attacks.space import repaired

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CHILDREN = 32
MOST_DONORS = 2000
_WAYS = ("copy", "part", "level", "back")
DESCRIPTOR = AttackDescriptor("recombination", "mixes rows with those of other people and keeps what the model likes best")


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
        units = [np.array([c]) for c in space.moves.tolist()] + list(space.groups)
        if not units or not len(task.background):
            return best
        levels = levels_of(space, task.background, task.cuts)
        donors = task.background[:MOST_DONORS]
        scores = task.score(best)
        liking = np.ones(len(units))
        ways = np.ones(len(_WAYS))
        for _ in range(max(1, task.queries // CHILDREN)):
            live = np.flatnonzero(scores >= task.threshold)
            if not len(live):
                break
            of = np.repeat(live, CHILDREN)
            way = random.choice(len(_WAYS), len(of), p=ways / ways.sum())
            rows = _children(task, best[of], of, (way, units, liking, levels, donors), random)
            fixed, good = repaired(space, task.origins[of], rows)
            before = best[live].copy()
            worst = scores[live].copy()
            improve(task, fixed[good], of[good], best, scores)
            _learn(units, liking, before, best[live], worst - scores[live])
            _learn_ways(ways, way, of, fixed, best)
        return best


_Pool = tuple[Ints, list[Ints], Floats, Mapping[int, Floats], Floats]


def _children(task: Task, parents: Floats, of: Ints, pool: _Pool, random: np.random.Generator) -> Floats:
    way, units, liking, levels, donors = pool
    rows, count = parents.copy(), len(parents)
    donor = donors[random.integers(0, len(donors), count)]
    chance = liking / liking.sum()
    for turn in range(4):
        # one to four units each, the fewer the likelier
        some = np.flatnonzero(random.random(count) < (1.0, 0.7, 0.4, 0.25)[turn])
        unit = random.choice(len(units), len(some), p=chance)
        share = random.random(len(some))
        for number in np.unique(unit):
            mine = some[unit == number]
            columns = units[number]
            _move(task, rows, parents, (mine, columns, of), (way, donor, levels, share[unit == number]), random)
    return rows


def _move(
    task: Task,
    rows: Floats,
    parents: Floats,
    where: tuple[Ints, Ints, Ints],
    by: tuple[Ints, Floats, Mapping[int, Floats], Floats],
    random: np.random.Generator,
) -> None:
    mine, columns, of = where
    way, donor, levels, share = by
    given, old = donor[np.ix_(mine, columns)], parents[np.ix_(mine, columns)]
    home = task.origins[np.ix_(of[mine], columns)]
    kind = way[mine][:, None]
    made = np.where(kind == 1, old + (given - old) * share[:, None], given)
    made = np.where(kind == 3, home, made)
    if len(columns) == 1 and len(levels.get(int(columns[0]), ())):
        known = levels[int(columns[0])]
        near = np.searchsorted(known, old[:, 0]) + random.integers(-4, 5, len(mine))
        far = random.integers(0, len(known), len(mine))
        place = np.clip(np.where(random.random(len(mine)) < 0.7, near, far), 0, len(known) - 1)
        made = np.where(kind == 2, known[place][:, None], made)
    rows[np.ix_(mine, columns)] = made


def _learn(units: list[Ints], liking: Floats, before: Floats, after: Floats, won: Floats) -> None:
    """Units that changed where a row got better are tried more often."""
    for number, columns in enumerate(units):
        changed = (before[:, columns] != after[:, columns]).any(axis=1)
        liking[number] = 0.9 * liking[number] + 0.1 * (0.2 + 4.0 * float(np.mean(changed & (won > 0))))


def _learn_ways(ways: Floats, way: Ints, of: Ints, rows: Floats, best: Floats) -> None:
    won = (rows == best[of]).all(axis=1)
    for number in range(len(ways)):
        tried = way == number
        if tried.any():
            ways[number] = max(0.05, 0.9 * ways[number] + 2.0 * float(won[tried].mean()))
