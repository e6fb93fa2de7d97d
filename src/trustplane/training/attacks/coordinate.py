"""Coordinate moves: try each column by itself, then take together what pays best within the budget.

A score is nearly a sum over columns for linear models and additive trees, so what single moves win tells what a set of them wins. Choosing
one value for each column under a budget of squared distance is a multiple-choice knapsack; it is solved by its Lagrange
multiplier, one for each row, and the sets near the solution are then scored for real.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import AttackDescriptor, Task
from trustplane.training.attacks.levels import drawn, levels_of
from trustplane.training.attacks.space import limits, mended, repaired
from trustplane.training.threats.model import Norm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
VALUES = 4
CELLS = 4_000_000
MULTIPLIERS = np.geomspace(1e-3, 1e3, 25)
SETS = 10
DESCRIPTOR = AttackDescriptor(
    "coordinate", "tries each feature by itself, then sets of moves that pay best within the budget"
)


@dataclass(frozen=True, slots=True)
class _Scan:
    """For each row, column that moves and value tried: the value, what it wins, and what it adds to the squared distance."""

    value: Floats = field(repr=False)
    gain: Floats = field(repr=False)
    price: Floats = field(repr=False)


class Coordinate:
    """Scans and sets in turns, from the best row so far, until the queries are spent."""

    @property
    def descriptor(self) -> AttackDescriptor:
        """What this attack is."""
        return DESCRIPTOR

    def run(self, task: Task) -> Floats:
        """The best row found for each."""
        space, random = task.space, np.random.default_rng(task.seed)
        levels = levels_of(space, task.background, task.cuts)
        best = task.start.copy()
        if not len(space.moves):  # groups are left to recombination
            return best
        scores = task.score(best)
        per_round = len(space.moves) * VALUES + sum(map(len, space.groups)) + 2 * SETS
        for number in range(max(1, task.queries // per_round)):
            live = np.flatnonzero(scores >= task.threshold)
            if not len(live):
                break
            share = 1.0 if number == 0 else 0.6
            scan = _scan(task, levels, live, best[live], scores[live], random)
            for attempt in range(2):
                rows, of = _sets(task, scan, live, best[live], random, share if attempt == 0 else 0.6)
                improve(task, rows, live[of], best, scores)
        return best


def improve(task: Task, rows: Floats, of: Ints, best: Floats, scores: Floats) -> None:
    """Score ``rows`` made of ``origins[of]``, hand in those that evade, and keep for each origin the best."""
    if not len(rows):
        return
    said = task.score(rows)
    won = said < task.threshold
    if won.any():
        task.offer(rows[won], of[won])
    order = np.lexsort((said, of))
    first = order[np.unique(of[order], return_index=True)[1]]
    better = first[said[first] < scores[of[first]]]
    best[of[better]], scores[of[better]] = rows[better], said[better]


def link(task: Task, scores: Floats) -> Floats:
    """Scores on the scale on which the model adds up."""
    if task.votes:
        return scores
    clipped = np.clip(scores, 1e-8, 1 - 1e-8)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _scan(
    task: Task,
    levels: Mapping[int, Floats],
    live: Ints,
    current: Floats,
    scores: Floats,
    random: np.random.Generator,
) -> _Scan:
    space, origins = task.space, task.origins[live]
    low, high = limits(space, origins)
    reach = space.distance_allowed * np.where(np.isfinite(space.scale), space.scale, 0.0)
    low, high = np.maximum(low, origins - reach), np.minimum(high, origins + reach)
    count = len(live)
    values = np.full((count, len(space.moves), VALUES), np.nan)
    homes = np.repeat(origins, VALUES, axis=0)

    def tried(place: int, column: int) -> Floats:
        values[:, place] = drawn(levels[column], low[:, column], high[:, column], VALUES, random)
        block = np.repeat(current, VALUES, axis=0)
        made = values[:, place].reshape(-1)
        block[:, column] = np.where(np.isnan(made), block[:, column], made)
        return mended(space, homes, block, column).astype(np.float32)

    asked = (tried(place, column) for place, column in enumerate(space.moves.tolist()))
    said = np.concatenate(_in_parts(task.score, asked)).reshape(len(space.moves), count, VALUES).transpose(1, 0, 2)
    gain = link(task, scores)[:, None, None] - link(task, said)
    scale = space.scale[space.moves][None, :, None]
    start = origins[:, space.moves, None]
    price = ((values - start) / scale) ** 2 - ((current[:, space.moves, None] - start) / scale) ** 2
    gain, price = np.where(np.isnan(values), -np.inf, gain), np.where(np.isnan(values), 0.0, price)
    return _Scan(np.where(np.isnan(values), current[:, space.moves, None], values), gain, price)


def _in_parts(score: Callable[[Floats], Floats], blocks: Iterable[Floats]) -> list[Floats]:
    """Scores of blocks of rows, in few calls; no more than ``CELLS`` numbers and a block are held at a time."""
    found, held, size = [], list[Floats](), 0
    for block in blocks:
        held.append(block)
        size += block.size
        if size >= CELLS:
            found.append(score(np.concatenate(held)))
            held, size = [], 0
    if held:
        found.append(score(np.concatenate(held)))
    return found


def _sets(
    task: Task, scan: _Scan, live: Ints, current: Floats, random: np.random.Generator, share: float
) -> tuple[Floats, Ints]:
    """Sets of moves for each row: the fullest that the budget takes, and leaner ones; each column is left out with the chance 1 - ``share``."""
    space, origins = task.space, task.origins[live]
    gain = np.where(random.random(scan.gain.shape[:2])[:, :, None] < share, scan.gain, -np.inf)
    if space.threat.budget.norm is Norm.LINF or space.threat.budget.features is not None:
        picks = _by_rank(gain, scan.price)
    else:
        spent = (((current - origins) / space.scale) ** 2).sum(axis=1)
        picks = _by_multiplier(gain, scan.price, space.distance_allowed**2 - spent)
    rows, of = [], []
    for pick, taken in picks:
        made = current.copy()
        chosen = np.take_along_axis(scan.value, pick[:, :, None], axis=2)[:, :, 0]
        made[:, space.moves] = np.where(taken, chosen, current[:, space.moves])
        some = taken.any(axis=1)
        rows.append(made[some])
        of.append(np.flatnonzero(some))
    together, whose = np.concatenate(rows), np.concatenate(of)
    fixed, good = repaired(space, origins[whose], together)
    return fixed[good], whose[good]


def _by_multiplier(gain: Floats, price: Floats, room: Floats) -> list[tuple[Ints, npt.NDArray[np.bool_]]]:
    """For the multiplier at which a row's budget is just kept and some larger ones, the value of each column and whether it is taken.

    Gains are taken relative to the largest of the row, so that one grid of multipliers does for all.
    """
    most = np.max(np.where(np.isfinite(gain), gain, 0.0), axis=(1, 2), initial=1e-12)
    relative = gain / np.maximum(most, 1e-12)[:, None, None]
    worth = [relative - m * price for m in MULTIPLIERS]
    picks = [w.argmax(axis=2) for w in worth]
    taken = [np.take_along_axis(w, p[:, :, None], axis=2)[:, :, 0] > 0 for w, p in zip(worth, picks, strict=True)]
    costs = np.stack(
        [
            (np.take_along_axis(price, p[:, :, None], axis=2)[:, :, 0] * t).sum(axis=1)
            for p, t in zip(picks, taken, strict=True)
        ]
    )
    least = np.argmax(costs <= room[None, :], axis=0)
    found = []
    for step in (-3, -2, -1, 0, 1, 2, 4, 6, 9, 12)[:SETS]:
        which = np.clip(least + step, 0, len(MULTIPLIERS) - 1)
        rows = np.arange(len(which))
        found.append((np.stack(picks)[which, rows], np.stack(taken)[which, rows]))
    return found


def _by_rank(gain: Floats, price: Floats) -> list[tuple[Ints, npt.NDArray[np.bool_]]]:
    """The columns that win most, one, two, and more of them."""
    pick = (gain - 1e-9 * price).argmax(axis=2)
    each = np.take_along_axis(gain, pick[:, :, None], axis=2)[:, :, 0]
    rank = (-each).argsort(axis=1).argsort(axis=1)
    return [(pick, (rank < most) & (each > 0)) for most in (1, 2, 3, 4, 6, 8, 12, 16, 24, 10_000)]
