"""The principal reasons of an unfavourable decision, for the person it is about.

12 CFR 1002.9(b)(2) asks for the specific principal reasons, as they were actually used; that a model is complex excuses nobody (CFPB Circular
2022-03), and a form's nearest entry does not do (Circular 2023-03). So a reason here is what moved the model's own score away
from the scores of those decided favourably about, in exact Shapley values where the model's form allows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from trustplane.assessment.explaining.arrays import Floats, Matrix, Scorer
from trustplane.assessment.explaining.explainer import Explainer, explainer
from trustplane.assessment.explaining.reference import favourable_rows, together
from trustplane.assessment.explaining.wording import Wording, phrase
from trustplane.values.digests import Digest, sha256
from trustplane.values.errors import Refused

_CHANCE = 2.0  # standard errors; a sampled contribution within them of zero is no reason
_ROUNDING = 1e-9
_PRINCIPAL = 0.05
"""A reason is principal from this share on of what speaks against the person; the first is so always. A convention: no law sets a number."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A model of the format ``form`` and how it decides: class 1 from ``threshold`` on; ``favourable`` is the class that is good for the person."""

    artifact: bytes = field(repr=False)
    score: Scorer = field(repr=False)
    names: tuple[str, ...]
    favourable: int = 0
    threshold: float = 0.5
    form: str = "onnx"


@dataclass(frozen=True, slots=True)
class Basis:
    """All that reasons are made of; ``middle`` is the median of the reference. The same ``digest``, the same reasons for the same row."""

    model: Decided
    explainer: Explainer
    reference: Matrix = field(repr=False)
    middle: Floats = field(repr=False)
    groups: tuple[tuple[int, ...], ...]
    wording: Wording
    digest: Digest


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: a feature or a group of them, on which side of the reference the row lies, and how much it moved the score against the person.

    ``share`` is of all that speaks against the person. ``immutable`` says that the person can change none of its features.
    """

    name: str
    features: tuple[str, ...]
    side: str
    contribution: float
    share: float
    immutable: bool
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """The decision about one row. ``contributions`` are towards class 1, by feature, on the explainer's scale; reasons come where it is unfavourable."""

    score: float
    favourable: bool
    reasons: tuple[Reason, ...]
    contributions: dict[str, float]


def basis(model: Decided, rows: Matrix, wording: Wording | None = None, seed: int = 0) -> Basis:
    """Make ready to tell reasons, with ``rows`` of shape (rows, features) to take the reference from.

    Raises :class:`Refused` (TP-ASSESS-020) where the model decides favourably about none of them.
    """
    wording = wording or Wording()
    reference = favourable_rows(rows, model.score(rows), model.threshold, model.favourable)
    if not len(reference):
        raise Refused("TP-ASSESS-020", "the model decides favourably about nobody, so there is nobody to compare with")
    groups = together(model.names, rows, [g.features for g in wording.groups.values()])
    made = explainer(model.artifact, model.score, reference, seed, model.form)
    said = {
        "model": sha256(model.artifact),
        "names": model.names,
        "favourable": model.favourable,
        "threshold": model.threshold,
        "groups": groups,
        "wording": wording,
        "way": made.way,
        "seed": seed,
    }
    digest = sha256(msgspec.json.encode(said, order="sorted") + np.ascontiguousarray(reference, "<f4").tobytes())
    return Basis(model, made, reference, np.median(reference, axis=0), groups, wording, digest)


def tell(on: Basis, rows: Matrix) -> list[Told]:
    """Explain what the model decides about each row; ``rows`` has shape (rows, features)."""
    scores = on.model.score(rows)
    found = on.explainer.explain(rows)
    favourable = (scores >= on.model.threshold).astype(np.int64) == on.model.favourable
    told = []
    for n, row in enumerate(rows):
        reasons = () if favourable[n] else _reasons(on, row, found.contributions[n], found.errors[n])
        by_feature = dict(zip(on.model.names, found.contributions[n].tolist(), strict=True))
        told.append(Told(float(scores[n]), bool(favourable[n]), reasons, by_feature))
    return told


def _reasons(on: Basis, row: Any, contributions: Floats, errors: Floats) -> tuple[Reason, ...]:
    """The groups that speak against the person most; of two that speak alike the one that stands first in the model's input."""
    against = (contributions if on.model.favourable == 0 else -contributions).tolist()
    variances = (errors**2).tolist()
    sums = [(sum(against[n] for n in group), group) for group in on.groups]
    total = sum(amount for amount, _ in sums if amount > 0)
    sure = [
        (amount, group)
        for amount, group in sums
        if amount > max(_ROUNDING, _CHANCE * math.sqrt(sum(variances[n] for n in group)))
    ]
    sure.sort(key=lambda found: (-found[0], found[1]))
    told = [(n, found) for n, found in enumerate(sure[: on.wording.most]) if n == 0 or found[0] >= _PRINCIPAL * total]
    return tuple(_reason(on, row, against, amount, group, total) for _, (amount, group) in told)


def _reason(on: Basis, row: Any, against: Sequence[float], amount: float, group: Sequence[int], total: float) -> Reason:
    names = tuple(on.model.names[n] for n in group)
    lead = max(group, key=lambda n: (against[n], -n))
    value = float(row[lead])
    side = "missing" if np.isnan(value) else "high" if value > on.middle[lead] else "low"
    said = {frozenset(known.features): name for name, known in on.wording.groups.items()}
    named = said.get(frozenset(names), on.model.names[lead])
    immutable = all(name in on.wording.immutable for name in names)
    text = phrase(on.wording, named, side)
    return Reason(named, names, side, amount, amount / total, immutable, text)
