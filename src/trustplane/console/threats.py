"""The pages of the threat models that a project keeps: the list, and one version with what changed. Each has a twin in JSON."""

from typing import Any

import msgspec
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from trustplane.assessment.tables import Assessment
from trustplane.assessment.threats import assessments_by, robustness_of
from trustplane.console.finding import find, names_of
from trustplane.console.rendering import page
from trustplane.console.session import Looking, Viewer
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.ledger.evidence import events_about
from trustplane.release.catalog import model_target
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.tables import KeptThreat
from trustplane.training.threats.comparing import Difference, compare_threats
from trustplane.training.threats.service import kept_facts, newest_threats, read_kept, threat_target, versions_of
from trustplane.training.threats.telling import budget_in_words, knowledge_in_words, plain, success_in_words
from trustplane.values.errors import NotFound

router = APIRouter(prefix="/console", include_in_schema=False, default_response_class=HTMLResponse)
SHOWN = 500
"""So many features, relations and differences are shown on a page; its twin has all of them."""


@router.get("/projects/{project}/threats.json")
def threats_json(project: str, viewer: Looking) -> Response:
    """The list as data."""
    with viewer.plane.database.read() as session:
        names = names_of(session)
        return _json({"threats": [kept_facts(row, names) for row in _seen(session, viewer, project)[1]]})


@router.get("/projects/{project}/threats")
def threats(project: str, viewer: Looking) -> Response:
    """The newest version of each threat model of a project, and the newest assessment that went by it."""
    with viewer.plane.database.read() as session:
        row, seen = _seen(session, viewer, project)
        used = {t.id: _assessed(session, viewer, t) for t in seen}
        return page(viewer, "threats.html", project=row, threats=seen, used=used, names=names_of(session))


@router.get("/threats/{threat}.json")
def threat_json(threat: str, viewer: Looking) -> Response:
    """A version as data."""
    with viewer.plane.database.read() as session:
        row = _one(session, viewer, threat)
        names = names_of(session)
        versions = [kept_facts(v, names) for v in _versions(session, viewer, row)]
        return _json({**kept_facts(row, names), "text": row.text, "model": plain(read_kept(row)), "versions": versions})


@router.get("/threats/{threat}")
def threat(threat: str, viewer: Looking, against: str | None = None) -> Response:
    """A version of a threat model: what it says, what it says otherwise than another one, and the assessments that went by it.

    ``against`` is the id of the other one; without it the version before.
    """
    with viewer.plane.database.read() as session:
        row = _one(session, viewer, threat)
        versions = _versions(session, viewer, row)
        other = _one(session, viewer, against) if against else _before(versions, row)
        if other is not None and other.project_id != row.project_id:
            raise NotFound("TP-CONSOLE-003", "two threat models of one project are compared")
        said = read_kept(row)
        return page(
            viewer,
            "threat.html",
            threat=row,
            said=said,
            features=plain(said)["features"],
            knowledge=knowledge_in_words(said.knowledge),
            budget=budget_in_words(said.budget),
            success=success_in_words(said.goal),
            project=session.get_one(Project, row.project_id),
            versions=versions,
            other=other,
            differences=_differences(other, row),
            assessments=_assessed(session, viewer, row),
            events=events_about(session, threat_target(row).name, "threat.keep"),
            names=names_of(session),
            shown=SHOWN,
        )


def _before(versions: list[KeptThreat], row: KeptThreat) -> KeptThreat | None:
    return next((v for v in versions if v.number < row.number), None)


def _differences(before: KeptThreat | None, after: KeptThreat) -> tuple[Difference, ...]:
    return () if before is None else compare_threats(read_kept(before), read_kept(after))


def _assessed(
    session: Session, viewer: Viewer, row: KeptThreat
) -> list[tuple[Assessment, Model, ModelVersion, dict[str, Any] | None]]:
    """The assessments that went by it and that the viewer may see: each with its model, its version and what it found."""
    found = []
    for each in assessments_by(session, row.project_id, row.digest):
        version = session.get(ModelVersion, each.model_version_id)
        if version is not None and viewer.sees("assessment.read", model_target(session, version)):
            found.append((each, session.get_one(Model, version.model_id), version, robustness_of(each)))
    return found


def _versions(session: Session, viewer: Viewer, row: KeptThreat) -> list[KeptThreat]:
    return [v for v in versions_of(session, row.project_id, row.name) if viewer.sees("threat.read", threat_target(v))]


def _one(session: Session, viewer: Viewer, key: str) -> KeptThreat:
    row = session.get(KeptThreat, key)
    if row is None:
        raise NotFound("TP-CONSOLE-003", f"there is no threat model {key[:64]!r}")
    viewer.may("threat.read", threat_target(row))
    return row


def _seen(session: Session, viewer: Viewer, project: str) -> tuple[Project, list[KeptThreat]]:
    row: Project = find(session, Project, project)
    viewer.may("project.read", project_target(row))
    return row, [t for t in newest_threats(session, row.id) if viewer.sees("threat.read", threat_target(t))]


def _json(facts: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(facts), media_type="application/json", headers={"Cache-Control": "no-store"})
