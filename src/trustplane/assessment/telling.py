"""Telling the reasons of decisions: the model, its reference and its wording are opened on record, and rows explained."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from sqlalchemy import select

from trustplane.assessment.checks.contract import Matrix
from trustplane.assessment.explaining.advice import Counterfactuals
from trustplane.assessment.explaining.reasons import Basis, Decided, basis, tell
from trustplane.assessment.explaining.wording import WORDING, read_wording
from trustplane.assessment.holdout import FEATURES, THREAT, feature_names, read_holdout
from trustplane.assessment.scoring import scorer
from trustplane.assessment.service import AssessmentSubject
from trustplane.assessment.suite import Suite
from trustplane.assessment.tables import Assessment
from trustplane.assessment.threats import threat_of
from trustplane.assessment.threats import told as recorded
from trustplane.assessment.turning import Means, means_of, turned_by
from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.training.runs import subject_of as run_subject
from trustplane.training.tables import Run
from trustplane.values.digests import Digest, sha256
from trustplane.values.errors import BadInput, Tampered, nearest

if TYPE_CHECKING:
    from trustplane.kernel.operation import Operation
    from trustplane.kernel.plane import Plane

MOST_ROWS, MOST_TURNED = 1000, 50
Row = Mapping[str, float | None]


def explain_rows(
    plane: "Plane", actor: Actor, subject: AssessmentSubject, rows: Sequence[Row], *, counterfactual: bool = False
) -> dict[str, Any]:
    """What a model version decides about each row, and the principal reasons where that is unfavourable.

    A row gives each feature by its name, ``None`` where it is missing. Threshold and favourable class are those of the version's newest
    assessment. The event holds digests and counts alone; ``basis`` in it names all that the reasons were made of, so that the same row told
    anew gives the same reasons. With ``counterfactual`` an unfavourable decision comes with the cheapest changes within the threat model that
    would turn it; ``threat`` names that by its digest.
    """
    if counterfactual and len(rows) > MOST_TURNED:
        raise BadInput("TP-ASSESS-024", f"counterfactuals are looked for {MOST_TURNED} rows at a time")
    with plane.operation(actor, "model.explain", subject.target) as op:
        opened = _open(plane, op, subject)
        on = opened.basis
        means = _means(plane, opened) if counterfactual else None
        matrix = _matrix(rows, on.model.names)
        told = tell(on, matrix)
        turned = [None] * len(told) if means is None else turned_by(on, means, matrix, told)
        unfavourable = sum(not t.favourable for t in told)
        op.record(
            version=subject.model_version_id,
            rows=len(told),
            unfavourable=unfavourable,
            without_reasons=sum(not t.favourable and not t.reasons for t in told),
            way=on.explainer.way,
            assessment=None if opened.newest is None else opened.newest.id,
            **({} if means is None else {"with_counterfactuals": sum(bool(t and t.options) for t in turned)}),
        )
        threat = {} if means is None else {"threat": means.digest}
        op.refer(model=subject.model_sha256, holdout=subject.holdout_blob, basis=on.digest, **threat)
    return {
        "event": op.id,
        "basis": on.digest,
        "way": on.explainer.way,
        "exact": on.explainer.exact,
        "scale": str(on.explainer.scale),
        "base": on.explainer.base,
        "threshold": on.model.threshold,
        "favourable": on.model.favourable,
        "rows": [asdict(t) | _shown(means, c) for t, c in zip(told, turned, strict=True)],
        **threat,
    }


@dataclass(frozen=True, slots=True)
class _Basis:
    """What reasons are made of, the assessment that says what is favourable, and the threat model that the run left."""

    basis: Basis
    newest: Assessment | None
    threat: bytes | None


def _open(plane: "Plane", op: "Operation", subject: AssessmentSubject) -> _Basis:
    with plane.database.read() as session:
        run = session.get_one(Run, subject.run_id)
        newest = session.scalar(
            select(Assessment)
            .where(Assessment.model_version_id == subject.model_version_id, Assessment.state == "done")
            .order_by(Assessment.finished.desc(), Assessment.id.desc())
            .limit(1)
        )
        if FEATURES not in run.outputs:
            raise BadInput("TP-ASSESS-003", f"the run left no {FEATURES}, so the order of the features is unknown")
        wanted = {subject.model_key_id, subject.key_id, run.key_id}
        keys = release(op, session, plane.keystore, sorted(wanted))
    model = b"".join(unseal(plane.blobs, keys[subject.model_key_id], subject.model_blob, subject.model_subject))
    if "sha256:" + hashlib.sha256(model).hexdigest() != subject.model_sha256:
        raise Tampered("TP-ASSESS-005", "the model is not the one that was registered")
    held_out = b"".join(unseal(plane.blobs, keys[subject.key_id], subject.holdout_blob, subject.holdout_subject))
    left = {
        name: b"".join(unseal(plane.blobs, keys[run.key_id], run.outputs[name]["digest"], run_subject(run.id)))
        for name in (FEATURES, WORDING, THREAT)
        if name in run.outputs
    }
    suite = _suite(newest)
    names = feature_names(left[FEATURES])
    wording = read_wording(left[WORDING], names) if WORDING in left else None
    rows = read_holdout(held_out, names, suite.label).features
    asked = scorer(model, subject.format)
    decided = Decided(model, asked, tuple(names), suite.favourable, suite.threshold, subject.format)
    return _Basis(basis(decided, rows, wording), newest, left.get(THREAT))


def _means(plane: "Plane", opened: _Basis) -> Means:
    """By the threat model that the newest assessment went by, else by that of the run."""
    on, newest = opened.basis, opened.newest
    suite = {} if newest is None else newest.suite
    with plane.database.read() as session:
        threat = threat_of(session, suite, opened.threat, on.model.names)
    held = recorded(suite)
    text = str(suite.get("threat", "")).encode() or opened.threat or b""
    digest = Digest(held["digest"]) if held is not None and threat is not None else sha256(text)
    return means_of(on, threat, digest, _suite(newest).protected)


def _shown(means: Means | None, found: Counterfactuals | None) -> dict[str, Any]:
    if means is None:
        return {}
    return {"counterfactuals": None if found is None else asdict(found)}


def _suite(newest: Assessment | None) -> Suite:
    if newest is None:
        return Suite()
    known = {
        name: newest.suite[name] for name in ("label", "favourable", "threshold", "protected") if name in newest.suite
    }
    return msgspec.convert(known, Suite)


def _matrix(rows: Sequence[Row], names: tuple[str, ...]) -> Matrix:
    """Rows in the order of the model's input, of shape (rows, features). Values are never quoted in an error."""
    if not 0 < len(rows) <= MOST_ROWS:
        raise BadInput("TP-ASSESS-022", f"1 to {MOST_ROWS:,} rows are explained at a time")
    for number, row in enumerate(rows, 1):
        strange = [name for name in row if name not in names]
        lacking = [name for name in names if name not in row]
        if strange:
            why = nearest(strange[0], names)
            raise BadInput("TP-ASSESS-022", f"the model has no feature {strange[0][:80]!r}", why=why)
        if lacking:
            raise BadInput("TP-ASSESS-022", f"row {number} lacks the feature {lacking[0][:80]!r}")
    given = [[np.nan if row[name] is None else row[name] for name in names] for row in rows]
    with np.errstate(over="ignore"):
        found = np.array(given, np.float64).astype(np.float32)
    if np.isinf(found).any():
        raise BadInput("TP-ASSESS-022", "a row holds a number beyond what the model computes with")
    return found
