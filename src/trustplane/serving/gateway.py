"""The inference gateway: the Open Inference Protocol v2 under ``/v2``, as plain ASGI."""

import re
from typing import Any

import anyio.to_thread
import msgspec

from trustplane import __version__
from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.identity.authentication import authenticate
from trustplane.kernel.plane import Plane
from trustplane.serving.inference import infer, metadata, ready
from trustplane.serving.loading import Shelf
from trustplane.values.errors import BadInput, NotFound, TrustplaneError, Unauthenticated

LARGEST = 8 << 20
_MODEL = re.compile(r"/v2/models/(?P<name>[^/]{1,128})(/versions/(?P<version>[^/]{1,20}))?(?P<rest>/infer|/ready)?\Z")


class Gateway:
    """Answers ``/v2``; hands everything else on to the application that it stands before."""

    def __init__(self, app: Any, state: Any) -> None:
        self._app = app
        self._state = state
        self._shelf: Shelf | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == "/v2" or path.startswith("/v2/")):
            await self._app(scope, receive, send)
            return
        try:
            status, body = 200, await self._answer(scope, receive)
        except TrustplaneError as error:
            status, body = error.status, {"error": str(error), **error.problem()}
        await _send(send, status, body)

    async def _answer(self, scope: dict[str, Any], receive: Any) -> Any:
        path, plane = scope["path"].rstrip("/"), self._state.plane
        match scope["method"], path:
            case "GET", "/v2":
                return {"name": "trustplane", "version": __version__, "extensions": []}
            case "GET", "/v2/health/live":
                return {"live": True}
            case "GET", "/v2/health/ready":
                return {"ready": True}
        named = _MODEL.match(path)
        if named is None:
            raise NotFound("TP-SERVING-010", "the gateway has no such path")
        name, version = named["name"], named["version"]
        if self._shelf is None:
            self._shelf = Shelf(plane)
        body = await _body(receive) if scope["method"] == "POST" else b""
        actor = await anyio.to_thread.run_sync(_actor, plane, scope)
        match scope["method"], named["rest"]:
            case "GET", None:
                return await anyio.to_thread.run_sync(metadata, plane, self._shelf, actor, name, version)
            case "GET", "/ready":
                return await anyio.to_thread.run_sync(ready, plane, self._shelf, actor, name, version)
            case "POST", "/infer":
                return await anyio.to_thread.run_sync(infer, plane, self._shelf, actor, name, body, version)
        raise NotFound("TP-SERVING-010", "the gateway has no such path")


def mount(app: Any) -> None:
    """Put the gateway before an application whose state holds the plane."""
    app.add_middleware(Gateway, state=app.state)


def _actor(plane: Plane, scope: dict[str, Any]) -> Actor:
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return authenticate(plane.database, plane.token_key, value[7:].decode("latin-1").strip(), plane.clock)
    raise Unauthenticated("TP-IDENTITY-001", "a token is needed")


async def _body(receive: Any) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BadInput("TP-SERVING-002", "the request was cut short")
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST:
            raise BadInput("TP-SERVING-011", f"the request is larger than {LARGEST >> 20} MiB")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(send: Any, status: int, body: Any) -> None:
    data = msgspec.json.encode(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(data)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
