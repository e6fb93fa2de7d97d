"""Jobs."""

from collections.abc import Iterator
from typing import Any

import msgspec

from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment
from trustplane.values.errors import TrustplaneError, Unavailable, catalogue


class Job:
    """One job."""

    def __init__(self, wire: Wire, job_id: str) -> None:
        self._wire = wire
        self.id = job_id

    def __repr__(self) -> str:
        return f"Job({self.id!r})"

    def status(self) -> Record:
        """The job as it stands."""
        return Record(self._wire.get(f"/jobs/{segment(self.id)}"))

    def follow(self) -> Iterator[Record]:
        """Its progress from the beginning until it ends: ``done``, ``total``, ``message``."""
        with self._wire.stream(f"/jobs/{segment(self.id)}/progress") as answer:
            for line in answer.iter_lines():
                yield Record(msgspec.json.decode(line))

    def wait(self) -> Any:
        """Wait for its end and return its result; raise its error if it failed."""
        for _ in self.follow():
            pass
        status = self.status()
        if status.error is not None:
            raise _failure(status.error)
        if status.state != "succeeded":
            raise Unavailable("TP-JOB-008", f"job {self.id} has no result", why=f"it is {status.state}")
        return status.result

    def cancel(self) -> Record:
        """Take it back, or end it at its next step."""
        return Record(self._wire.post(f"/jobs/{segment(self.id)}/cancel"))


class Jobs:
    """The jobs of a plane."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self, limit: int = 50) -> Records:
        """The newest jobs that you may see."""
        return Records(map(Record, self._wire.get("/jobs", limit=limit)["items"]))

    def get(self, job_id: str) -> Job:
        """One job."""
        return Job(self._wire, job_id)

    def schedules(self) -> Records:
        """What starts by the calendar."""
        return Records(map(Record, self._wire.get("/schedules")["items"]))


def _failure(problem: dict[str, Any]) -> TrustplaneError:
    code = problem.get("code", "TP-CLIENT-002")
    known = code if code in catalogue() else "TP-CLIENT-002"
    what = str(problem.get("detail", "the job failed"))
    return Unavailable(known, what, why=str(problem.get("why", "")), fix=str(problem.get("fix", "")))
