"""Hardening: several defences are tried on rows kept apart, and the most robust model that still ranks well is fitted to all rows.

Usable in the script of a run: it asks for no plane and no network.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import Model
from trustplane.training.attacks.engine import Effort, Outcome
from trustplane.training.attacks.figures import Weakness, weaknesses
from trustplane.training.attacks.models import open_model
from trustplane.training.hardening import descent
from trustplane.training.hardening.augmentation import adversarial_rounds, smoothed
from trustplane.training.hardening.fitting import can_be_monotone, fitted, monotone_signs
from trustplane.training.hardening.removal import removals
from trustplane.training.hardening.standing import Standing, Table, stand
from trustplane.training.threats.model import ThreatModel, fit
from trustplane.values.errors import BadInput, missing_extra

Floats = npt.NDArray[np.float64]
KEPT_APART = 0.25
LEAST_OF_CLASS = 20
_BACKGROUND = 3000


@dataclass(frozen=True, slots=True)
class Recipe:
    """What hardening may do. ``max_auc_loss`` is what the area under the curve may fall by; ``threshold`` that of the model as it is used today."""

    rounds: int = 3
    smoothing: bool = True
    removal: bool = True
    monotone: bool = True
    max_auc_loss: float = 0.02
    threshold: float = 0.5
    rows: int = 200
    effort: Effort = field(default_factory=lambda: Effort(queries=400, seconds=60.0, near=False))


@dataclass(frozen=True, slots=True)
class Hardened:
    """The model, fitted to all rows, and the score from which on it predicts 1.

    ``standings`` are the models that were tried, on rows kept apart from their fitting: the undefended one first. ``chosen`` is the one that was taken.
    ``advice`` are the features by which the undefended model gives way.
    """

    model: Any = field(repr=False)
    threshold: float
    chosen: Standing
    standings: tuple[Standing, ...] = field(repr=False)
    advice: tuple[Weakness, ...] = field(repr=False)

    @property
    def undefended(self) -> Standing:
        """The model as it would have been."""
        return self.standings[0]

    def plain(self) -> dict[str, Any]:
        """The report as JSON, for the outputs of a run."""
        return {
            "chosen": self.chosen.name,
            "threshold": self.threshold,
            "standings": [s.plain() for s in self.standings],
            "advice": [{"feature": w.feature, "share": w.share, "move": w.move} for w in self.advice[:20]],
        }


Fit = Callable[[Table], Any]


@dataclass(frozen=True, slots=True)
class _Bench:
    """What every defence is tried with: rows to learn from, rows to judge by, and the share of rows that is predicted 1."""

    learn: Table
    judge: Table
    threat: ThreatModel
    recipe: Recipe
    share: float | None = None

    def stand(self, name: str, model: Any, removed: Sequence[str] = ()) -> tuple[Standing, Outcome]:
        """How a model stands."""
        others = self.learn.features[self.learn.labels != self.threat.goal.start][:_BACKGROUND]
        opened: Model = open_model(model, self.recipe.threshold)
        standing, outcome = stand(
            name, opened, self.judge, self.threat, others, self.recipe.effort, rows=self.recipe.rows, share=self.share
        )
        return replace(standing, removed=tuple(removed)), outcome


@dataclass(frozen=True, slots=True)
class _Tried:
    standing: Standing
    make: Fit


def harden(
    model: Any, features: Any, labels: Any, names: Sequence[str], threat: ThreatModel, recipe: Recipe = Recipe()
) -> Hardened:
    """Harden ``model``: an unfitted scikit-learn, XGBoost or LightGBM classifier of two classes, or a PyTorch module that gives log-odds.

    ``features`` has shape (rows, features), ``labels`` (rows,) of 0 and 1. Raises :class:`BadInput` where rows are too few or the model cannot be fitted.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise missing_extra("scikit-learn", "ml", "hardening") from None
    fit(threat, names)
    table = _table(features, labels, names)
    learn, judge = _parted(table, recipe.effort.seed)
    bench = _Bench(learn, judge, threat, recipe)
    maker = _maker(model, threat, recipe.effort.seed)
    plain = maker()(learn)
    first, outcome = bench.stand("undefended", plain)
    share = float((open_model(plain).score(judge.features) >= recipe.threshold).mean())
    bench = replace(bench, share=min(max(share, 0.01), 0.99))
    tried = [_Tried(first, maker())]
    tried += list(_defences(model, maker, plain, (first, outcome), bench))
    allowed = [t for t in tried if t.standing.auc >= first.auc - recipe.max_auc_loss]
    best = max(allowed, key=lambda t: (t.standing.robust_accuracy, t.standing.auc))
    return Hardened(
        best.make(table),
        best.standing.threshold,
        best.standing,
        tuple(t.standing for t in tried),
        tuple(weaknesses(outcome)),
    )


