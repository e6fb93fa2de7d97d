"""Who looks at the console: the session cookie, and the form that makes one."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request, Response

from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.identity.authentication import authenticate
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import Target
from trustplane.values.errors import BadInput, Unauthenticated

COOKIE = "trustplane_session"
LONGEST_FORM = 8192
MOST_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Viewer:
    """The plane, who looks at it, and the request."""

    plane: Plane
    actor: Actor
    request: Request

    def may(self, action: str, target: Target) -> None:
        """Authorise a reading; raise :class:`AccessDenied` otherwise."""
        self.plane.authorise(self.actor, action, target)

    def sees(self, action: str, target: Target) -> bool:
        """Whether a list may show it."""
        return self.plane.permits(self.actor, action, target)


def _viewer(request: Request) -> Viewer:
    plane: Plane = request.app.state.plane
    secret = request.cookies.get(COOKIE)
    if not secret:
        raise Unauthenticated("TP-IDENTITY-001", "log in first")
    return Viewer(plane, authenticate(plane.database, plane.token_key, secret, plane.clock), request)


Looking = Annotated[Viewer, Depends(_viewer)]
"""The viewer of a page that needs a log-in."""


async def form_of(request: Request, longest: int = LONGEST_FORM, fields: int = MOST_FIELDS) -> dict[str, str]:
    """The fields of a form, once it is sure that a page of this console sent it."""
    check_origin(request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise BadInput("TP-CONSOLE-002", "the form is too large")
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=fields)
    except ValueError:
        raise BadInput("TP-CONSOLE-002", "the form cannot be read") from None
    return {name: values[0] for name, values in found.items()}


def check_origin(request: Request) -> None:
    """Raise unless the browser says that the form came from this very site. The cookie is ``SameSite=Strict`` besides."""
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or (origin and urlsplit(origin).netloc != request.headers.get("host")):
        raise BadInput("TP-CONSOLE-001", "the form came from another site")


def set_cookie(response: Response, request: Request, secret: str | None, life: int = 0) -> None:
    """Give the browser its session, or take it away."""
    settings: dict[str, Any] = {
        "httponly": True,
        "samesite": "strict",
        "secure": request.url.scheme == "https",
        "path": "/",
    }
    if secret is None:
        response.delete_cookie(COOKIE, **settings)
    else:
        response.set_cookie(COOKIE, secret, max_age=life, **settings)
