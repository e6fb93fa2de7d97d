"""Principals, tokens, bindings, sessions, projects and environments."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, status
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Paged, listed, moment, page_of, plane_of
from trustplane.kernel.identity import principals as service
from trustplane.kernel.identity.authentication import log_in
from trustplane.kernel.identity.scopes import environment_target, find_environment, find_project, project_target
from trustplane.kernel.identity.tables import Binding, Environment, Principal, Project, Token
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import PLANE, Target
from trustplane.values.errors import NotFound

router = APIRouter(prefix=PREFIX, tags=["identity"], responses=PROBLEMS)
Made = status.HTTP_201_CREATED


class LogIn(BaseModel):
    """A user's name and password."""

    name: str = Field(max_length=200)
    password: SecretStr = Field(max_length=1024)


class NewPrincipal(BaseModel):
    """A user or a service to be made."""

    model_config = {"json_schema_extra": {"examples": [{"kind": "user", "name": "kim"}]}}
    kind: Literal["user", "service"] = "user"
    name: str
    password: SecretStr | None = Field(default=None, max_length=1024)
    owner: str | None = Field(
        default=None, description="Who answers for a service; its maker unless somebody is named."
    )


class NewToken(BaseModel):
    """A token to be issued."""

    label: str = Field(default="", max_length=200)
    scopes: list[str] = Field(default=["*"], min_length=1, max_length=100)
    days: float = Field(default=90, gt=0, le=366)


class NewBinding(BaseModel):
    """A role to be given, at the plane unless a project or an environment of it is named."""

    model_config = {"json_schema_extra": {"examples": [{"principal": "kim", "role": "scientist", "project": "credit"}]}}
    principal: str
    role: str
    project: str | None = None
    environment: str | None = None


class NewProject(BaseModel):
    """A project to be made."""

    model_config = {"json_schema_extra": {"examples": [{"name": "credit", "description": "Credit default risk"}]}}
    name: str
    description: str = Field(default="", max_length=2000)


class NewEnvironment(BaseModel):
    """An environment to be made."""

    name: str
    production: bool = False


# --- who


@router.get("/whoami")
def whoami(door: Asked) -> dict[str, Any]:
    """Who the token speaks for."""
    actor = door.actor
    roles = [{"role": b.role, "scope_kind": b.scope_kind, "scope_id": b.scope_id} for b in actor.bindings]
    return {"id": actor.id, "kind": actor.kind, "name": actor.name, "roles": roles, "scopes": list(actor.scopes)}


@router.post("/sessions", status_code=Made)
def open_session(body: LogIn, request: Request, plane: Annotated[Plane, Depends(plane_of)]) -> dict[str, Any]:
    """Log in with a password; the answer's token lasts for twelve hours."""
    address = request.client.host if request.client else "local"
    actor = log_in(plane.database, plane.token_key, body.name, body.password.get_secret_value(), address, plane.clock)
    made = service.open_session(plane, actor)
    return {"id": made.id, "token": made.secret}


@router.delete("/sessions/current", status_code=status.HTTP_204_NO_CONTENT)
def close_session(door: Asked) -> None:
    """Log out: the session or token that this request carries is accepted no more."""
    service.revoke_token(door.plane, door.actor, door.actor.token_id or "")


# --- principals


@router.get("/principals")
def principals(door: Asked, page: Paged) -> dict[str, Any]:
    """Users and services that the actor may see."""
    with door.plane.database.read() as session:
        rows = [
            r for r in session.scalars(select(Principal)) if door.visible("principal.read", service.account_target(r))
        ]
        return page_of(rows, page, lambda r: r.id, _principal)


@router.post("/principals", status_code=Made)
def create_principal(body: NewPrincipal, door: Asked) -> dict[str, Any]:
    """Make a user or a service."""
    password = None if body.password is None else body.password.get_secret_value()
    with door.plane.database.read() as session:
        owner = None if body.owner is None else service.find_principal(session, body.owner).id
    spec = service.PrincipalSpec(body.kind, body.name, password, owner)
    said = {"kind": body.kind, "name": body.name, "owner": body.owner}
    made = door.once(said, lambda key: service.create_principal(door.plane, door.actor, spec, key))
    with door.plane.database.read() as session:
        return _principal(session.get_one(Principal, made))


@router.get("/principals/{name}")
def principal(name: str, door: Asked) -> dict[str, Any]:
    """A user or a service."""
    with door.plane.database.read() as session:
        row = service.find_principal(session, name)
        door.may("principal.read", service.account_target(row))
        return _principal(row)


@router.post("/principals/{name}/disable")
def disable(name: str, door: Asked) -> dict[str, Any]:
    """Disable a principal: its tokens and sessions are accepted no more."""
    service.disable_principal(door.plane, door.actor, name)
    with door.plane.database.read() as session:
        return _principal(service.find_principal(session, name))


def _principal(row: Principal) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "owner": row.owner_id,
        "disabled": moment(row.disabled_at),
        "created": moment(row.created),
    }


# --- tokens


