"""Models, deployments, and asking a deployment."""

import base64
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from trustplane.client.files import ORDINARY, PRIVATE
from trustplane.client.jobs import Job
from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment
from trustplane.values.errors import BadInput

LARGEST = 10 << 20
"""Of a file that is sent along to be converted."""


class Models:
    """The models of a project. Where no number is given, the newest version is meant."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/models"
        self._assessments = f"/projects/{segment(project)}/assessments"

    def list(self) -> Records:
        """Every model that you may see."""
        return Records(map(Record, self._wire.pages(self._at)))

    def get(self, model: str) -> Record:
        """A model with its versions."""
        return Record(self._wire.get(f"{self._at}/{segment(model)}"))

    def version(self, model: str, number: int | None = None) -> Record:
        """A version with all that was found and decided about it."""
        return Record(self._wire.get(self._path(model, number)))

    def register(self, model: str, run: str, artifact: str = "model.onnx") -> Record:
        """Register an output of a run as the next version."""
        return Record(self._wire.post(f"{self._at}/{segment(model)}/versions", {"run": run, "artifact": artifact}))

    def convert(
        self, artifact: str | Path, *, run: str | None = None, to: str = "auto", tolerance: float = 1e-5, **said: Any
    ) -> Record:
        """Convert a pickle into a format that holds no code, by a run in the sandbox; return that run, which has a job.

        ``artifact`` is an output of ``run``, or a file here that is sent along. ``to`` is a format, or ``auto``; ``tolerance`` says how far
        the answers of both may lie apart. ``said`` may hold ``views``, whose rows both answer, ``seed`` and ``profile``.
        """
        body: dict[str, Any] = {"artifact": str(artifact), "to": to, "tolerance": tolerance, **said}
        if run is None:
            path = Path(artifact)
            if not path.is_file():
                raise BadInput("TP-CLIENT-005", f"there is no file {path}")
            if path.stat().st_size > LARGEST:
                raise BadInput("TP-RELEASE-030", f"{path} is larger than {LARGEST >> 20} MiB")
            body |= {"artifact": path.name, "data": base64.b64encode(path.read_bytes()).decode()}
        else:
            body["run"] = run
        return Record(self._wire.post(f"{self._at.removesuffix('/models')}/conversions", body))

    def sign(self, model: str, number: int | None = None) -> Record:
        """Sign a version; return its DSSE envelope."""
        return Record(self._wire.post(f"{self._path(model, number)}/signature"))

    def assess(
        self, model: str, number: int | None = None, *, seed: int = 0, suite: Mapping[str, Any] | None = None
    ) -> Job:
        """Measure a version on its hold-out; return the job that does it."""
        body = {"seed": seed, "suite": dict(suite or {})}
        return Job(self._wire, self._wire.post(f"{self._path(model, number)}/assessments", body)["job"])

    def reasons(
        self,
        model: str,
        rows: Sequence[Mapping[str, float | None]],
        number: int | None = None,
        *,
        counterfactual: bool = False,
    ) -> Record:
        """What a version decides about rows, each feature by its name, and the principal reasons where that is unfavourable.

        With ``counterfactual`` also the cheapest changes within the threat model that would turn such a decision.
        """
        body = {"rows": [dict(row) for row in rows], "counterfactual": counterfactual}
        return Record(self._wire.post(f"{self._path(model, number)}/reasons", body))

    def draft_suite(self, model: str, number: int | None = None) -> str:
        """The first suite for a version, as TOML: every rule with its default and where that comes from."""
        return self._wire.text(f"{self._path(model, number)}/suite")

    def compare(self, model: str, before: int, after: int | None = None) -> Record:
        """The newest assessments of two versions side by side."""
        return Record(self._wire.get(f"{self._path(model, after)}/comparison", against=before))

    def trend(self, model: str) -> Records:
        """The newest assessment of each version, the oldest version first."""
        return Records(map(Record, self._wire.get(f"{self._at}/{segment(model)}/trend")["items"]))

    def fetch_report(
        self,
        model: str,
        target: str | Path,
        number: int | None = None,
        *,
        assessment: str | None = None,
        kind: str = "html",
        rows: bool = False,
    ) -> Path:
        """Fetch an assessment, the newest unless one is named, as a page (``html``) or for machines (``json``) into a file.

        With ``rows`` it shows the first rows that are kept sealed as evidence; that they were opened is recorded.
        """
        at = self._path(model, number)
        if assessment is None:
            made = self._wire.get(f"{at}/assessments")["items"]
            if not made:
                raise BadInput(
                    "TP-ASSESS-006", f"the version of {model!r} was not assessed", fix=f"trustplane assess {model}"
                )
            assessment = made[0]["id"]
        mode = PRIVATE if rows else ORDINARY
        return self._wire.fetch(
            f"{at}/assessments/{segment(assessment)}/report", target, mode=mode, format=kind, rows=rows or None
        )

    def evidence(self, assessment: str) -> Records:
        """What an assessment keeps sealed, by name: how many rows, and their digest."""
        return Records(map(Record, self._wire.get(f"{self._assessments}/{segment(assessment)}/evidence")["items"]))

    def open_evidence(self, assessment: str, name: str, limit: int | None = None) -> Records:
        """Rows that a check left, those that show most first: what changed in each. That they were opened is recorded."""
        at = f"{self._assessments}/{segment(assessment)}/evidence/{segment(name)}"
        return Records(map(Record, self._wire.get(at, format="json", limit=limit)["items"]))

    def fetch_evidence(self, assessment: str, name: str, target: str | Path) -> Path:
        """Fetch rows that a check left into a Parquet file that only you may read. That they were opened is recorded."""
        at = f"{self._assessments}/{segment(assessment)}/evidence/{segment(name)}"
        return self._wire.fetch(at, target, mode=PRIVATE, format="parquet")

    def gate(self, model: str, number: int | None = None) -> Record:
        """Ask the gate whether the version may be approved."""
        return Record(self._wire.post(f"{self._path(model, number)}/gate"))

    def approve(self, model: str, number: int | None = None, *, reason: str) -> Record:
        """Approve a version; the answer holds the receipt."""
        body = {"decision": "approved", "reason": reason}
        return Record(self._wire.post(f"{self._path(model, number)}/approvals", body))

    def reject(self, model: str, number: int | None = None, *, reason: str) -> Record:
        """Reject a version, for good."""
        body = {"decision": "rejected", "reason": reason}
        return Record(self._wire.post(f"{self._path(model, number)}/approvals", body))

    def request_waiver(
        self, model: str, control: str, *, reason: str, days: float = 30, number: int | None = None
    ) -> Record:
        """Ask for leave to pass the gate although a control does not."""
        body = {"control": control, "reason": reason, "days": days}
        return Record(self._wire.post(f"{self._path(model, number)}/waivers", body))

    def grant_waiver(self, waiver: str) -> Record:
        """Grant a waiver."""
        return Record(self._wire.post(f"/waivers/{segment(waiver)}/grant"))

    def fetch(self, model: str, target: str | Path, number: int | None = None) -> Path:
        """Fetch the artifact into a file."""
        return self._wire.fetch(f"{self._path(model, number)}/artifact", target)

    def _path(self, model: str, number: int | None) -> str:
        if number is None:
            versions = self.get(model).versions
            if not versions:
                raise BadInput("TP-RELEASE-001", f"the model {model!r} has no version that you may see")
            number = versions[0]["number"]
        return f"{self._at}/{segment(model)}/versions/{number}"


class Deployments:
    """The deployments of a project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/deployments"

    def list(self) -> Records:
        """Every deployment that you may see."""
        return Records(map(Record, self._wire.pages(self._at)))

    def get(self, name: str) -> Record:
        """A deployment."""
        return Record(self._wire.get(f"{self._at}/{segment(name)}"))

    def create(self, model: str, environment: str, *, version: int | None = None, name: str | None = None) -> Record:
        """Serve a version in an environment; the answer holds the receipt."""
        body = {"model": model, "environment": environment, "version": version, "name": name}
        return Record(self._wire.post(self._at, body))

    def retire(self, name: str) -> Record:
        """Stop serving it."""
        return Record(self._wire.delete(f"{self._at}/{segment(name)}"))

    def decisions(self, name: str, limit: int = 20) -> Records:
        """The newest decisions with what was asked and answered. The reading is recorded."""
        return Records(map(Record, self._wire.get(f"{self._at}/{segment(name)}/decisions", limit=limit)["items"]))

    def monitor(self, name: str) -> Job:
        """Compare the served inputs with the training reference; return the job that does it."""
        return Job(self._wire, self._wire.post(f"{self._at}/{segment(name)}/monitoring")["job"])

    def schedule_monitor(self, name: str, cron: str = "0 * * * *") -> Record:
        """Have it done by the calendar."""
        return Record(self._wire.put(f"{self._at}/{segment(name)}/monitoring/schedule", {"cron": cron}))

    def monitoring(self, name: str) -> Records:
        """What the comparisons found, the newest first."""
        return Records(map(Record, self._wire.pages(f"{self._at}/{segment(name)}/monitoring")))


def infer(
    wire: Wire, name: str, rows: Sequence[Sequence[float]], input_name: str = "features", subject: str | None = None
) -> Record:
    """Ask a deployment over the Open Inference Protocol v2, about a person where ``subject`` says whom."""
    try:
        read = [[float(value) for value in row] for row in rows]
    except (TypeError, ValueError, OverflowError):
        raise BadInput("TP-CLIENT-006", "rows are a rectangle of numbers") from None
    width = len(read[0]) if read else 0
    if not width or any(len(row) != width for row in read) or not all(isfinite(v) for row in read for v in row):
        raise BadInput("TP-CLIENT-006", "rows are a rectangle of numbers")
    data = [value for row in read for value in row]
    tensor = {"name": input_name, "shape": [len(read), width], "datatype": "FP32", "data": data}
    about = {} if subject is None else {"parameters": {"subject": subject}}
    return Record(wire.post(f"/v2/models/{segment(name)}/infer", {"inputs": [tensor], **about}))
