"""Decisions about people: sealed under a key of the person's own, found again by a keyed hash, gone when that key is destroyed.

A request says whom it is about in its parameter ``subject``; what the person is called is kept nowhere, not even encrypted.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.blind_index import Identifier, normal
from trustplane.data.subjects.keepers.contract import Kept
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.tables import VaultKey
from trustplane.serving.decisions import open_decision
from trustplane.serving.tables import Decision, DecisionSubject, Deployment
from trustplane.values.clock import rfc3339

_MANY = 500


def keep_about(
    op: Operation, deployment: Deployment, key: SecretKey, subject: str, make: Callable[[SecretKey], Decision]
) -> None:
    """Keep with the event of ``op`` the decision that ``make`` seals, under the key of the person it is about.

    ``key`` is the deployment's. The first decision about a person makes the person's key, which takes a unit of work.
    """
    tag, keystore = _tag(key, subject), op.plane.keystore
    with op.plane.database.read() as session:
        known = session.scalar(_keys_of(deployment.id, [tag]).limit(1))
        project = session.get_one(Project, deployment.project_id)
        wanted = known or project.key_id
        released = release(op, session, keystore, [wanted])[wanted]
    if known is not None:
        decision = make(released)
        op.accompany(decision)
        op.accompany(_link(decision, tag, known))
        return
    spec = KeySpec("decisions", f"decisions-about:{op.id}", project.id)
    row, own = mint(released, spec, op.plane.clock.now())
    decision = make(own)
    op.session.add_all((row, decision))
    op.session.flush()
    op.session.add(_link(decision, tag, row.id))


class Decisions:
    """The keeper of the answers of models."""

    kind = "decisions"

    def find(
        self, op: Operation, session: Session, project_id: str, identifiers: Sequence[Identifier]
    ) -> Sequence[Kept]:
        """The decisions about a person, by deployment."""
        found = []
        for row in _with_subjects(session, project_id):
            key = release(op, session, op.plane.keystore, [row.key_id])[row.key_id]
            tags = sorted({_tag(key, i.value) for i in identifiers})
            keys = tuple(session.scalars(_keys_of(row.id, tags).distinct()))
            ids = tuple(
                session.scalars(
                    select(DecisionSubject.decision_id)
                    .where(DecisionSubject.deployment_id == row.id, DecisionSubject.key_id.in_(keys))
                    .order_by(DecisionSubject.decision_id)
                )
            )
            if ids:
                found.append(Kept(self.kind, row.id, row.name, ids, keys))
        return found

    def open(self, op: Operation, session: Session, kept: Kept) -> Iterator[dict[str, Any]]:
        """When each decision was made, of what, and how."""
        keys = release(op, session, op.plane.keystore, kept.keys)
        for ids in _parts(kept.ids):
            query = (
                select(Decision, DecisionSubject.key_id)
                .join(DecisionSubject, DecisionSubject.decision_id == Decision.id)
                .where(Decision.id.in_(ids))
                .order_by(Decision.id)
            )
            for row, key_id in session.execute(query).all():
                said = open_decision(keys[key_id], row)
                yield {
                    "id": row.id,
                    "at": rfc3339(row.at),
                    "model_version": row.model_version_id,
                    "inputs": said.inputs,
                    "outputs": said.outputs,
                }

    def empty(self, op: Operation, kept: Kept) -> Sequence[VaultKey]:
        """Empty the decisions and forget whom they were about. That there were answers stays on record."""
        session = op.session
        for ids in _parts(kept.ids):
            for link in session.scalars(select(DecisionSubject).where(DecisionSubject.decision_id.in_(ids))).all():
                session.delete(link)
            for row in session.scalars(select(Decision).where(Decision.id.in_(ids))).all():
                row.sealed = b""
            session.flush()
        return session.scalars(select(VaultKey).where(VaultKey.id.in_(kept.keys))).all()


DECISIONS = Decisions()


def _with_subjects(session: Session, project_id: str) -> Sequence[Deployment]:
    """The deployments of a project that keep decisions about people and whose key is not destroyed."""
    return session.scalars(
        select(Deployment)
        .join(VaultKey, VaultKey.id == Deployment.key_id)
        .where(
            Deployment.project_id == project_id,
            VaultKey.wrapped.is_not(None),
            Deployment.id.in_(select(DecisionSubject.deployment_id).distinct()),
        )
        .order_by(Deployment.id)
    ).all()


def _keys_of(deployment_id: str, tags: Sequence[str]) -> Any:
    """The live keys of the people with these tags."""
    return (
        select(DecisionSubject.key_id)
        .join(VaultKey, VaultKey.id == DecisionSubject.key_id)
        .where(
            DecisionSubject.deployment_id == deployment_id,
            DecisionSubject.tag.in_(tags),
            VaultKey.wrapped.is_not(None),
        )
    )


def _link(decision: Decision, tag: str, key_id: str) -> DecisionSubject:
    return DecisionSubject(decision_id=decision.id, deployment_id=decision.deployment_id, tag=tag, key_id=key_id)


def _tag(key: SecretKey, subject: str) -> str:
    """What a person is called, hashed under a secret of the deployment."""
    secret = hmac.digest(key.material, b"trustplane/decision-subject/v1", hashlib.sha256)
    return hmac.digest(secret, normal(subject).encode(), hashlib.sha256).hex()


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _MANY] for start in range(0, len(ids), _MANY))
