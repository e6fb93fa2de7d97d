"""What would turn an unfavourable decision: the means that a person has by the threat model, and the cheapest changes within them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trustplane.assessment.attackable import attackable
from trustplane.assessment.checks.contract import Matrix
from trustplane.assessment.explaining.advice import GAPS, OUTSIDE, Counterfactuals, advised
from trustplane.assessment.explaining.reasons import Basis, Told
from trustplane.assessment.explaining.recourse import MOST_OPTIONS, of_person, seek
from trustplane.training.attacks.engine import Effort
from trustplane.training.threats.model import ThreatModel
from trustplane.training.threats.validator import holding
from trustplane.values.digests import Digest
from trustplane.values.errors import Refused

QUERIES, SECONDS = 400, 30.0


@dataclass(frozen=True, slots=True)
class Means:
    """What a person can change, which features stay whatever the threat model says, and the digest of its text."""

    threat: ThreatModel
    fixed: frozenset[str]
    digest: Digest


def means_of(on: Basis, threat: ThreatModel | None, digest: Digest, protected: Sequence[str]) -> Means:
    """What a person can change of what the model decides by; raise :class:`Refused` (TP-ASSESS-023) where nobody has said.

    ``digest`` is of the text of the threat model. Features that are ``protected``, or immutable by the wording, stay as they are.
    """
    if threat is None or threat.draft:
        why = "neither the run left one nor the suite names one" if threat is None else "it is a draft"
        raise Refused("TP-ASSESS-023", "no threat model says what a person can change", why=why)
    fixed = frozenset((*on.wording.immutable, *protected)) & set(on.model.names)
    return Means(of_person(threat, fixed, on.model.favourable), fixed, digest)


def turned_by(on: Basis, means: Means, matrix: Matrix, told: Sequence[Told]) -> list[Counterfactuals | None]:
    """Of each row that is decided about unfavourably what would turn the decision."""
    found: list[Counterfactuals | None] = [None] * len(told)
    declined = [n for n, t in enumerate(told) if not t.favourable]
    gaps = np.asarray(np.isnan(matrix).any(axis=1))
    whole = np.array([n for n in declined if not gaps[n]], np.int64)
    rows = matrix[whole].astype(np.float64)
    exists = np.asarray(holding(means.threat, on.model.names, rows).valid)
    for n in declined:
        found[n] = Counterfactuals((), GAPS if gaps[n] else OUTSIDE)
    asked, model = whole[exists], on.model
    if len(asked):
        attacked = attackable(model.artifact, model.form, model.score, model.threshold)
        effort = Effort(QUERIES, SECONDS)
        sought = seek(
            attacked, means.threat, model.names, matrix[asked], on.reference, effort, MOST_OPTIONS, means.fixed
        )
        advice = advised(sought, rows[exists], means.threat, model.names, on.wording)
        for n, each in zip(asked.tolist(), advice, strict=True):
            found[n] = each
    return found