def _table(features: Any, labels: Any, names: Sequence[str]) -> Table:
    rows = np.asarray(features, np.float32).astype(np.float64)
    came = np.asarray(labels)
    if rows.ndim != 2 or rows.shape[1] != len(names) or came.shape != (len(rows),) or not np.isfinite(rows).all():
        raise BadInput(
            "TP-RUN-046", "hardening needs rows without gaps, a name for each column and a label for each row"
        )
    if not np.isin(came, (0, 1)).all() or min(np.sum(came == 0), np.sum(came == 1)) < LEAST_OF_CLASS:
        raise BadInput("TP-RUN-046", f"hardening needs labels of 0 and 1, and {LEAST_OF_CLASS} rows of each")
    return Table(tuple(names), rows, came.astype(np.int64))


def _parted(table: Table, seed: int) -> tuple[Table, Table]:
    """Rows to learn from and rows to judge by, with the same share of each class."""
    random = np.random.default_rng(seed)
    apart = np.zeros(len(table.labels), bool)
    for label in (0, 1):
        places = random.permutation(np.flatnonzero(table.labels == label))
        apart[places[: max(1, int(len(places) * KEPT_APART))]] = True
    return table.taken(~apart), table.taken(apart)


Maker = Callable[..., Fit]


def _maker(model: Any, threat: ThreatModel, seed: int) -> Maker:
    """From ``removed``, ``signs`` and ``adversarial`` to a function that fits."""
    if not hasattr(model, "fit"):
        if not hasattr(model, "parameters"):
            raise BadInput("TP-RUN-045", f"a {type(model).__name__} can be neither fitted nor trained")

        def network(removed: Sequence[str] = (), signs: Sequence[int] = (), *, adversarial: bool = False) -> Fit:
            def make(table: Table) -> Any:
                columns = [table.names.index(n) for n in removed]
                given = descent.blinded(model, columns, len(table.names)) if columns else model
                return descent.trained(given, table, threat, seed, adversarial=adversarial)

            del signs  # a network is not monotone by construction
            return make

        return network
    return lambda removed=(), signs=(): partial(_fit, model, tuple(removed), tuple(signs))


def _fit(model: Any, removed: tuple[str, ...], signs: tuple[int, ...], table: Table) -> Any:
    return fitted(model, table, removed, signs)


def _defences(model: Any, maker: Maker, plain: Any, begun: tuple[Standing, Outcome], bench: _Bench) -> Iterator[_Tried]:
    """Each defence, tried; those that build on others come after them."""
    recipe, threat = bench.recipe, bench.threat
    first, outcome = begun
    names = bench.learn.names
    signs = monotone_signs(threat, names) if recipe.monotone and can_be_monotone(model) else []
    if any(signs):
        make = maker(signs=signs)
        yield _Tried(bench.stand("monotone", make(bench.learn))[0], make)
    if recipe.smoothing:
        make = _smooth(maker(), threat, names, recipe.effort.seed)
        yield _Tried(bench.stand("smoothing", make(bench.learn))[0], make)
    if recipe.rounds:
        make = _adversarial(maker, bench, plain, (), signs)
        yield _Tried(bench.stand("adversarial", make(bench.learn))[0], make)
    if not recipe.removal:
        return
    best: Standing | None = None

    def without(removed: tuple[str, ...]) -> tuple[Standing, Outcome]:
        return bench.stand(f"without {len(removed)} features", maker(removed, signs)(bench.learn), removed)

    for standing, _ in removals(without, outcome, first.auc - recipe.max_auc_loss):
        yield _Tried(standing, maker(standing.removed, signs))
        if standing.auc >= first.auc - recipe.max_auc_loss:
            best = standing
    if best is not None and recipe.rounds and best.robust_accuracy < best.clean_accuracy:
        less = maker(best.removed, signs)(bench.learn)
        make = _adversarial(maker, bench, less, best.removed, signs)
        name = f"{best.name}, adversarial"
        yield _Tried(bench.stand(name, make(bench.learn), best.removed)[0], make)


def _smooth(make: Fit, threat: ThreatModel, names: Sequence[str], seed: int) -> Fit:
    return lambda table: make(smoothed(table, threat, names, seed))


def _adversarial(maker: Maker, bench: _Bench, begun: Any, removed: tuple[str, ...], signs: Sequence[int]) -> Fit:
    """Adversarial training of the kind that the model takes: by gradient steps within each batch, or by rounds."""
    if hasattr(begun, "parameters"):
        return maker(removed, adversarial=True)
    make = maker(removed, signs)

    def rounds(table: Table) -> Any:
        model = begun if table is bench.learn else make(table)
        return adversarial_rounds(make, model, table, bench.threat, bench.recipe.effort, bench.recipe.rounds)

    return rounds
