"""Who asks, and the words that every route shares: the door of a request."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.identity.authentication import authenticate
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.identity.tables import Principal, Project
from trustplane.kernel.operation import Idempotency
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import Target
from trustplane.values.clock import rfc3339
from trustplane.values.errors import BadInput, Unauthenticated

PREFIX = "/api/v1"
PROBLEMS: dict[int | str, dict[str, Any]] = {"default": {"description": "A problem document (RFC 9457)"}}
"""What every route may answer besides."""

T = TypeVar("T")
_bearer = HTTPBearer(auto_error=False, description="A token (`tp_…`) or the secret of a session.")
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Door:
    """The plane, and who asks it."""

    plane: Plane
    actor: Actor
    request: Request

    def may(self, action: str, target: Target, context: Mapping[str, Any] | None = None) -> None:
        """Authorise a reading of metadata; raise :class:`AccessDenied` otherwise."""
        self.plane.authorise(self.actor, action, target, context)

    def visible(self, action: str, target: Target) -> bool:
        """Whether a list may show it."""
        return self.plane.permits(self.actor, action, target)

    def project(self, session: Session, name: str) -> Project:
        """A project that the actor may see."""
        row = find_project(session, name)
        self.may("project.read", project_target(row))
        return row

    def idempotency(self, body: object = None) -> Idempotency | None:
        """The caller's ``Idempotency-Key``, bound to this request."""
        key = self.request.headers.get("idempotency-key")
        if key is None:
            return None
        if not key.isprintable() or not 1 <= len(key) <= LONGEST_KEY:
            raise BadInput("TP-API-003", f"an Idempotency-Key has 1 to {LONGEST_KEY} printable characters")
        said = msgspec.json.encode(body, order="sorted", enc_hook=str)
        url = self.request.url
        state = hashlib.sha256(f"{self.request.method} {url.path}?{url.query}\n".encode() + said)
        return Idempotency(key, state.hexdigest())

    def once(self, body: object, make: Callable[[Idempotency | None], str]) -> str:
        """The id of what ``make`` makes, or of what it made when the same request came before."""
        key = self.idempotency(body)
        return self.plane.replayed(self.actor, key) or make(key)


def plane_of(request: Request) -> Plane:
    """The plane that the application serves."""
    plane: Plane = request.app.state.plane
    return plane


def _door(
    request: Request,
    plane: Annotated[Plane, Depends(plane_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Door:
    if credentials is None:
        raise Unauthenticated("TP-IDENTITY-001", "a token is needed")
    actor = authenticate(plane.database, plane.token_key, credentials.credentials, plane.clock)
    return Door(plane, actor, request)


Asked = Annotated[Door, Depends(_door)]
"""The door of an authenticated request."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    cursor: str | None


def _page(
    limit: Annotated[int, Query(ge=1, le=500)] = 50, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> Page:
    return Page(limit, cursor)


Paged = Annotated[Page, Depends(_page)]


def listed(items: Iterable[dict[str, Any]], following: str | None = None) -> dict[str, Any]:
    """A list as every route answers it."""
    return {"items": list(items), "next": following}


def page_of(
    rows: Iterable[T], page: Page, key: Callable[[T], str], shape: Callable[[T], dict[str, Any]]
) -> dict[str, Any]:
    """The page of rows, newest first by id, that comes after the cursor."""
    after = [row for row in sorted(rows, key=key, reverse=True) if page.cursor is None or key(row) < page.cursor]
    part = after[: page.limit]
    return listed(map(shape, part), key(part[-1]) if len(after) > page.limit else None)


def names_of(session: Session) -> dict[str, str]:
    """The names of principals by id."""
    return {row.id: row.name for row in session.execute(select(Principal.id, Principal.name))}


def moment(value: Any) -> str | None:
    """A moment as JSON, or null."""
    return None if value is None else rfc3339(value)