@router.get("/principals/{name}/tokens")
def tokens(name: str, door: Asked) -> dict[str, Any]:
    """The tokens of a principal, without their secrets."""
    with door.plane.database.read() as session:
        row = service.find_principal(session, name)
        door.may("token.read", service.account_target(row))
        found = session.scalars(select(Token).where(Token.principal_id == row.id).order_by(Token.id.desc()))
        return listed(map(_token, found))


@router.post("/principals/{name}/tokens", status_code=Made)
def issue_token(name: str, body: NewToken, door: Asked) -> dict[str, Any]:
    """Issue a token. Its secret is in this answer and nowhere else; a repeated request issues another."""
    made = service.issue_token(
        door.plane, door.actor, name, label=body.label, scopes=body.scopes, life=timedelta(days=body.days)
    )
    return {"id": made.id, "token": made.secret}


@router.delete("/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT)
def revoke_token(token_id: str, door: Asked) -> None:
    """Revoke a token, or end a session."""
    service.revoke_token(door.plane, door.actor, token_id)


def _token(row: Token) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "label": row.label,
        "scopes": row.scopes,
        "expires": moment(row.expires),
        "revoked": moment(row.revoked_at),
        "last_used": moment(row.last_used),
        "created": moment(row.created),
    }


# --- bindings


@router.get("/bindings")
def bindings(door: Asked, page: Paged, principal: str | None = None) -> dict[str, Any]:
    """Which roles are given to whom, as far as the actor may see the principals."""
    with door.plane.database.read() as session:
        query = select(Binding, Principal).join(Principal, Principal.id == Binding.principal_id)
        if principal is not None:
            query = query.where(Principal.id == service.find_principal(session, principal).id)
        rows = [
            (binding, who)
            for binding, who in session.execute(query)
            if door.visible("principal.read", service.account_target(who))
        ]
        return page_of(rows, page, lambda r: r[0].id, lambda r: _binding(*r))


@router.post("/bindings", status_code=Made)
def grant(body: NewBinding, door: Asked) -> dict[str, Any]:
    """Give a principal a role."""
    with door.plane.database.read() as session:
        scope = _scope(session, body)
    made = door.once(
        body.model_dump(), lambda _key: service.grant(door.plane, door.actor, body.principal, body.role, scope)
    )
    with door.plane.database.read() as session:
        row = session.get_one(Binding, made)
        return _binding(row, session.get_one(Principal, row.principal_id))


@router.delete("/bindings/{binding_id}", status_code=status.HTTP_204_NO_CONTENT)
def revoke(binding_id: str, door: Asked) -> None:
    """Take a role back."""
    service.revoke(door.plane, door.actor, binding_id)


def _scope(session: Session, body: NewBinding) -> Target:
    if body.project is None:
        if body.environment is not None:
            raise NotFound("TP-IDENTITY-008", "an environment is named by its project too")
        return PLANE
    project = find_project(session, body.project)
    if body.environment is None:
        return project_target(project)
    return environment_target(find_environment(session, project, body.environment))


def _binding(row: Binding, who: Principal) -> dict[str, Any]:
    return {
        "id": row.id,
        "principal": who.name,
        "principal_id": who.id,
        "role": row.role,
        "scope_kind": row.scope_kind,
        "scope_id": row.scope_id,
        "created": moment(row.created),
    }


# --- projects


@router.get("/projects")
def projects(door: Asked, page: Paged) -> dict[str, Any]:
    """The projects that the actor may see."""
    with door.plane.database.read() as session:
        rows = [r for r in session.scalars(select(Project)) if door.visible("project.read", project_target(r))]
        return page_of(rows, page, lambda r: r.id, _project)


@router.post("/projects", status_code=Made)
def create_project(body: NewProject, door: Asked) -> dict[str, Any]:
    """Make a project, with a key of its own."""
    made = door.once(
        body.model_dump(), lambda key: service.create_project(door.plane, door.actor, body.name, body.description, key)
    )
    with door.plane.database.read() as session:
        return _project(session.get_one(Project, made))


@router.get("/projects/{project}")
def project(project: str, door: Asked) -> dict[str, Any]:
    """A project."""
    with door.plane.database.read() as session:
        return _project(door.project(session, project))


@router.get("/projects/{project}/environments")
def environments(project: str, door: Asked) -> dict[str, Any]:
    """The environments of a project."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        found = session.scalars(select(Environment).where(Environment.project_id == row.id).order_by(Environment.id))
        return listed(_environment(e) for e in found if door.visible("environment.read", environment_target(e)))


@router.post("/projects/{project}/environments", status_code=Made)
def create_environment(project: str, body: NewEnvironment, door: Asked) -> dict[str, Any]:
    """Make an environment."""
    made = door.once(
        body.model_dump(),
        lambda _key: service.create_environment(door.plane, door.actor, project, body.name, production=body.production),
    )
    with door.plane.database.read() as session:
        return _environment(session.get_one(Environment, made))


def _project(row: Project) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "description": row.description, "created": moment(row.created)}


def _environment(row: Environment) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "production": row.production, "created": moment(row.created)}
