"""Requests of data subjects, legal holds and retention."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from trustplane.client.files import PRIVATE
from trustplane.client.jobs import Job
from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment


class Requests:
    """What people ask of those who hold their data, in one project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/requests"

    def list(self) -> Records:
        """Every request, without what the person is called."""
        return Records(map(Record, self._wire.pages(self._at)))

    def get(self, request: str) -> Record:
        """One request: its clock, what was erased, and what that reached."""
        return Record(self._wire.get(self._path(request)))

    def open(
        self, kind: str, identifiers: Sequence[str | Mapping[str, str]], *, received: datetime | None = None
    ) -> Record:
        """Take a request. An identifier is a value, or ``{"value": …, "column": …}``; it is kept under a key of the request alone."""
        named = [{"value": each} if isinstance(each, str) else dict(each) for each in identifiers]
        body: dict[str, Any] = {"kind": kind, "identifiers": named}
        if received is not None:
            body["received"] = received.isoformat()
        return Record(self._wire.post(self._at, body))

    def verify(self, request: str, how: str) -> Record:
        """Record how the person was identified."""
        return self._say(request, "verify", {"how": how})

    def extend(self, request: str, ground: str) -> Record:
        """Take two further months, on a ground that the law names."""
        return self._say(request, "extend", {"ground": ground})

    def refuse(self, request: str, ground: str, answer: str) -> Record:
        """Refuse it on a ground that the law names; ``answer`` is what the person was told."""
        return self._say(request, "refuse", {"ground": ground, "answer": answer})

    def answer(self, request: str, answer: str) -> Record:
        """Close it; ``answer`` is what the person was told."""
        return self._say(request, "answer", {"answer": answer})

    def find(self, request: str) -> Records:
        """In how many rows of which versions the person stands."""
        return Records(map(Record, self._wire.get(f"{self._path(request)}/rows")["items"]))

    def export(self, request: str, target: str | Path, form: str = "json") -> Path:
        """Write everything that is held of the person to a file that only you can read, as ``json`` or ``csv``."""
        return self._wire.fetch(f"{self._path(request)}/export", target, mode=PRIVATE, format=form)

    def erase(self, request: str) -> Job:
        """Erase the person. The job can be followed."""
        return Job(self._wire, self._wire.post(f"{self._path(request)}/erase")["job_id"])

    def decide(
        self,
        request: str,
        thing: str,
        outcome: str,
        *,
        reason: str,
        until: datetime | None = None,
        evidence: str = "",
    ) -> Record:
        """Record what becomes of a model version or run that the person's rows went into."""
        body: dict[str, Any] = {"thing": thing, "outcome": outcome, "reason": reason, "evidence": evidence}
        if until is not None:
            body["until"] = until.isoformat()
        return self._say(request, "outcomes", body)

    def _path(self, request: str) -> str:
        return f"{self._at}/{segment(request)}"

    def _say(self, request: str, what: str, body: dict[str, Any]) -> Record:
        return Record(self._wire.post(f"{self._path(request)}/{what}", body))


class Retention:
    """How long the datasets of one project are kept."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._project = f"/projects/{segment(project)}"

    def overdue(self) -> Records:
        """The versions that are past their retention and can still be read."""
        return Records(map(Record, self._wire.get(f"{self._project}/retention")["items"]))

    def run(self) -> Job:
        """Destroy now what has expired. The job can be followed."""
        return Job(self._wire, self._wire.post(f"{self._project}/retention")["job_id"])

    def schedule(self, cron: str = "0 3 * * *") -> Record:
        """Have what has expired destroyed by the calendar."""
        return Record(self._wire.put(f"{self._project}/retention/schedule", {"cron": cron}))

    def hold(self, dataset: str, reason: str) -> Record:
        """Put a dataset under a legal hold."""
        return Record(self._wire.post(f"{self._project}/datasets/{segment(dataset)}/hold", {"reason": reason}))

    def lift(self, dataset: str, reason: str) -> Record:
        """Lift a legal hold."""
        return Record(self._wire.post(f"{self._project}/datasets/{segment(dataset)}/lift-hold", {"reason": reason}))
