"""The rows that checks leave as evidence: sealed in the step that found them, opened on record alone.

They are rows of the hold-out, so they go where it goes: where rows of a person were taken out of what the model learned from, those that are
kept are destroyed with them (``holders.py``), and none are kept any more.
"""

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.assessment.holders import rows_are_gone
from trustplane.assessment.tables import Assessment, AssessmentEvidence
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.target import Target
from trustplane.kernel.vault.artifacts import Artifact, seal, unseal
from trustplane.kernel.vault.keyring import KeySpec, hold_root, mint, release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.training.tables import Run
from trustplane.values.clock import rfc3339
from trustplane.values.digests import Digest
from trustplane.values.errors import BadInput, Conflict, NotFound, Unavailable, nearest
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Operation
    from trustplane.kernel.plane import Plane

MOST_ROWS, MOST_TABLES = 1000, 8
WITHHELD = "no rows are kept, since rows were taken out of what the model learned from"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_TRIES = 5


def subject_of(assessment_id: str) -> str:
    """How keys and objects name an assessment."""
    return f"assessment:{assessment_id}"


def keep_evidence(
    plane: "Plane", actor: "Actor", assessment_id: str, check: str, found: Mapping[str, pa.Table], cause: str
) -> dict[str, Any]:
    """Seal what a check left, in place of what an attempt before a crash left; say how many rows by name.

    Nothing is kept where rows were taken out of what the model learned from: the answer says so.
    """
    _require_fit(check, found)
    for attempt in range(_TRIES):
        with plane.database.read() as session:
            row = session.get_one(Assessment, assessment_id)
            gone = rows_are_gone(session, session.get_one(Run, row.run_id))
        if gone:
            return {"withheld": WITHHELD}
        try:
            return _keep(plane, actor, row, check, found, cause)
        except Conflict:  # a key above was renewed, or rows were taken out meanwhile: look again
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def evidence_facts(session: Session, assessment_id: str) -> list[dict[str, Any]]:
    """What an assessment keeps sealed: metadata alone. ``destroyed`` says since when it cannot be opened any more."""
    query = (
        select(AssessmentEvidence, VaultKey.destroyed_at)
        .join(VaultKey, VaultKey.id == AssessmentEvidence.key_id)
        .where(AssessmentEvidence.assessment_id == assessment_id)
        .order_by(AssessmentEvidence.name)
    )
    return [
        {
            "name": row.name,
            "rows": row.rows,
            "sha256": row.sha256,
            "size": row.size,
            "created": rfc3339(row.created),
            "destroyed": None if destroyed is None else rfc3339(destroyed),
        }
        for row, destroyed in session.execute(query)
    ]


def open_evidence(
    plane: "Plane", actor: "Actor", assessment: Assessment, target: Target, names: list[str]
) -> dict[str, bytes]:
    """The Parquet files of some evidence of an assessment, by name. ``target`` is the model version as policy sees it. The opening is recorded first."""
    with plane.operation(actor, "assessment.open", target) as op:
        with plane.database.read() as session:
            rows = [_named(session, assessment, name) for name in dict.fromkeys(names)]
            keys = release(op, session, plane.keystore, sorted({row.key_id for row in rows}))
        op.record(assessment=assessment.id, evidence={row.name: row.rows for row in rows})
        op.refer(**{row.name: row.sha256 for row in rows})
    subject = subject_of(assessment.id)
    return {row.name: b"".join(unseal(plane.blobs, keys[row.key_id], row.blob, subject)) for row in rows}


def read_evidence(parquet: bytes) -> pa.Table:
    """Evidence as a table."""
    return pq.read_table(io.BytesIO(parquet))


def parquet_of(table: pa.Table) -> bytes:
    """A table as it is sealed."""
    written = io.BytesIO()
    pq.write_table(table, written, compression="zstd")
    return written.getvalue()


def _require_fit(check: str, found: Mapping[str, pa.Table]) -> None:
    for name, table in found.items():
        if not _NAME.match(name) or not isinstance(table, pa.Table) or table.num_rows > MOST_ROWS:
            raise BadInput(
                "TP-ASSESS-026",
                f"what the check {check} left as evidence is not usable",
                why=f"it is an Arrow table of at most {MOST_ROWS:,} rows under a plain name",
            )
    if len(found) > MOST_TABLES:
        raise BadInput("TP-ASSESS-026", f"the check {check} left {len(found)} tables; at most {MOST_TABLES} are kept")


