"""Principals, the ledger, policies, controls, reports and keys."""

import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from trustplane.client.files import whole
from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment, strange


class Users:
    """Users and services, their tokens and roles."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self) -> Records:
        """Everybody that you may see."""
        return Records(map(Record, self._wire.pages("/principals")))

    def create(self, name: str, *, kind: str = "user", password: str | None = None, owner: str | None = None) -> Record:
        """Make a user or a service. ``owner`` is who answers for a service; you, unless somebody is named."""
        body = {"kind": kind, "name": name, "password": password, "owner": owner}
        return Record(self._wire.post("/principals", body))

    def disable(self, name: str) -> Record:
        """Accept nothing of theirs any more."""
        return Record(self._wire.post(f"/principals/{segment(name)}/disable"))

    def grant(self, name: str, role: str, *, project: str | None = None, environment: str | None = None) -> Record:
        """Give a role, at the plane unless a project or an environment is named."""
        body = {"principal": name, "role": role, "project": project, "environment": environment}
        return Record(self._wire.post("/bindings", body))

    def revoke(self, binding: str) -> None:
        """Take a role back."""
        self._wire.delete(f"/bindings/{segment(binding)}")

    def bindings(self, name: str | None = None) -> Records:
        """Which roles are given to whom."""
        return Records(map(Record, self._wire.pages("/bindings", principal=name)))

    def issue_token(self, name: str, *, label: str = "", scopes: Sequence[str] = ("*",), days: float = 90) -> Record:
        """Issue a token; its secret is in the answer and nowhere else."""
        body = {"label": label, "scopes": list(scopes), "days": days}
        return Record(self._wire.post(f"/principals/{segment(name)}/tokens", body))

    def tokens(self, name: str) -> Records:
        """The tokens of a principal, without their secrets."""
        return Records(map(Record, self._wire.get(f"/principals/{segment(name)}/tokens")["items"]))

    def revoke_token(self, token: str) -> None:
        """Revoke a token."""
        self._wire.delete(f"/tokens/{segment(token)}")


class Ledger:
    """The ledger of a plane."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def events(self, limit: int = 50, cursor: str | None = None, **wanted: str | None) -> Record:
        """A page of events, the newest first: ``items`` and ``next``. ``wanted``: action, resource, actor, outcome."""
        return Record(self._wire.get("/ledger/events", limit=limit, cursor=cursor, **wanted))

    def show(self, event: str) -> Record:
        """An event with its payload, checked against the commitment in its leaf."""
        return Record(self._wire.get(f"/ledger/events/{segment(event)}"))

    def prove(self, event: str) -> str:
        """The receipt of an event."""
        return self._wire.text(f"/ledger/events/{segment(event)}/receipt")

    def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        return self._wire.text("/ledger/checkpoint")

    def vkey(self) -> str:
        """The key that verifies checkpoints."""
        return self._wire.text("/ledger/vkey")

    def verify(self) -> Record:
        """Recompute the log, and compare the database and the objects with it."""
        return Record(self._wire.post("/ledger/verify"))

    def export(self, target: str | Path) -> Path:
        """Write the log as a folder that ``verify_log.py`` checks."""
        out = Path(target)
        out.mkdir(parents=True, exist_ok=True)
        with self._wire.stream("/ledger/export") as answer:
            source: Any = _Sequential(answer.iter_bytes())
            try:
                with tarfile.open(fileobj=source, mode="r|") as packed:
                    for member in packed:
                        _unpack(packed, member, out)
            except tarfile.TarError:
                raise strange("a log with files that do not belong there", answer.status_code) from None
        return out


def _unpack(packed: tarfile.TarFile, member: tarfile.TarInfo, out: Path) -> None:
    """A plain file or folder of the log, and nothing else: whoever answers is not trusted with where files go."""
    top, *inner = PurePosixPath(member.name).parts or ("",)
    if top != "ledger" or ".." in inner or not (member.isdir() or member.isreg()):
        raise tarfile.TarError
    target = out.joinpath(*inner)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    content = packed.extractfile(member)
    if content is None:
        raise tarfile.TarError
    with whole(target) as file:
        shutil.copyfileobj(content, file)


class _Sequential:
    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks
        self._left = b""

    def read(self, size: int) -> bytes:
        while len(self._left) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._left += chunk
        taken, self._left = self._left[:size], self._left[size:]
        return taken


class Policies:
    """The policies of a plane."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self) -> Records:
        """Every text, built in or proposed."""
        return Records(map(Record, self._wire.get("/policies")["items"]))

    def explain(self, principal: str, action: str, **where: Any) -> Record:
        """What policy says, by which policies, and which roles would be allowed. ``where``: project, environment, context, attributes."""
        return Record(self._wire.post("/policies/explain", {"principal": principal, "action": action, **where}))

    def test(self) -> Record:
        """Run the cases beside the policies."""
        return Record(self._wire.post("/policies/test"))

    def propose(self, name: str, text: str) -> Record:
        """Propose a text."""
        return Record(self._wire.post("/policies", {"name": name, "text": text}))

    def accept(self, name: str) -> Record:
        """Put a proposed text in force."""
        return Record(self._wire.post(f"/policies/{segment(name)}/accept"))


class Controls:
    """The controls, and what they find in a project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}"

    def list(self) -> Records:
        """Every registered control."""
        return Records(map(Record, self._wire.get("/controls")["items"]))

    def evaluate(self) -> Record:
        """Evaluate all of them, and keep the findings."""
        return Record(self._wire.post(f"{self._at}/evaluations"))

    def findings(self) -> Records:
        """The newest finding of each control on each subject."""
        return Records(map(Record, self._wire.get(f"{self._at}/findings")["items"]))


class Reports:
    """The reports of a project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/reports"

    def list(self) -> Records:
        """Every report."""
        return Records(map(Record, self._wire.pages(self._at)))

    def create(self) -> Record:
        """Evaluate the controls and make a report."""
        return Record(self._wire.post(self._at))

    def fetch(self, report: str, target: str | Path, kind: str = "html") -> Path:
        """Fetch a report into a file, as ``html`` or ``json``."""
        return self._wire.fetch(f"{self._at}/{segment(report)}", target, format=kind)


class Keys:
    """The keys of a plane: what there is, never the keys themselves."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self, project: str | None = None) -> Records:
        """What each key protects, and whether it still can."""
        return Records(map(Record, self._wire.pages("/keys", project=project)))

    def rotate(self) -> Record:
        """Put every key under a new root."""
        return Record(self._wire.post("/keys/rotation"))

    def destroy(self, key: str, *, reason: str) -> Record:
        """Destroy a key and all below it; return the certificate with its receipt."""
        return Record(self._wire.post(f"/keys/{segment(key)}/destruction", {"reason": reason}))
