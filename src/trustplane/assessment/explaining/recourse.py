"""What a person who was decided about unfavourably could change, within a threat model's means, to be decided about favourably.

A threat model says what can be changed, how far and at which cost, whoever changes it; so the search is the attack engine's, and the same
validator judges what it finds. What a person cannot change, and what a decision must not turn on, stays as it is.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Floats, Matrix
from trustplane.training.attacks.contract import Model
from trustplane.training.attacks.engine import Effort, attack
from trustplane.training.attacks.space import Space, distances, price, repaired
from trustplane.training.threats.expressions import names_in
from trustplane.training.threats.model import Goal, Knowledge, ThreatModel
from trustplane.training.threats.validator import validate

MOST_OPTIONS = 3
FEWEST = (1, 2, 3)
"""So many features are changed at most, tried in turn before any number is: few changes are easier to make than many."""
_PARTS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97)
_ROUNDS = 12
MOST_TRIED, CELLS = 128, 4_000_000
"""So many changes of a row are made smaller in a round, and so many numbers held at a time: there may be thousands of features."""
Ints = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Option:
    """A row that would be decided about favourably, of shape (features,); ``cost`` and ``distance`` are by the threat model's scales.

    ``changed`` are the columns that differ, ``lead`` the one of them that costs most.
    """

    row: Floats = field(repr=False)
    changed: tuple[int, ...]
    lead: int
    cost: float
    distance: float
    score: float


@dataclass(frozen=True, slots=True)
class Sought:
    """The options of each row, those of least cost first. ``complete`` says that the search ended in time: what it did not find by then is not there to find."""

    options: tuple[tuple[Option, ...], ...]
    complete: bool


def of_person(threat: ThreatModel, fixed: Collection[str], favourable: int) -> ThreatModel:
    """The threat model as it binds somebody who wants the class ``favourable`` and can change none of the features ``fixed``.

    What such a feature follows from stays too, and a one-hot group stays as a whole. The goal has no margin, and the model's inside is known:
    who asks is not the attacker.
    """
    still = set(fixed)
    while True:
        more = {name for d in threat.derived if d.feature in still for name in names_in(d.expression)}
        more |= {name for g in threat.groups if still & set(g.features) for name in g.features}
        if more <= still:
            break
        still |= more
    features = tuple(replace(f, mutable=f.mutable and f.name not in still) for f in threat.features)
    return replace(threat, features=features, goal=Goal(1 - favourable), knowledge=Knowledge.WHITE_BOX)


def seek(
    model: Model,
    threat: ThreatModel,
    names: Sequence[str],
    rows: Matrix,
    background: Matrix,
    effort: Effort,
    most: int = 1,
    fixed: Collection[str] = (),
) -> Sought:
    """Look for options of ``rows``, of shape (rows, features) and without gaps, all decided about as ``threat.goal.start``.

    ``threat`` is that of :func:`of_person`; ``background`` are rows that are decided about favourably. No two of a row's options change the same
    features, nor all that another one changes and more. ``fixed`` are compared with what they were once more at the end.
    """
    search = _Search(model, threat, tuple(names), rows.astype(np.float64), background.astype(np.float64), effort)
    pools: list[list[Option]] = [[] for _ in rows]
    everywhere = np.arange(len(rows))
    for few in _numbers(threat.budget.features):
        left = everywhere if most > 1 else np.array([n for n in everywhere if not pools[n]], np.int64)
        search.run(left, few, (), pools)
    tried: set[tuple[int, tuple[str, ...]]] = set()
    for _ in range(most - 1):
        for without, which in _by_leads(pools, names, most, tried).items():
            search.run(which, None, without, pools)
    still = [n for n, name in enumerate(names) if name in set(fixed)]
    kept = (tuple(o for o in pool if (o.row[still] == rows[n, still]).all()) for n, pool in enumerate(pools))
    return Sought(tuple(_chosen(pool, most) for pool in kept), search.complete)


@dataclass(slots=True)
class _Search:
    model: Model
    threat: ThreatModel
    names: tuple[str, ...]
    rows: Floats
    background: Floats
    effort: Effort
    complete: bool = True
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.effort.seconds

    def run(self, which: Ints, few: int | None, without: Collection[str], pools: list[list[Option]]) -> None:
        """Add to the pools what is found for some rows, with at most ``few`` features changed and those in ``without`` as they are."""
        left = self.deadline - time.monotonic()
        if not len(which) or left <= 0:
            self.complete = self.complete and not len(which)
            return
        bound = self.threat
        if few is not None:
            bound = replace(bound, budget=replace(bound.budget, features=few))
        if without:
            bound = of_person(bound, without, 1 - bound.goal.start)
        if not bound.mutable:
            return
        effort = replace(self.effort, seconds=left, near=True)
        found = attack(self.model, bound, self.names, self.rows[which], self.background, effort)
        self.complete = self.complete and not found.out_of_time
        fell = np.flatnonzero(found.evaded)
        if not len(fell):
            return
        origins = found.origins[fell]
        made = cheapened(found.space, self.model, origins, found.evasions[fell])
        self._add(found.space, which[fell], origins, made, pools)

    def _add(self, space: Space, which: Ints, origins: Floats, made: Floats, pools: list[list[Option]]) -> None:
        valid = validate(space.threat, self.names, origins, made).valid
        scores = self.model.score(made)
        good = valid & _favourable(self.model, self.threat, scores)
        costs, away = price(space, origins, made), distances(space, origins, made)
        each = np.abs(made - origins) / space.scale * space.cost
        for n in np.flatnonzero(good).tolist():
            changed = tuple(np.flatnonzero(made[n] != origins[n]).tolist())
            lead = int(each[n].argmax())
            pools[which[n]].append(Option(made[n], changed, lead, float(costs[n]), float(away[n]), float(scores[n])))


def cheapened(space: Space, model: Model, origins: Floats, rows: Floats) -> Floats:
    """Rows that are decided about favourably, of shape (rows, features), brought to cost less: each change in turn is undone, or made smaller."""
    best, live = rows.copy(), np.arange(len(rows))
    many = max(1, CELLS // (rows.shape[1] * min(rows.shape[1], MOST_TRIED) * len(_PARTS)))
    for _ in range(_ROUNDS):
        parts = [_cheaper(space, model, origins, best, live[n : n + many]) for n in range(0, len(live), many)]
        live = np.concatenate(parts) if parts else live[:0]
        if not len(live):
            break
    return best


def _cheaper(space: Space, model: Model, origins: Floats, best: Floats, live: Ints) -> Ints:
    """One round for some rows of ``best``, in place; which of them got cheaper."""
    effort = np.abs(best[live] - origins[live]) / space.scale * (space.cost + 1e-9)
    least = np.sort(effort, axis=1)[:, -min(effort.shape[1], MOST_TRIED)]
    row, column = np.nonzero((effort > 0) & (effort >= least[:, None]))
    of = np.repeat(live[row], len(_PARTS))
    columns, part, at = np.repeat(column, len(_PARTS)), np.tile(_PARTS, len(row)), np.arange(len(of))
    home, tried = origins[of], best[of]
    tried[at, columns] = home[at, columns] + (tried[at, columns] - home[at, columns]) * part
    tried, good = repaired(space, home, tried)
    costs = price(space, home, tried)
    good &= (costs < price(space, home, best[of]) * (1 - 1e-3)) & (tried != home).any(axis=1)
    of, tried, costs = of[good], tried[good], costs[good]
    won = _favourable(model, space.threat, model.score(tried)) if len(of) else np.zeros(0, bool)
    of, tried, costs = of[won], tried[won], costs[won]
    order = np.lexsort((costs, of))
    first = order[np.unique(of[order], return_index=True)[1]]
    best[of[first]] = tried[first]
    return np.asarray(of[first])


def _favourable(model: Model, threat: ThreatModel, scores: Floats) -> Truths:
    return np.asarray((scores >= model.threshold).astype(np.int64) != threat.goal.start)


def _numbers(most: int | None) -> list[int | None]:
    """How many features may be changed, in turn: few first, at last as many as the budget lets."""
    return [n for n in FEWEST if most is None or n < most] + [most]


def _by_leads(
    pools: list[list[Option]], names: Sequence[str], most: int, tried: set[tuple[int, tuple[str, ...]]]
) -> dict[tuple[str, ...], Ints]:
    """The rows that still want options, by the features that lead those they have, for a search that goes without these."""
    found: dict[tuple[str, ...], list[int]] = {}
    for n, pool in enumerate(pools):
        chosen = _chosen(pool, most)
        leads = tuple(sorted({names[o.lead] for o in chosen}))
        if 0 < len(chosen) < most and (n, leads) not in tried:
            tried.add((n, leads))
            found.setdefault(leads, []).append(n)
    return {leads: np.array(which, np.int64) for leads, which in found.items()}


def _chosen(pool: Sequence[Option], most: int) -> tuple[Option, ...]:
    """The cheapest options of which none changes what another one does and nothing less."""
    chosen: list[Option] = []
    for option in sorted(pool, key=lambda o: (o.cost, len(o.changed), o.changed)):
        if len(chosen) < most and not any(set(o.changed) <= set(option.changed) for o in chosen):
            chosen.append(option)
    return tuple(chosen)
