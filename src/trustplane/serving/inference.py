"""Answering one request: decided by policy, checked, answered, and on durable record before the answer leaves."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.vault.keys import SecretKey
from trustplane.serving import oip
from trustplane.serving.catalog import deployment_target
from trustplane.serving.decisions import seal_decision
from trustplane.serving.guards import by_feature, check
from trustplane.serving.loading import Served, Shelf
from trustplane.serving.subjects import keep_about
from trustplane.serving.tables import Decision, Deployment
from trustplane.values.errors import BadInput, NotFound
from trustplane.values.outcomes import Failed

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane


def active_deployment(plane: "Plane", name: str) -> Deployment:
    """What is served under a name now."""
    with plane.database.read() as session:
        row = session.scalar(select(Deployment).where(Deployment.name == name, Deployment.status == "active"))
        if row is None:
            # No nearest names here: who asks may not be allowed to know what else is served.
            raise NotFound("TP-SERVING-001", f"nothing is served as {name[:80]!r}")
        return row


def infer(
    plane: "Plane", shelf: Shelf, actor: Actor, name: str, body: bytes, version: str | None = None
) -> dict[str, Any]:
    """Answer a request of the Open Inference Protocol v2, by the version where one is named."""
    row = active_deployment(plane, name)
    with plane.database.read() as session:
        target = deployment_target(session, row)
    with plane.operation(actor, "deployment.infer", target) as op:
        request = oip.parse(body)
        about = oip.subject(request)
        served = _take(shelf, row, version)
        inputs = oip.arrays(request, served.inputs)
        columns = by_feature(inputs, served.features)
        match check(columns, served.features):
            case Failed() as failed:
                raise BadInput("TP-SERVING-009", "the input is not answered", why=failed.reason, fix=failed.remedy)
        outputs = served.loaded.run(inputs)
        answer = oip.answer(request, name, str(served.version), outputs, op.id)
        rows = len(next(iter(inputs.values())))
        seal = partial(_decision, served, actor, op.id, plane.clock.now(), rows, columns, outputs)
        if about is None:
            op.accompany(seal(served.key))
        else:
            keep_about(op, served.deployment, served.key, about, seal)
        op.record(deployment=row.id, version=served.version_id, rows=rows)
    return answer


def ready(plane: "Plane", shelf: Shelf, actor: Actor, name: str, version: str | None = None) -> dict[str, Any]:
    """That a model can answer: it is loaded, or this raises what keeps it from that."""
    served = _looked_at(plane, shelf, actor, name, version)
    return {"name": served.deployment.name, "ready": True}


_PLATFORMS = {"onnx": "onnx_onnxv1"}
"""What the protocol calls a format, where it names one; others go by their own name."""


def metadata(plane: "Plane", shelf: Shelf, actor: Actor, name: str, version: str | None = None) -> dict[str, Any]:
    """What a served model takes and gives."""
    served = _looked_at(plane, shelf, actor, name, version)
    return {
        "name": name,
        "versions": [str(served.version)],
        "platform": _PLATFORMS.get(served.format, served.format),
        "inputs": [dict(i) for i in served.inputs],
        "outputs": [dict(o) for o in served.outputs],
        "parameters": {"features": [str(f["name"]) for f in served.features]},
    }


def _looked_at(plane: "Plane", shelf: Shelf, actor: Actor, name: str, version: str | None) -> Served:
    row = active_deployment(plane, name)
    with plane.database.read() as session:
        target = deployment_target(session, row)
    plane.authorise(actor, "deployment.read", target)
    return _take(shelf, row, version)


def _take(shelf: Shelf, row: Deployment, version: str | None) -> Served:
    """The model of a deployment; raise :class:`NotFound` where another version of it is asked for than the one that is served."""
    served = shelf.take(row)
    if version is not None and version != str(served.version):
        raise NotFound(
            "TP-SERVING-001", f"{row.name} does not serve this version", why=f"it serves the version {served.version}"
        )
    return served


def _decision(
    served: Served,
    actor: Actor,
    decision_id: str,
    now: datetime,
    rows: int,
    columns: dict[str, Any],
    outputs: Any,
    key: SecretKey,
) -> Decision:
    given = {name: np.asarray(column).tolist() for name, column in columns.items()}
    answered = {name: np.asarray(array).tolist() for name, array in outputs.items()}
    return Decision(
        id=decision_id,
        deployment_id=served.deployment.id,
        model_version_id=served.version_id,
        actor_id=actor.id,
        rows=rows,
        sealed=seal_decision(key, served.deployment.id, decision_id, given, answered),
        at=now,
    )
