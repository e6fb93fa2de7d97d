"""The ensemble: cheap attacks on every row, strong ones on those that stand, then the way back to where the evasion is nearest.

After AutoAttack (arXiv 2003.01690) and CAA (arXiv 2406.00775). Every row that counts was let pass by the validator.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.archive import Archive
from trustplane.training.attacks.contract import Attack, Model, Task
from trustplane.training.attacks.coordinate import Coordinate
from trustplane.training.attacks.gradient import GradientSteps
from trustplane.training.attacks.guard import Meter, OutOfTime, guarded, probabilities, run_until
from trustplane.training.attacks.nearing import Nearing
from trustplane.training.attacks.recombination import Recombination
from trustplane.training.attacks.space import Space, space_of
from trustplane.training.attacks.transfer import Transfer
from trustplane.training.threats.model import Knowledge, ThreatModel
from trustplane.values.errors import BadInput, TrustplaneError

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try: ``queries`` for each row and attack at most, ``seconds`` for all of it together, and the seed.

    The figures are the same for the same seed unless the seconds run out.
    """

    queries: int = 1200
    seconds: float = 60.0
    seed: int = 0
    near: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack came to. Arrays have shape (rows,) or (rows, features).

    ``right`` are the rows that the model gets right as they are: those that are attacked. ``evaded`` are those of them with a valid evasion, which
    stands in ``evasions``, ``distance`` away; elsewhere ``evasions`` holds the row itself. ``invalid`` counts offers that the validator turned down.
    """

    space: Space = field(repr=False)
    origins: Floats = field(repr=False)
    right: Truths = field(repr=False)
    evaded: Truths = field(repr=False)
    evasions: Floats = field(repr=False)
    distance: Floats = field(repr=False)
    won_by: dict[str, int]
    queries: int
    seconds: float
    out_of_time: bool
    invalid: int

    @property
    def robust_accuracy(self) -> float:
        """The share of all rows that are right as they are and have no evasion; 1 where there are no rows."""
        return float((self.right & ~self.evaded).mean()) if len(self.right) else 1.0

    @property
    def clean_accuracy(self) -> float:
        """The share of rows that are right as they are; 1 where there are no rows."""
        return float(self.right.mean()) if len(self.right) else 1.0

    @property
    def success(self) -> float:
        """The share of the rows that are right for which there is an evasion; 0 where none is right."""
        return float(self.evaded.sum() / max(1, self.right.sum()))


def attack(
    model: Model,
    threat: ThreatModel,
    names: Sequence[str],
    rows: Floats,
    background: Floats,
    effort: Effort = Effort(),
    extra: Sequence[Attack] = (),
) -> Outcome:
    """Attack ``rows`` of shape (rows, features), all of the class ``threat.goal.start``; return by the deadline.

    ``background`` are rows that the attacker may have seen, those of the other class first. ``extra`` attacks run after the built-in ones
    on what still stands. Raises :class:`BadInput` where the rows do not fit or the model gives no probabilities.
    """
    rows, background = _numbers(rows, names), _numbers(background, names)
    space = space_of(threat, names)
    meter = Meter(time.monotonic() + effort.seconds)
    asked = guarded(_as_seen(model, threat), meter)
    archive = Archive(space, rows, _below(model, threat), asked)
    right = np.zeros(len(rows), bool)
    done = run_until(lambda: _look(archive, asked, right, model, threat), meter)
    won_by: dict[str, int] = {}
    for each, queries in _plan(threat, model, effort, extra):
        if not done:
            break
        before = int(archive.found.sum())
        done = _run(each, queries, (archive, asked, right), (model, threat, background, effort.seed), meter)
        won_by[each.descriptor.name] = won_by.get(each.descriptor.name, 0) + int(archive.found.sum()) - before
    archive.close()
    evaded = archive.found & right
    evasions = np.where(evaded[:, None], archive.evasions, rows)
    distance = np.where(evaded, archive.distance, np.nan)
    taken = effort.seconds - meter.left
    return Outcome(
        space, rows, right, evaded, evasions, distance, won_by, meter.queries, taken, not done, archive.invalid
    )


def _numbers(rows: Floats, names: Sequence[str]) -> Floats:
    """As float32 holds them, since that is what models compute with."""
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise BadInput("TP-RUN-042", f"the rows have the shape {rows.shape}, there are {len(names)} names of features")
    single: Floats = rows.astype(np.float32).astype(np.float64)
    if not np.isfinite(single).all():
        raise BadInput("TP-RUN-046", "rows to attack have gaps or no numbers")
    return single


def _as_seen(model: Model, threat: ThreatModel) -> Callable[[Floats], Floats]:
    """The score of the class that the attacker starts from, or just whether it is predicted."""
    start, line = threat.goal.start, _line(model, threat)

    def scores(rows: Floats) -> Floats:
        said = probabilities(model.score(rows), len(rows))
        said = said if start == 1 else 1.0 - said
        if threat.knowledge is Knowledge.LABELS:
            return (said >= line).astype(np.float64)
        return said

    return scores


def _line(model: Model, threat: ThreatModel) -> float:
    """The score of the start class below which a row counts as evading."""
    if threat.goal.start == 1:
        return model.threshold - threat.goal.margin
    # class 0 is predicted below the threshold; to leave it the score must reach it
    return float(np.nextafter(1.0 - model.threshold - threat.goal.margin, 2.0))


def _below(model: Model, threat: ThreatModel) -> float:
    return 0.5 if threat.knowledge is Knowledge.LABELS else _line(model, threat)


def _look(
    archive: Archive, asked: Callable[[Floats], Floats], right: Truths, model: Model, threat: ThreatModel
) -> None:
    scores = asked(archive.origins)
    plain = scores if threat.knowledge is not Knowledge.LABELS else scores - 0.5 + _line(model, threat)
    right[:] = plain >= _line(model, threat) + threat.goal.margin
    archive.lowest[:] = scores


def _plan(threat: ThreatModel, model: Model, effort: Effort, extra: Sequence[Attack]) -> list[tuple[Attack, int]]:
    """The attacks in their order, each with the queries that it may make for a row."""
    few, many = max(1, effort.queries // 8), effort.queries
    if threat.knowledge is Knowledge.LABELS:
        plan: list[tuple[Attack, int]] = [(Transfer(), few), (Recombination(), many)]
    else:
        plan = [(GradientSteps(), few)] if threat.knowledge is Knowledge.WHITE_BOX and model.gradient else []
        plan += [(Coordinate(), few), (Recombination(), few), (Coordinate(), many), (Recombination(), many)]
    plan += [(each, many) for each in extra]
    return [*plan, (Nearing(), few)] if effort.near else plan


_Held = tuple[Archive, Callable[[Floats], Floats], Truths]
_About = tuple[Model, ThreatModel, Floats, int]


def _run(each: Attack, queries: int, held: _Held, about: _About, meter: Meter) -> bool:
    """Run one attack on the rows that stand, or those that fell where it makes evasions nearer; return whether it came to an end in time."""
    archive, asked, right = held
    model, threat, background, seed = about
    near = isinstance(each, Nearing)
    which = np.flatnonzero(archive.found & right if near else right & ~archive.found)
    if not len(which):
        return True
    white = threat.knowledge is Knowledge.WHITE_BOX
    sign = 1.0 if threat.goal.start == 1 else -1.0
    gradient = model.gradient
    task = Task(
        archive.space,
        archive.origins[which],
        archive.evasions[which] if near else archive.nearest[which],
        background,
        asked,
        lambda rows, of: archive.offer(rows, which[np.asarray(of, np.int64)]),
        (lambda rows: sign * gradient(rows)) if white and gradient is not None else None,
        model.cuts if white else None,
        archive.threshold,
        model.votes,
        queries,
        seed,
    )

    def work() -> None:
        archive.offer(_answer(each, task), which)

    return run_until(work, meter)


def _answer(each: Attack, task: Task) -> Floats:
    name = each.descriptor.name
    try:
        found = np.asarray(each.run(task), np.float64)
    except (TrustplaneError, OutOfTime):
        raise
    except Exception as error:  # a plug-in may raise anything; the engine names it
        raise BadInput(
            "TP-RUN-044", f"the attack {name!r} raised {type(error).__name__}", why=str(error)[:300]
        ) from error
    if found.shape != task.origins.shape:
        raise BadInput("TP-RUN-044", f"the attack {name!r} gave the shape {found.shape} for {task.origins.shape}")
    return found
