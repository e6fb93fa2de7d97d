"""A signed model that is served in staging, and those who may ask it."""

import asyncio
import json
from types import SimpleNamespace

import httpx
import pytest
from tests.unit.release.conftest import (  # noqa: F401 - fixtures
    assessed,
    fetch,
    graph,
    made_run,
    made_version,
    newest,
    person,
    ready,
    remembered,
)

from trustplane.kernel.identity import principals as people
from trustplane.release.signing import sign_version
from trustplane.rollout.deployments import deploy
from trustplane.serving.gateway import Gateway
from trustplane.serving.tables import Deployment

NAME = "risk-staging"
ROWS = [[50.0, 5.0], [10.0, 1.0]]


def body(rows=ROWS, **changes) -> bytes:
    """A request about some rows; ``changes`` are of its one input."""
    tensor = {"name": "features", "shape": [len(rows), 2], "datatype": "FP32", "data": rows}
    return json.dumps({"inputs": [{**tensor, **changes}]}).encode()


def bearer(held) -> dict[bytes, bytes]:
    """The header that a token comes in."""
    return {} if held is None else {b"authorization": f"Bearer {held}".encode("latin-1")}


@pytest.fixture
def deployed(plane, cast, made_version, fetch):  # noqa: F811
    """Sign a version and serve it in staging; give the deployment."""

    def make(name=None, **said):
        version = made_version(**said)
        sign_version(plane, cast["scientist"], version)
        made, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk", name=name)
        with plane.database.read() as session:
            return session.get_one(Deployment, made)

    return make


@pytest.fixture
def deployment(deployed):
    """The model ``risk`` in staging."""
    return deployed()


@pytest.fixture
def token(plane, cast):
    """Issue a token to one of the cast."""

    def issue(role="consumer", scopes=("*",), **said):
        return people.issue_token(plane, cast[role], cast[role].name, scopes=scopes, **said)

    return issue


class Behind:
    """What the gateway stands before; it keeps the paths that reach it."""

    def __init__(self):
        self.paths = []

    async def __call__(self, scope, receive, send):
        self.paths.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def behind():
    """The application behind the gateway."""
    return Behind()


@pytest.fixture
def gateway(plane, behind):
    """The gateway over the plane."""
    return Gateway(behind, SimpleNamespace(plane=plane))


@pytest.fixture
def together(gateway):
    """Send several requests at once: each is a method, a path, a token and a body."""

    async def send(requests):
        transport = httpx.ASGITransport(gateway, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await asyncio.gather(
                *(client.request(m, path, content=content, headers=bearer(held)) for m, path, held, content in requests)
            )

    return lambda requests: asyncio.run(send(requests))


@pytest.fixture
def ask(together):
    """Send one request."""

    def one(method, path, held=None, content=None):
        (answer,) = together([(method, path, held, content)])
        return answer

    return one
