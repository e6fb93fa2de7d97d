"""Operations on principals, bindings, tokens, sessions, projects and environments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.identity.passwords import hash_password
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.identity.tables import Binding, Environment, Principal, Project, Token
from trustplane.kernel.identity.tokens import PREFIX, SESSION_PREFIX, NewToken, new_secret, token_hash
from trustplane.kernel.policy.requests import account
from trustplane.kernel.policy.roles import check_role
from trustplane.kernel.policy.scopes import parse_scopes
from trustplane.kernel.target import PLANE, Target
from trustplane.kernel.vault.keyring import KeySpec, hold_root, mint
from trustplane.values.errors import BadInput, Conflict, NotFound, nearest
from trustplane.values.ids import check_name, new_id

if TYPE_CHECKING:
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

SESSION_LIFE = timedelta(hours=12)
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)


@dataclass(frozen=True, slots=True)
class PrincipalSpec:
    """A user or a service to be made. A service has an owner, the user who answers for it."""

    kind: str
    name: str
    password: str | None = field(default=None, repr=False)
    owner_id: str | None = None


def find_principal(session: Session, name_or_id: str) -> Principal:
    """The principal with this name or id."""
    row = session.scalar(select(Principal).where((Principal.name == name_or_id) | (Principal.id == name_or_id)))
    if row is None:
        names = list(session.scalars(select(Principal.name)))
        raise NotFound("TP-IDENTITY-005", f"there is no principal {name_or_id[:80]!r}", why=nearest(name_or_id, names))
    return row


def account_target(row: Principal) -> Target:
    """A principal's account as policy sees it."""
    return Target("Account", row.id, attributes={"owner": account(row.owner_id or row.id)})


def create_principal(
    plane: "Plane", actor: Actor, spec: PrincipalSpec, idempotency: "Idempotency | None" = None
) -> str:
    """Make a user or a service; return its id."""
    check_name(spec.kind, spec.name)
    if spec.kind not in {"user", "service"}:
        raise BadInput("TP-IDENTITY-005", f"a principal is a user or a service, not a {spec.kind[:20]}")
    hashed = None if spec.password is None else hash_password(spec.password)
    owner_id = (spec.owner_id or actor.answerable) if spec.kind == "service" else None
    with plane.operation(actor, "principal.create", PLANE, idempotency=idempotency) as op:
        if op.session.scalar(select(Principal.id).where(Principal.name == spec.name)) is not None:
            raise Conflict("TP-IDENTITY-006", f"the name {spec.name!r} is taken")
        row = Principal(
            id=new_id(),
            kind=spec.kind,
            name=spec.name,
            owner_id=owner_id,
            password=hashed,
            disabled_at=None,
            created=plane.clock.now(),
        )
        op.session.add(row)
        op.about(account_target(row))
        op.record(kind=spec.kind)
        op.made(row.id)
    return row.id


def disable_principal(plane: "Plane", actor: Actor, name_or_id: str) -> None:
    """Disable a principal: its tokens and sessions are accepted no more."""
    with plane.database.read() as session:
        target = account_target(find_principal(session, name_or_id))
    with plane.operation(actor, "principal.disable", target) as op:
        row = op.session.get_one(Principal, target.id)
        row.disabled_at = row.disabled_at or plane.clock.now()
        op.record(principal=row.id)


def grant(plane: "Plane", actor: Actor, principal: str, role: str, scope: Target) -> str:
    """Bind a role to a principal at a scope (the plane, a project or an environment); return the binding's id."""
    check_role(role)
    with plane.database.read() as session:
        row = find_principal(session, principal)
    context = {"grantee": account(row.owner_id or row.id), "role": role}
    with plane.operation(actor, "binding.grant", scope, context=context) as op:
        kind = scope.type.lower()
        known = op.session.scalar(
            select(Binding).where(
                Binding.principal_id == row.id,
                Binding.role == role,
                Binding.scope_kind == kind,
                Binding.scope_id == scope.id,
            )
        )
        if known is not None:
            raise Conflict("TP-IDENTITY-006", f"{row.name} has the role {role} there already")
        binding = Binding(
            id=new_id(), principal_id=row.id, role=role, scope_kind=kind, scope_id=scope.id, created=plane.clock.now()
        )
        op.session.add(binding)
        op.record(principal=row.id, role=role, binding=binding.id)
        op.made(binding.id)
    return binding.id


def revoke(plane: "Plane", actor: Actor, binding_id: str) -> None:
    """Take a role back."""
    with plane.database.read() as session:
        binding = session.get(Binding, binding_id)
        if binding is None:
            raise NotFound("TP-IDENTITY-009", f"there is no binding {binding_id[:64]!r}")
        principal = session.get_one(Principal, binding.principal_id)
        scope = scope_target(session, binding.scope_kind, binding.scope_id)
    context = {"grantee": account(principal.owner_id or principal.id), "role": binding.role}
    with plane.operation(actor, "binding.revoke", scope, context=context) as op:
        op.session.delete(op.session.get_one(Binding, binding_id))
        op.record(principal=principal.id, role=binding.role, binding=binding_id)


