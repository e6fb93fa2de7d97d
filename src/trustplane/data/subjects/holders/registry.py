"""The stages that say what a person's rows went into."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.subjects.holders.contract import Holder, Reached
from trustplane.kernel.plugins import group, load
from trustplane.kernel.vault.tables import VaultBlob, VaultKey


def reached(session: Session, project_id: str, current: Mapping[str, str]) -> list[Reached]:
    """Everything that was made of these versions while the person's rows were in them, by kind and name."""
    found: list[Reached] = []
    for entry in group("holders"):
        holder: Holder = load(entry)
        found += holder(session, project_id, current)
    return sorted(found, key=lambda r: (r.kind, r.name))


def take_out_copies(session: Session, project_id: str, current: Mapping[str, str]) -> tuple[list[VaultKey], list[str]]:
    """Take out what later stages keep of these rows and nothing else needs: the keys to destroy, and the addresses of objects that can go."""
    ids = {key for thing in reached(session, project_id, current) for key in thing.keys}
    keys = list(session.scalars(select(VaultKey).where(VaultKey.id.in_(ids), VaultKey.wrapped.is_not(None))))
    blobs = list(session.scalars(select(VaultBlob).where(VaultBlob.subject.in_({key.subject for key in keys}))))
    for blob in blobs:
        session.delete(blob)
    session.flush()
    return keys, [blob.digest for blob in blobs]
