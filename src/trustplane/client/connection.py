"""Connecting to a plane."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from trustplane.client import credentials, embedded
from trustplane.client.contracts import Contracts
from trustplane.client.data import Datasets, Views
from trustplane.client.governance import Controls, Keys, Ledger, Policies, Reports, Users
from trustplane.client.jobs import Jobs
from trustplane.client.models import Deployments, Models, infer
from trustplane.client.private import Statistics
from trustplane.client.records import Record, Records
from trustplane.client.requests import Requests, Retention
from trustplane.client.threats import Threats
from trustplane.client.training import Runs
from trustplane.client.transport import EmbeddedTransport
from trustplane.client.wire import Wire, segment
from trustplane.values.errors import BadInput, NotFound, Unauthenticated

WORKSPACE_FILE = "trustplane.toml"
_TIMEOUT = httpx.Timeout(600.0, connect=10.0)
_PATIENT = httpx.Timeout(None)
"""For a plane in this process: there is no network that could fail in silence."""


class Project:
    """One project of a plane."""

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self.name = name
        self.datasets = Datasets(wire, name)
        self.views = Views(wire, name)
        self.runs = Runs(wire, name)
        self.models = Models(wire, name)
        self.deployments = Deployments(wire, name)
        self.controls = Controls(wire, name)
        self.reports = Reports(wire, name)
        self.requests = Requests(wire, name)
        self.retention = Retention(wire, name)
        self.statistics = Statistics(wire, name)
        self.contracts = Contracts(wire, name)
        self.threats = Threats(wire, name)

        self.train = self.runs.train

    def __repr__(self) -> str:
        return f"Project({self.name!r})"

    def get(self) -> Record:
        """What is said of it."""
        return Record(self._wire.get(f"/projects/{segment(self.name)}"))

    def lineage(self) -> list[dict[str, Any]]:
        """What was made of what, as OpenLineage run events, the oldest first."""
        return list(self._wire.get(f"/projects/{segment(self.name)}/lineage")["items"])

    def environments(self) -> Records:
        """Its environments."""
        return Records(map(Record, self._wire.get(f"/projects/{segment(self.name)}/environments")["items"]))

    def create_environment(self, name: str, *, production: bool = False) -> Record:
        """Make an environment."""
        body = {"name": name, "production": production}
        return Record(self._wire.post(f"/projects/{segment(self.name)}/environments", body))


class Client:
    """A plane, as one principal sees it. Close it when done; it is a context manager."""

    def __init__(self, http: httpx.Client, shown: str, target: str | Path) -> None:
        self.target = target
        self._wire = Wire(http, shown)
        self.users = Users(self._wire)
        self.ledger = Ledger(self._wire)
        self.policies = Policies(self._wire)
        self.keys = Keys(self._wire)
        self.jobs = Jobs(self._wire)

    def __repr__(self) -> str:
        return f"Client({self._wire.shown!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; an embedded plane is closed with it."""
        self._wire.http.close()

    def as_user(self, token: str) -> "Client":
        """The same plane with another token. Close the first client only once the others are not used any more."""
        http = httpx.Client(
            base_url=self._wire.http.base_url,
            transport=_Shared(self._wire.http._transport),  # noqa: SLF001 - httpx has no other way to share one
            headers=_headers(token),
            timeout=self._wire.http.timeout,
        )
        return Client(http, self._wire.shown, self.target)

    def project(self, name: str) -> Project:
        """One project."""
        return Project(self._wire, name)

    def projects(self) -> Records:
        """The projects that you may see."""
        return Records(map(Record, self._wire.pages("/projects")))

    def create_project(self, name: str, description: str = "") -> Project:
        """Make a project, with a key of its own."""
        self._wire.post("/projects", {"name": name, "description": description})
        return self.project(name)

    def whoami(self) -> Record:
        """Who the token speaks for."""
        return Record(self._wire.get("/whoami"))

    def doctor(self) -> Record:
        """Whether the workspace can do its work."""
        return Record(self._wire.get("/doctor"))

    def terms(self) -> Record:
        """The terms for purposes and legal bases."""
        return Record(self._wire.get("/terms"))

    def log_in(self, name: str, password: str) -> Record:
        """Log in; return the session's id and token."""
        return Record(self._wire.post("/sessions", {"name": name, "password": password}))

    def log_out(self) -> None:
        """End the session or revoke the token that this client uses."""
        self._wire.delete("/sessions/current")

    def infer(
        self,
        deployment: str,
        rows: Sequence[Sequence[float]],
        input_name: str = "features",
        *,
        subject: str | None = None,
    ) -> Record:
        """Ask a deployment over the Open Inference Protocol v2. ``subject`` says whom the rows are about, so that the person can be given
        the answer and have it erased; it is kept as a keyed hash alone."""
        return infer(self._wire, deployment, rows, input_name, subject)

    def served(self, deployment: str) -> Record:
        """What a deployment takes and gives, in the words of the Open Inference Protocol v2."""
        return Record(self._wire.get(f"/v2/models/{segment(deployment)}"))

    def signing_key(self) -> str:
        """The public key that verifies the signatures of models, as PEM."""
        return self._wire.text("/signing-key")


