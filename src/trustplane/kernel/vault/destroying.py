"""Destroying a key through the door."""

from typing import TYPE_CHECKING, Any

from trustplane.kernel.target import Target
from trustplane.kernel.vault.destruction import destroy, settle
from trustplane.kernel.vault.keyring import hold_root
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import Refused

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def destroy_key(plane: "Plane", actor: "Actor", key: Target, reason: str) -> tuple[dict[str, Any], str]:
    """Destroy a key and all below it; return the certificate and its receipt."""
    with plane.operation(actor, "key.destroy", key) as op:
        hold_root(op.session)
        row = op.session.get_one(VaultKey, key.id)
        if row.subject == "plane":
            raise Refused("TP-VAULT-018", f"the plane's key for {row.purpose} is never destroyed")
        if row.wrapped is None:
            raise Refused("TP-VAULT-018", "the key was destroyed before")
        certificate = destroy(op.session, plane.keystore, [row], reason[:2000], plane.clock.now()).facts()
        op.record(**certificate)
    settle(plane.database, plane.keystore)
    return certificate, op.receipt or ""
