"""Keys that a project has one of: of its pseudonyms, and of its tokens, so that what one destroys says nothing of the other."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.kernel.vault.tables import VaultKey


def find_project_key(session: Session, project_id: str, purpose: str) -> str | None:
    """The id of the project's live key for ``purpose`` (``pseudonym``, ``token``); None where there is none."""
    subject = f"{purpose}s:{project_id}"
    return session.scalar(select(VaultKey.id).where(VaultKey.subject == subject, VaultKey.wrapped.is_not(None)))


def project_key(op: Operation, project_id: str, parent: str, purpose: str) -> str:
    """The id of the project's key for ``purpose``, made where there is none; ``parent`` is the project's own key."""
    known = find_project_key(op.session, project_id, purpose)
    if known is not None:
        return known
    wrapping = release(op, op.session, op.plane.keystore, [parent])[parent]
    row, _ = mint(wrapping, KeySpec(purpose, f"{purpose}s:{project_id}", project_id), op.plane.clock.now())
    op.session.add(row)
    op.session.flush()
    return row.id
