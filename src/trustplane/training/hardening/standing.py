"""How a model stands: what it ranks and decides on rows as they are, beside what is left of that under attack."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import Model
from trustplane.training.attacks.engine import Effort, Outcome, attack
from trustplane.training.attacks.figures import wilson
from trustplane.training.threats.model import ThreatModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of shape (rows, features) under ``names``, and their labels of 0 and 1."""

    names: tuple[str, ...]
    features: Floats = field(repr=False)
    labels: Ints = field(repr=False)

    def taken(self, places: Any) -> "Table":
        """Some of the rows."""
        return Table(self.names, self.features[places], self.labels[places])

    def of(self, label: int, most: int) -> Floats:
        """The first rows of a class."""
        return np.asarray(self.features[self.labels == label][:most])


@dataclass(frozen=True, slots=True)
class Standing:
    """Figures of one model. ``robust_accuracy`` is the share of attacked rows that are decided rightly and have no evasion, with its 95 % interval.

    ``threshold`` is the score from which on class 1 is predicted; for a hardened model it is set so that as many rows are predicted 1 as by the
    model that is not, since a model that says 1 more often would look robust for that alone.
    """

    name: str
    auc: float
    mcc: float
    accuracy: float
    clean_accuracy: float
    robust_accuracy: float
    interval: tuple[float, float]
    threshold: float
    removed: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "name": self.name,
            "auc": self.auc,
            "mcc": self.mcc,
            "accuracy": self.accuracy,
            "clean_accuracy": self.clean_accuracy,
            "robust_accuracy": self.robust_accuracy,
            "robust_accuracy_interval": list(self.interval),
            "threshold": self.threshold,
            "removed": list(self.removed),
        }


def stand(
    name: str,
    model: Model,
    table: Table,
    threat: ThreatModel,
    background: Floats,
    effort: Effort,
    *,
    rows: int = 200,
    share: float | None = None,
) -> tuple[Standing, Outcome]:
    """Measure ``model`` on ``table``, and attack its first ``rows`` of the class that the attacker starts from.

    With a ``share`` the threshold is where this share of rows is predicted 1.
    """
    from sklearn.metrics import accuracy_score, matthews_corrcoef, roc_auc_score

    scores = np.asarray(model.score(table.features), np.float64)
    threshold = model.threshold if share is None else threshold_for(scores, share)
    model = replace(model, threshold=threshold)
    said = (scores >= threshold).astype(np.int64)
    outcome = attack(model, threat, table.names, table.of(threat.goal.start, rows), background, effort)
    kept = int((outcome.right & ~outcome.evaded).sum())
    standing = Standing(
        name,
        float(roc_auc_score(table.labels, scores)),
        float(matthews_corrcoef(table.labels, said)),
        float(accuracy_score(table.labels, said)),
        outcome.clean_accuracy,
        outcome.robust_accuracy,
        wilson(kept, len(outcome.right)),
        threshold,
    )
    return standing, outcome


def threshold_for(scores: Floats, share: float) -> float:
    """The score that ``share`` of the rows reach: between two scores that there are, so that no row lies on it."""
    ordered = np.sort(scores)[::-1]
    place = int(np.clip(round(share * len(ordered)), 1, len(ordered) - 1))
    return float(np.clip((ordered[place - 1] + ordered[place]) / 2, 1e-6, 1 - 1e-6))
