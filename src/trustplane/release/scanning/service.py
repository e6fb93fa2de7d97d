"""Scans in a workspace: of the outputs of runs, on record."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.release.scanning.report import facts
from trustplane.release.scanning.scan import Scanned, scan_chunks
from trustplane.release.tables import ArtifactScan
from trustplane.training.runs import find_run, run_target
from trustplane.training.runs import subject_of as run_subject
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput, Refused
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

LARGEST = 4 << 30


def scan_output(
    plane: "Plane", actor: "Actor", project: str, run_id: str, path: str, idempotency: "Idempotency | None" = None
) -> str:
    """Judge an output of a run; return the scan's id. A file that is refused is on record as refused: the scan itself went well."""
    with plane.database.read() as session:
        run = find_run(session, find_project(session, project).id, run_id)
    with plane.operation(actor, "artifact.scan", run_target(run), idempotency=idempotency) as op:
        if path not in run.outputs:
            known = ", ".join(sorted(run.outputs)[:20])
            raise BadInput("TP-RELEASE-004", f"the run left no {path[:120]!r}", why=f"it left {known or 'nothing'}")
        if run.outputs[path]["size"] > LARGEST:
            raise Refused("TP-RELEASE-005", f"{path} is larger than {LARGEST >> 30} GiB")
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [run.key_id])[run.key_id]
        scanned = scan_chunks(unseal(plane.blobs, key, run.outputs[path]["digest"], run_subject(run.id)), path)
        row = scan_row(run, path, scanned, actor.id, plane.clock.now())
        op.session.add(row)
        op.record(
            scan=row.id, artifact=path, format=row.format, verdict=row.verdict, objections=len(row.report["objections"])
        )
        op.refer(artifact=row.sha256)
        op.made(row.id)
        return row.id


def scan_row(run: Run, path: str, scanned: Scanned, actor_id: str, now: datetime) -> ArtifactScan:
    """What is kept of a scan."""
    told = facts(scanned)
    return ArtifactScan(
        id=new_id(),
        project_id=run.project_id,
        run_id=run.id,
        artifact=path[:1000],
        sha256=run.outputs[path]["sha256"],
        size=scanned.size,
        format=told["format"][:64],
        verdict=told["verdict"],
        report={name: told[name] for name in ("objections", "globals", "loads_code")},
        actor_id=actor_id,
        created=now,
    )


def scans_of(session: Session, project_id: str) -> Sequence[ArtifactScan]:
    """The scans of a project, the newest first."""
    query = select(ArtifactScan).where(ArtifactScan.project_id == project_id).order_by(ArtifactScan.id.desc())
    return session.scalars(query).all()
