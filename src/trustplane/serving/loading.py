"""Loading a deployed model: decided, recorded, and verified before its bytes reach a runtime."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.release.catalog import subject_of
from trustplane.release.signing import model_public_key, verify_version
from trustplane.release.tables import Model, ModelVersion
from trustplane.serving.catalog import deployment_target
from trustplane.serving.tables import Deployment
from trustplane.training.runtimes.contract import Loaded
from trustplane.training.runtimes.registry import runtime_for
from trustplane.values.errors import Refused, Tampered

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

HELD = 16
"""Models that are kept loaded."""


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment that is ready to answer. ``key`` encrypts its decisions."""

    deployment: Deployment
    model: str
    version_id: str
    version: int
    format: str
    inputs: Sequence[Mapping[str, Any]]
    outputs: Sequence[Mapping[str, Any]]
    features: Sequence[Mapping[str, Any]]
    loaded: Loaded
    key: SecretKey = field(repr=False)


class Shelf:
    """The loaded models of one process, the longest unused put away first."""

    def __init__(self, plane: "Plane") -> None:
        self._plane = plane
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Served] = OrderedDict()

    def take(self, deployment: Deployment) -> Served:
        """The deployment's model; loaded if it is not yet."""
        with self._lock:
            served = self._held.get(deployment.id)
            if served is None:
                served = self._held[deployment.id] = load(self._plane, deployment)
            self._held.move_to_end(deployment.id)
            while len(self._held) > HELD:
                self._held.popitem(last=False)
            return served


def load(plane: "Plane", deployment: Deployment) -> Served:
    """Load a deployment's model. Its signature and its digest hold, or nothing of it is run."""
    with plane.database.read() as session:
        version = session.get_one(ModelVersion, deployment.model_version_id)
        model = session.get_one(Model, version.model_id)
        target = deployment_target(session, deployment)
    with plane.operation(PLANE_ACTOR, "deployment.load", target) as op:
        if not version.signature:
            raise Refused("TP-SERVING-004", "the model version is not signed")
        verify_version(version, model_public_key(plane))
        with plane.database.read() as session:
            keys = release(op, session, plane.keystore, [version.key_id, deployment.key_id])
        data = b"".join(unseal(plane.blobs, keys[version.key_id], version.blob, subject_of(version.id)))
        if "sha256:" + hashlib.sha256(data).hexdigest() != version.sha256:
            raise Tampered("TP-SERVING-004", "the model is not the one that was signed")
        loaded = runtime_for(version.format).load(data)
        op.record(deployment=deployment.id, version=version.id)
        op.refer(model=version.sha256)
    interface = version.interface
    return Served(
        deployment,
        model.name,
        version.id,
        version.number,
        version.format,
        interface["inputs"],
        interface["outputs"],
        interface.get("features", []),
        loaded,
        keys[deployment.key_id],
    )
