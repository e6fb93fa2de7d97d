"""Destroying keys, and turning the root.

A key is destroyed by overwriting its wrapped form, giving new material to every key above it, and changing the root under which every
remaining key chain hangs: so a backup of the database taken before cannot be opened with the key file that remains, nor with the keys of
the database as it is now. Data is never touched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.store.engine import Database
from trustplane.kernel.vault.keyring import hold_root, unwrap_chain
from trustplane.kernel.vault.keys import fresh, place, unwrap, wrap
from trustplane.kernel.vault.keystores.contract import KeyStore
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a destruction did, and what it does not cover."""

    keys: tuple[str, ...]
    subjects: tuple[str, ...]
    reason: str
    destroyed_at: datetime
    root: str

    def facts(self) -> dict[str, Any]:
        """The certificate as the ledger keeps it."""
        return {
            "certificate": "key-destruction/1",
            "keys": list(self.keys),
            "subjects": list(self.subjects),
            "reason": self.reason,
            "destroyed_at": rfc3339(self.destroyed_at),
            "root": self.root,
            "not_covered": "copies of the key file made before, and plaintext that was released before",
        }


def destroy(session: Session, store: KeyStore, rows: Iterable[VaultKey], reason: str, now: datetime) -> Certificate:
    """Destroy keys within the caller's transaction. Call :func:`settle` once it has committed.

    Children of a destroyed key are destroyed with it: nothing can unwrap them any more.
    """
    hold_root(session)
    doomed = _with_children(session, list(rows))
    for row in doomed:
        row.wrapped = None
        row.destroyed_at = now
    session.flush()
    for above in _above(session, doomed):
        _renew(session, store, above)
    root = turn(session, store)
    return Certificate(tuple(r.id for r in doomed), tuple(sorted({r.subject for r in doomed})), reason, now, root)


def turn(session: Session, store: KeyStore) -> str:
    """Put every live key that hangs on the root under a new root, within the caller's transaction; return the new root's id.

    A crash before the commit leaves a root that nothing uses; a crash after it leaves an old root that nothing uses. When the workspace
    is opened, :func:`unsettled` tells, and turning once more puts it right. Call :func:`settle` after the commit.
    """
    hold_root(session)
    root = store.begin_rotation()
    live = select(VaultKey).where(VaultKey.parent_id.is_(None), VaultKey.wrapped.is_not(None))
    for row in session.scalars(live.execution_options(populate_existing=True)).all():
        context = place(row.id, None, row.purpose)
        assert row.wrapped is not None
        row.wrapped = store.wrap(store.unwrap(row.root_id or "", row.wrapped, context), context)
        row.root_id = root
    session.flush()
    return root


def settle(database: Database, store: KeyStore) -> None:
    """Destroy the old roots of a rotation that has committed, unless somebody has begun another one: then those roots are still in use."""
    with database.write() as session:
        hold_root(session)
        if _in_use(session) == {store.current()}:
            store.finish_rotation()


def unsettled(session: Session, store: KeyStore) -> bool:
    """Whether a rotation was cut short: a key hangs on another root than the current one, or roots are left over."""
    return _in_use(session) != {store.current()} or len(store.roots()) > 1


def _in_use(session: Session) -> set[str | None]:
    """The roots that live keys hang on."""
    return set(
        session.scalars(select(VaultKey.root_id).where(VaultKey.parent_id.is_(None), VaultKey.wrapped.is_not(None)))
    )


def _renew(session: Session, store: KeyStore, row: VaultKey) -> None:
    """Give a key new material and put the live keys below under it: what an old copy holds under the old material stays closed."""
    old, new = unwrap_chain(session, store, row.id, anew=True), fresh(row.id)
    for child in session.scalars(select(VaultKey).where(VaultKey.parent_id == row.id, VaultKey.wrapped.is_not(None))):
        context = place(child.id, row.id, child.purpose)
        assert child.wrapped is not None
        child.wrapped = wrap(new, unwrap(old, child.wrapped, context), context)
    context = place(row.id, row.parent_id, row.purpose)
    if row.parent_id is None:
        row.root_id, row.wrapped = store.current(), store.wrap(new.material, context)
    else:
        row.wrapped = wrap(unwrap_chain(session, store, row.parent_id, anew=True), new.material, context)
    session.flush()


def _above(session: Session, doomed: list[VaultKey]) -> list[VaultKey]:
    """The live keys over destroyed ones, the lowest first."""
    found: dict[str, VaultKey] = {}
    gone = {row.id for row in doomed}
    for start in {row.parent_id for row in doomed} - gone:
        at, passed = start, set[str]()
        while at is not None and at not in passed:
            passed.add(at)
            above = session.get_one(VaultKey, at, populate_existing=True)
            found.pop(at, None)  # it comes after all that leads to it
            if above.wrapped is not None:
                found[at] = above
            at = above.parent_id
    return list(found.values())


def _with_children(session: Session, rows: list[VaultKey]) -> list[VaultKey]:
    found = {row.id: row for row in rows if row.wrapped is not None}
    edge = list(found)
    while edge:
        children = session.scalars(
            select(VaultKey).where(VaultKey.parent_id.in_(edge), VaultKey.wrapped.is_not(None))
        ).all()
        edge = [c.id for c in children if c.id not in found]
        found |= {c.id: c for c in children}
    return list(found.values())