class _Shared(httpx.BaseTransport):
    """A transport that another client owns and closes."""

    def __init__(self, owned: Any) -> None:
        self._owned = owned

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer: httpx.Response = self._owned.handle_request(request)
        return answer


def connect(target: str | Path | None = None, *, token: str | None = None, user: str | None = None) -> Client:
    """Connect to a plane: a URL, or a workspace's folder, whose application then runs in this process.

    Without a target it is ``TRUSTPLANE_URL``, else ``TRUSTPLANE_WORKSPACE``, else the workspace in this folder or one above it.
    The token is ``token``, else ``TRUSTPLANE_TOKEN``, else the one kept for ``user`` or for whoever logged in last.
    """
    place = locate(target)
    headers = _headers(token or os.environ.get("TRUSTPLANE_TOKEN") or credentials.load(place, user))
    if isinstance(place, Path):
        transport = EmbeddedTransport(embedded.application(place))
        http = httpx.Client(base_url="http://embedded", transport=transport, headers=headers, timeout=_PATIENT)
        return Client(http, str(place), place)
    _require_private(place)
    http = httpx.Client(base_url=place.rstrip("/"), headers=headers, timeout=_TIMEOUT)
    return Client(http, place, place)


def _require_private(url: str) -> None:
    """Raise for a plain HTTP address of another machine: the token would be readable on the way."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise BadInput("TP-CLIENT-007", "the address of the plane is no URL") from None
    if parsed.userinfo:
        raise BadInput("TP-CLIENT-007", "the address of the plane holds a name or a password", fix="log in instead")
    if parsed.scheme != "https" and parsed.host not in {"127.0.0.1", "::1", "localhost"}:
        raise BadInput(
            "TP-CLIENT-007", f"{parsed.host} would be asked without TLS", why="the token travels in a header"
        )


def locate(target: str | Path | None = None) -> str | Path:
    """What :func:`connect` would connect to: a URL, or the folder of a workspace."""
    said = target or os.environ.get("TRUSTPLANE_URL") or os.environ.get("TRUSTPLANE_WORKSPACE")
    if isinstance(said, str) and said.startswith(("http://", "https://")):
        return said
    if said is not None:
        return Path(said).resolve()
    here = Path.cwd()
    for folder in (here, here / "workspace", *here.parents):
        if (folder / WORKSPACE_FILE).is_file():
            return folder
    raise NotFound("TP-CLIENT-003", "there is no workspace here", why=f"none in {here} or above it")


def _headers(token: str | None) -> dict[str, str]:
    if token is None:
        return {}
    if not token.isascii() or not token.isprintable():
        raise Unauthenticated("TP-IDENTITY-001", "the token is not one: it holds characters that no token has")
    return {"Authorization": f"Bearer {token}"}
