"""Projects and environments: the scopes in which everything else lies."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.identity.tables import Environment, Project
from trustplane.kernel.target import Target
from trustplane.values.errors import NotFound, nearest


def find_project(session: Session, name_or_id: str) -> Project:
    """The project with this name or id; raise :class:`NotFound` with the nearest name."""
    row = session.scalar(select(Project).where((Project.name == name_or_id) | (Project.id == name_or_id)))
    if row is None:
        names = list(session.scalars(select(Project.name)))
        raise NotFound("TP-IDENTITY-008", f"there is no project {name_or_id[:80]!r}", why=nearest(name_or_id, names))
    return row


def find_environment(session: Session, project: Project, name_or_id: str) -> Environment:
    """The environment of ``project`` with this name or id."""
    row = session.scalar(
        select(Environment).where(
            Environment.project_id == project.id, (Environment.name == name_or_id) | (Environment.id == name_or_id)
        )
    )
    if row is None:
        names = list(session.scalars(select(Environment.name).where(Environment.project_id == project.id)))
        what = f"there is no environment {name_or_id[:80]!r} in the project {project.name!r}"
        raise NotFound("TP-IDENTITY-008", what, why=nearest(name_or_id, names))
    return row


def project_target(row: Project) -> Target:
    """A project as policy sees it."""
    return Target("Project", row.id, project=row.id)


def environment_target(row: Environment) -> Target:
    """An environment as policy sees it."""
    return Target(
        "Environment",
        row.id,
        project=row.project_id,
        environment=row.id,
        attributes={"name": row.name, "production": row.production},
    )