def _named(session: Session, assessment: Assessment, name: str) -> AssessmentEvidence:
    query = select(AssessmentEvidence).where(AssessmentEvidence.assessment_id == assessment.id)
    known = {row.name: row for row in session.scalars(query)}
    if name not in known:
        raise NotFound("TP-ASSESS-025", f"the assessment keeps no {name[:140]!r}", why=nearest(name, known))
    if session.get_one(VaultKey, known[name].key_id).wrapped is None:
        raise Unavailable("TP-ASSESS-027", f"the rows of {name} were destroyed")
    return known[name]


def _keep(
    plane: "Plane", actor: "Actor", row: Assessment, check: str, found: Mapping[str, pa.Table], cause: str
) -> dict[str, Any]:
    now, subject = plane.clock.now(), subject_of(row.id)
    written: dict[str, Artifact] = {}
    replaced: list[str] = []
    try:
        with plane.operation(actor, "job.finish", plane.job_target(actor, row.job_id), cause=cause) as op:
            minted, key = _key(op, row)
            for name, table in found.items():
                written[f"{check}.{name}"] = seal(plane.blobs, key, [parquet_of(table)], subject, now)
            hold_root(op.session)  # whoever takes rows out comes before this or after it
            if rows_are_gone(op.session, op.session.get_one(Run, row.run_id)):
                raise Conflict("TP-ASSESS-028", "rows were taken out of what the model learned from meanwhile")
            replaced = _forget(op.session, row.id, check)
            if minted is not None:
                op.session.add(minted)
            for (name, kept), table in zip(written.items(), found.values(), strict=True):
                op.session.add(kept.row)
                op.session.add(
                    AssessmentEvidence(
                        id=new_id(), assessment_id=row.id, project_id=row.project_id, name=name, rows=table.num_rows,
                        blob=kept.digest, sha256=kept.sha256, size=kept.size, key_id=key.id, created=now,
                    )
                )  # fmt: skip
            op.about(Target("ModelVersion", row.model_version_id, project=row.project_id))
            op.record(step="seal", assessment=row.id, evidence={f"{check}.{n}": t.num_rows for n, t in found.items()})
            op.refer(**{name: kept.sha256 for name, kept in written.items()})
    except BaseException:
        _sweep(plane, [kept.digest for kept in written.values()])
        raise
    _sweep(plane, replaced)
    return {name: table.num_rows for name, table in found.items()}


def _key(op: "Operation", row: Assessment) -> tuple[VaultKey | None, SecretKey]:
    """The key of the assessment, and its row where it is new."""
    plane = op.plane
    with plane.database.read() as session:
        project = session.get_one(Project, row.project_id)
        known = session.scalar(
            select(AssessmentEvidence.key_id).where(AssessmentEvidence.assessment_id == row.id).limit(1)
        )
        if known is not None:
            return None, release(op, session, plane.keystore, [known])[known]
        above = release(op, session, plane.keystore, [project.key_id])[project.key_id]
    return mint(above, KeySpec("assessment", subject_of(row.id), row.project_id), plane.clock.now())


def _forget(session: Session, assessment_id: str, check: str) -> list[str]:
    """Take out what an attempt of the same step left that a crash cut off from its record; the addresses of its objects."""
    query = select(AssessmentEvidence).where(AssessmentEvidence.assessment_id == assessment_id)
    gone = [row for row in session.scalars(query) if row.name.startswith(f"{check}.")]
    for row in gone:
        session.delete(session.get_one(VaultBlob, row.blob))
        session.delete(row)
    session.flush()
    return [row.blob for row in gone]


def _sweep(plane: "Plane", digests: list[str]) -> None:
    """Remove objects that nothing speaks of; what was recorded after all stays."""
    with plane.database.read() as session:
        known = set(session.scalars(select(VaultBlob.digest).where(VaultBlob.digest.in_(digests))))
    for digest in digests:
        if digest not in known:
            plane.blobs.delete(Digest(digest))
