"""What pages are made of: rows by id, the newest finding of each control, and the posture that they make."""

import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trustplane.data.tables import Dataset
from trustplane.kernel.controls.tables import FindingRow
from trustplane.kernel.identity.tables import Principal, Project
from trustplane.release.tables import ModelVersion
from trustplane.serving.tables import Deployment
from trustplane.training.tables import Run
from trustplane.values.errors import NotFound

_RANK = {"failed": 0, "no-evidence": 1, "waived": 2, "passed": 3, "not-applicable": 4}


def find(session: Session, kind: Any, key: str) -> Any:
    """The row that a page is about; raise :class:`NotFound` where there is none."""
    row = session.get(kind, key)
    if row is None:
        words = re.sub("(?<=[a-z])(?=[A-Z])", " ", kind.__name__).lower()
        raise NotFound("TP-CONSOLE-003", f"there is no {words} {key[:64]!r}")
    return row


def names_of(session: Session) -> dict[str, str]:
    """The names of principals by id."""
    return {row.id: row.name for row in session.execute(select(Principal.id, Principal.name))}


def latest_findings(session: Session, project_id: str, subject_ids: Collection[str] | None = None) -> list[FindingRow]:
    """The newest finding of each control on each subject, the worst first; on the subjects with these ids where they are given."""
    query = select(FindingRow).where(FindingRow.project_id == project_id).order_by(FindingRow.id)
    if subject_ids is not None:
        query = query.where(FindingRow.subject_id.in_(subject_ids))
    newest = {(row.control, row.subject_kind, row.subject_id): row for row in session.scalars(query)}
    return sorted(newest.values(), key=lambda r: (_RANK.get(r.status, 9), r.control, r.subject_label))


def posture_of(session: Session, project: Project) -> dict[str, Any]:
    """A project with its findings and what lies in it."""
    findings = latest_findings(session, project.id)

    def count(kind: Any) -> int:
        return session.scalar(select(func.count()).select_from(kind).where(kind.project_id == project.id)) or 0

    return {
        "project": project,
        "findings": findings,
        "counts": Counter(f.status for f in findings),
        "datasets": count(Dataset),
        "runs": count(Run),
        "models": count(ModelVersion),
        "deployments": count(Deployment),
    }
