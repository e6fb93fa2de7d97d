"""Opening the artifact of a model version, on record."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.release.catalog import model_target, subject_of
from trustplane.release.tables import ModelVersion

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def open_model(plane: "Plane", actor: "Actor", version: ModelVersion) -> Iterator[bytes]:
    """The bytes of a version's artifact, in chunks."""
    with plane.database.read() as session:
        target = model_target(session, version)
    with plane.operation(actor, "model.open", target) as op:
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [version.key_id])[version.key_id]
        op.record(version=version.id)
        op.refer(model=version.sha256)
    return unseal(plane.blobs, key, version.blob, subject_of(version.id))
