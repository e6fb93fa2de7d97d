"""Decisions on record: what was asked and answered, encrypted under the deployment's key."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.tables import VaultKey
from trustplane.serving.tables import Decision, DecisionSubject, Deployment
from trustplane.values.errors import Tampered

_NONCE = 12
_PAGE = 500


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision, opened. ``inputs`` maps each feature to its values; ``outputs`` each output to its values."""

    id: str
    at: datetime
    actor_id: str
    rows: int
    inputs: Mapping[str, list[Any]]
    outputs: Mapping[str, list[Any]]


def seal_decision(
    key: SecretKey, deployment_id: str, decision_id: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> bytes:
    """Encrypt a decision. It opens as this decision of this deployment alone."""
    nonce = os.urandom(_NONCE)
    body = msgspec.msgpack.encode({"inputs": inputs, "outputs": outputs})
    return nonce + AESGCM(key.material).encrypt(nonce, body, _place(deployment_id, decision_id))


def open_decision(key: SecretKey, row: Decision) -> DecisionRecord:
    """Decrypt a decision; raise :class:`Tampered` where it is not the one that was sealed."""
    try:
        body = AESGCM(key.material).decrypt(row.sealed[:_NONCE], row.sealed[_NONCE:], _place(row.deployment_id, row.id))
    except (InvalidTag, ValueError):  # ValueError: it was cut within its nonce
        raise Tampered("TP-SERVING-008", f"the decision {row.id} does not decrypt") from None
    said = msgspec.msgpack.decode(body)
    return DecisionRecord(row.id, row.at, row.actor_id, row.rows, said["inputs"], said["outputs"])


def read(
    op: Operation,
    session: Session,
    deployment: Deployment,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[DecisionRecord]:
    """The decisions of a deployment, the oldest first, for an operation that may open them. Those of an erased person are not there."""
    keys = dict(release(op, session, op.plane.keystore, [deployment.key_id]))
    query = (
        select(Decision, DecisionSubject.key_id)
        .outerjoin(DecisionSubject, DecisionSubject.decision_id == Decision.id)
        .outerjoin(VaultKey, VaultKey.id == DecisionSubject.key_id)
        .where(Decision.deployment_id == deployment.id, Decision.sealed != b"")
        .where(DecisionSubject.key_id.is_(None) | VaultKey.wrapped.is_not(None))
        .order_by(Decision.id)
    )
    if since is not None:
        query = query.where(Decision.at >= since)
    if until is not None:
        query = query.where(Decision.at < until)
    with session.execute(query.execution_options(yield_per=_PAGE)) as rows:
        for row, own in rows:
            wanted = own or deployment.key_id
            if wanted not in keys:
                keys |= release(op, session, op.plane.keystore, [wanted])
            yield open_decision(keys[wanted], row)


def _place(deployment_id: str, decision_id: str) -> bytes:
    return f"trustplane/decision/1:{deployment_id}:{decision_id}".encode()
