"""From a credential to an actor: tokens, sessions and log-in."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from trustplane.kernel.identity import throttle
from trustplane.kernel.identity.actors import Actor, RoleBinding
from trustplane.kernel.identity.passwords import check_password
from trustplane.kernel.identity.tables import Binding, LoginThrottle, Principal, Token
from trustplane.kernel.identity.tokens import looks_like_token, pseudonym, token_hash
from trustplane.kernel.store.engine import Database
from trustplane.values.clock import Clock
from trustplane.values.errors import TrustplaneError, Unauthenticated

SEEN_EVERY = timedelta(minutes=1)


def load_actor(session: Session, principal: Principal, token: Token | None) -> Actor:
    """The actor that a principal is, with its bindings."""
    bindings = session.execute(
        select(Binding.role, Binding.scope_kind, Binding.scope_id).where(Binding.principal_id == principal.id)
    ).all()
    return Actor(
        principal.id,
        principal.kind,
        principal.name,
        tuple(RoleBinding(*b) for b in bindings),
        ("*",) if token is None else tuple(token.scopes),
        principal.owner_id,
        None if token is None else token.id,
    )


def authenticate(database: Database, key: bytes, secret: str, clock: Clock) -> Actor:
    """The actor that holds this token or session; raise :class:`Unauthenticated` and do not say why."""
    refused = Unauthenticated("TP-IDENTITY-001", "the token is not accepted")
    if not looks_like_token(secret):
        raise refused
    now = clock.now()
    with database.read() as session:
        found = session.execute(
            select(Token, Principal)
            .join(Principal, Principal.id == Token.principal_id)
            .where(Token.secret_hash == token_hash(key, secret))
        ).one_or_none()
        if found is None:
            raise refused
        token, principal = found
        if token.revoked_at is not None or token.expires <= now or principal.disabled_at is not None:
            raise refused
        actor = load_actor(session, principal, token)
        stale = token.last_used is None or now - token.last_used > SEEN_EVERY
    if stale:
        with database.write() as session:
            session.execute(update(Token).where(Token.id == token.id).values(last_used=now))
    return actor


def log_in(database: Database, key: bytes, name: str, password: str, address: str, clock: Clock) -> Actor:
    """The user with this name and password; raise :class:`Unauthenticated` for a wrong pair or too many failures.

    Failures are counted for the name and for the address, both under keyed pseudonyms: what is typed as a name may be a password.
    """
    subjects = (pseudonym(key, "name", name), pseudonym(key, "address", address))
    now = clock.now()
    with database.read() as session:
        rows = {r.subject: r for r in session.scalars(select(LoginThrottle).where(LoginThrottle.subject.in_(subjects)))}
        held = max(throttle.wait(_attempts(rows.get(s)), now) for s in subjects)
        principal = session.scalar(select(Principal).where(Principal.name == name, Principal.kind == "user"))
        usable = principal is not None and principal.disabled_at is None
        stored = principal.password if principal is not None and usable else None
        actor = load_actor(session, principal, None) if principal is not None else None
    if held > timedelta(0):
        seconds = int(held.total_seconds()) + 1
        raise Unauthenticated("TP-IDENTITY-003", f"too many failed log-ins: try again in {seconds} seconds")
    try:
        check_password(stored, password)
    except TrustplaneError:
        _count(database, subjects, now)
        raise
    with database.write() as session:
        for row in session.scalars(select(LoginThrottle).where(LoginThrottle.subject == subjects[0])):
            session.delete(row)
    assert actor is not None
    return actor


def _attempts(row: LoginThrottle | None) -> throttle.Attempts | None:
    return None if row is None else throttle.Attempts(row.failures, row.since, row.locked_until)


def _count(database: Database, subjects: tuple[str, ...], now: datetime) -> None:
    with database.write() as session:
        for subject in subjects:
            row = session.get(LoginThrottle, subject)
            after = throttle.after_failure(_attempts(row), now)
            session.merge(
                LoginThrottle(
                    subject=subject, failures=after.failures, since=after.since, locked_until=after.locked_until
                )
            )
