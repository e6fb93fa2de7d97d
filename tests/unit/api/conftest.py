"""An application over a workspace of its own, and people with tokens."""

import httpx
import pytest

from trustplane.api.app import create_app
from trustplane.client.transport import EmbeddedTransport
from trustplane.kernel.identity import principals as people
from trustplane.kernel.plane import Plane

API = "/api/v1"
PASSWORD = "correct horse battery staple"


class Caller:
    """An application, and who calls it."""

    def __init__(self, app, http):
        self.app = app
        self.http = http
        self.tokens = {}

    @property
    def plane(self):
        return self.app.state.plane

    def call(self, method, path, who=None, **said):
        headers = dict(said.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(who, who)}"
        url = path if path.startswith(("/v2", "/log", "/console")) or path == "/" else API + path
        return self.http.request(method, url, headers=headers, **said)


@pytest.fixture
def caller(workspace, monkeypatch):
    """The application over a fresh workspace; ``ada`` is its owner."""
    monkeypatch.setenv("TRUSTPLANE_DATABASE_URL", workspace.database_url)
    with Plane(workspace) as plane:
        with plane.database.read() as session:
            ada = people.find_principal(session, "ada").id
        token = people.issue_token(plane, plane.stand_in(ada, ("*",)), "ada").secret
    app = create_app(workspace.folder)
    with httpx.Client(transport=EmbeddedTransport(app), base_url="http://embedded", timeout=120) as http:
        made = Caller(app, http)
        made.tokens["ada"] = token
        yield made


@pytest.fixture
def peopled(caller):
    """The same with a project, its environments, and one user for each role."""
    caller.call("POST", "/projects", "ada", json={"name": "credit"})
    for name, production in (("staging", False), ("production", True)):
        caller.call("POST", "/projects/credit/environments", "ada", json={"name": name, "production": production})
    for role in ("data-steward", "scientist", "reviewer", "operator", "auditor", "consumer", "owner"):
        caller.call("POST", "/principals", "ada", json={"name": role, "password": PASSWORD})
        body = {"principal": role, "role": role, **({} if role == "owner" else {"project": "credit"})}
        caller.call("POST", "/bindings", "ada", json=body)
        answer = caller.call("POST", "/sessions", json={"name": role, "password": PASSWORD})
        caller.tokens[role] = answer.json()["token"]
    return caller
