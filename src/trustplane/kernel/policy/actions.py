"""The closed list of what can be done. Every operation names one of these actions; there are no others."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What an action does to governed state, and so whether it leaves an event."""

    READ = "read"
    """Looks at metadata: authorised, not recorded."""
    OPEN = "open"
    """Opens governed content (rows, artifacts, decisions): recorded."""
    WRITE = "write"
    """Changes state: recorded."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action: its name ``noun.verb``, the entity types it may be done to, and its kind.

    An assured action waits for its ledger receipt.
    """

    name: str
    resources: tuple[str, ...]
    kind: Kind
    assured: bool = False

    @property
    def resource(self) -> str:
        """The entity type the action is usually done to."""
        return self.resources[0]


def _read(name: str, *resources: str) -> Action:
    return Action(name, resources, Kind.READ)


def _open(name: str, *resources: str) -> Action:
    return Action(name, resources, Kind.OPEN)


def _write(name: str, *resources: str) -> Action:
    return Action(name, resources, Kind.WRITE)


def _assured(name: str, *resources: str) -> Action:
    return Action(name, resources, Kind.WRITE, assured=True)


_ALL = (
    _read("plane.read", "Plane"),
    _write("plane.configure", "Plane"),
    _write("project.create", "Plane"),
    _read("project.read", "Project"),
    _write("project.update", "Project"),
    _write("environment.create", "Project"),
    _read("environment.read", "Environment"),
    _write("principal.create", "Plane"),
    _read("principal.read", "Account"),
    _write("principal.disable", "Account"),
    _write("binding.grant", "Plane", "Project", "Environment"),
    _write("binding.revoke", "Plane", "Project", "Environment"),
    _write("token.issue", "Account"),
    _write("token.revoke", "Account"),
    _read("token.read", "Account"),
    _write("session.open", "Account"),
    _write("session.close", "Account"),
    _read("ledger.read", "Plane"),
    _open("ledger.export", "Plane"),
    _read("key.read", "Key"),
    _write("key.rotate", "Plane"),
    _assured("key.destroy", "Key"),
    _read("policy.read", "Policy"),
    _write("policy.propose", "Policy"),
    _assured("policy.accept", "Policy"),
    _read("job.read", "Job"),
    _write("job.cancel", "Job"),
    _write("job.finish", "Job"),
    _read("control.read", "Project"),
    _write("control.evaluate", "Project"),
    _write("dataset.ingest", "Project", "Dataset"),
    _read("dataset.read", "Dataset"),
    _write("dataset.classify", "Dataset"),
    _write("dataset.accept", "Dataset"),
    _write("dataset.update", "Dataset"),
    _assured("dataset.erase", "Dataset"),
    _write("request.open", "Project"),
    _write("request.update", "Project"),
    _read("request.read", "Project"),
    _open("request.search", "Project"),
    _open("request.export", "Project"),
    _assured("decision.erase", "Project"),
    _open("dataset.compare", "Dataset"),
    _open("dataset.reveal", "Dataset"),
    _write("view.request", "Dataset"),
    _write("view.refuse", "Dataset"),
    _write("view.create", "Dataset"),
    _read("view.read", "View"),
    _open("view.open", "View"),
    _write("view.measure", "View"),
    _write("view.revoke", "View"),
    _write("run.start", "Project"),
    _write("run.start-unsandboxed", "Project"),
    _read("run.read", "Run"),
    _open("run.open", "Run"),
    _write("run.verify", "Run"),
    _write("artifact.scan", "Run"),
    _write("threat.keep", "Project"),
    _read("threat.read", "ThreatModel"),
    _write("assessment.run", "ModelVersion"),
    _read("assessment.read", "ModelVersion"),
    _open("assessment.open", "ModelVersion"),
    _write("model.register", "Project"),
    _read("model.read", "ModelVersion"),
    _open("model.open", "ModelVersion"),
    _open("model.explain", "ModelVersion"),
    _write("model.sign", "ModelVersion"),
    _assured("model.approve", "ModelVersion"),
    _write("model.reject", "ModelVersion"),
    _write("gate.evaluate", "ModelVersion"),
    _write("waiver.request", "ModelVersion"),
    _assured("waiver.grant", "ModelVersion"),
    _assured("deployment.create", "Environment"),
    _read("deployment.read", "Deployment"),
    _open("deployment.load", "Deployment"),
    _assured("deployment.retire", "Deployment"),
    _open("deployment.infer", "Deployment"),
    _open("decision.read", "Deployment"),
    _write("monitor.run", "Deployment"),
    _read("monitor.read", "Deployment"),
    _write("report.create", "Project"),
    _open("report.read", "Project"),
)

ACTIONS: Mapping[str, Action] = MappingProxyType({action.name: action for action in _ALL})
"""Every action, by name."""
