"""Finding deployments, and how policy sees one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.identity.tables import Environment
from trustplane.kernel.policy.requests import account
from trustplane.kernel.target import Target
from trustplane.release.catalog import approvers_of
from trustplane.release.tables import ModelVersion
from trustplane.serving.tables import Deployment
from trustplane.values.errors import NotFound, nearest


def find_deployment(session: Session, project_id: str, name_or_id: str) -> Deployment:
    """The deployment of a project with this id, or the newest under this name; raise :class:`NotFound` with the nearest name."""
    row = session.scalar(
        select(Deployment)
        .where(Deployment.project_id == project_id, (Deployment.name == name_or_id) | (Deployment.id == name_or_id))
        .order_by(Deployment.id.desc())
        .limit(1)
    )
    if row is None:
        names = list(session.scalars(select(Deployment.name).where(Deployment.project_id == project_id)))
        what = f"there is no deployment {name_or_id[:80]!r} in the project"
        raise NotFound("TP-SERVING-001", what, why=nearest(name_or_id, names))
    return row


def deployment_target(session: Session, row: Deployment) -> Target:
    """A deployment as policy sees it."""
    version = session.get_one(ModelVersion, row.model_version_id)
    attributes = {
        "production": session.get_one(Environment, row.environment_id).production,
        "author": account(version.author_id),
        "approvers": frozenset(account(a) for a in approvers_of(session, version.id)),
        "approved": version.status == "approved",
    }
    return Target("Deployment", row.id, project=row.project_id, environment=row.environment_id, attributes=attributes)