def scope_target(session: Session, kind: str, scope_id: str) -> Target:
    """The scope of a binding as policy sees it."""
    from trustplane.kernel.identity.scopes import environment_target

    match kind:
        case "plane":
            return PLANE
        case "project":
            return project_target(find_project(session, scope_id))
        case _:
            row = session.get(Environment, scope_id)
            if row is None:
                raise NotFound("TP-IDENTITY-008", f"there is no environment {scope_id[:64]!r}")
            return environment_target(row)


def issue_token(
    plane: "Plane",
    actor: Actor,
    principal: str,
    *,
    label: str = "",
    scopes: Sequence[str] = ("*",),
    life: timedelta = timedelta(days=90),
) -> NewToken:
    """Issue a token for oneself or for a service that one answers for. Its secret is in the answer and nowhere else."""
    held = parse_scopes(scopes)
    if not SHORTEST <= life <= LONGEST:
        raise BadInput("TP-IDENTITY-010", "a token lives for at least one minute and at most 366 days")
    with plane.database.read() as session:
        row = find_principal(session, principal)
    secret = new_secret(PREFIX)
    with plane.operation(actor, "token.issue", account_target(row), context={"scopes": held}) as op:
        token = _token(plane, row.id, "token", secret, life)
        token.scopes, token.label = list(held), label[:200]
        op.session.add(token)
        op.record(token=token.id, scopes=list(held), expires=int(token.expires.timestamp()))
        op.made(token.id)
    return NewToken(token.id, secret)


def revoke_token(plane: "Plane", actor: Actor, token_id: str) -> None:
    """Revoke a token or end a session; it is accepted no more from the next request on."""
    with plane.database.read() as session:
        token = session.get(Token, token_id)
        if token is None:
            raise NotFound("TP-IDENTITY-009", f"there is no token {token_id[:64]!r}")
        target = account_target(session.get_one(Principal, token.principal_id))
    with plane.operation(actor, "session.close" if token.kind == "session" else "token.revoke", target) as op:
        row = op.session.get_one(Token, token_id)
        row.revoked_at = row.revoked_at or plane.clock.now()
        op.record(token=token_id)


def open_session(plane: "Plane", actor: Actor) -> NewToken:
    """Open a console session for an actor that has just logged in."""
    with plane.database.read() as session:
        target = account_target(session.get_one(Principal, actor.id))
    secret = new_secret(SESSION_PREFIX)
    with plane.operation(actor, "session.open", target) as op:
        token = _token(plane, actor.id, "session", secret, SESSION_LIFE)
        token.scopes = ["*"]
        op.session.add(token)
        op.record(session=token.id)
    return NewToken(token.id, secret)


def _token(plane: "Plane", principal_id: str, kind: str, secret: str, life: timedelta) -> Token:
    now = plane.clock.now()
    return Token(
        id=new_id(),
        principal_id=principal_id,
        kind=kind,
        label="",
        secret_hash=token_hash(plane.token_key, secret),
        created=now,
        expires=now + life,
        revoked_at=None,
        last_used=None,
    )


def create_project(
    plane: "Plane", actor: Actor, name: str, description: str = "", idempotency: "Idempotency | None" = None
) -> str:
    """Make a project with a key of its own, under which all its data will lie; return its id."""
    check_name("project", name)
    with plane.operation(actor, "project.create", PLANE, idempotency=idempotency) as op:
        if op.session.scalar(select(Project.id).where(Project.name == name)) is not None:
            raise Conflict("TP-IDENTITY-006", f"the name {name!r} is taken")
        project_id, now = new_id(), plane.clock.now()
        hold_root(op.session)
        key, _ = mint(plane.keystore, KeySpec("project", f"project:{project_id}", project_id), now)
        row = Project(id=project_id, name=name, description=description[:2000], key_id=key.id, created=now)
        op.session.add_all((key, row))
        op.about(project_target(row))
        op.record(key=key.id)
        op.made(row.id)
    return row.id


def create_environment(plane: "Plane", actor: Actor, project: str, name: str, *, production: bool = False) -> str:
    """Make an environment in a project; return its id."""
    check_name("environment", name)
    with plane.database.read() as session:
        scope = project_target(find_project(session, project))
    with plane.operation(actor, "environment.create", scope) as op:
        taken = select(Environment.id).where(Environment.project_id == scope.id, Environment.name == name)
        if op.session.scalar(taken) is not None:
            raise Conflict("TP-IDENTITY-006", f"the name {name!r} is taken in this project")
        row = Environment(id=new_id(), project_id=scope.id, name=name, production=production, created=plane.clock.now())
        op.session.add(row)
        op.record(environment=row.id, production=production)
        op.made(row.id)
    return row.id
