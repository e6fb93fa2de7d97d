"""The key hierarchy: root, project keys, and below them a key per dataset version and sensitivity class (from which
the keys of columns are derived), per artifact, per use.

A key that has keys below it encrypts nothing else: when one of those is destroyed, it is given new material.

Keys leave through the door alone: :func:`release` wants a live operation, and the operation's event names the keys. A key of the purpose
``PARTS`` never leaves: what leaves is the key of a part of what it protects, such as a column (:func:`release_parts`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trustplane.kernel.vault.keys import SecretKey, derive, fresh, place, unwrap, wrap
from trustplane.kernel.vault.keystores.contract import KeyStore
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import Conflict, NotFound, Refused, Tampered, Unavailable
from trustplane.values.ids import new_id

PARTS = "parts"
_DEPTH = 8
_PG_LOCK = 0x7470_726F_6F74  # "tproot": the advisory lock of whoever turns the root or makes keys under it


class Door(Protocol):
    """What the vault asks of an operation."""

    live: bool

    @property
    def releases_keys(self) -> bool:
        """Whether keys may leave through it."""
        ...

    def note_release(self, key_ids: list[str]) -> None:
        """Keep which keys were released."""
        ...


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a new key is for. ``subject`` names the thing it protects: ``dataset-version:ID``."""

    purpose: str
    subject: str
    project_id: str | None = None
    sensitivity: str | None = None


def hold_root(session: Session) -> None:
    """Let nobody else turn the root until this transaction ends. On SQLite to begin it is enough: there is one writer."""
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_PG_LOCK)))


def mint(parent: SecretKey | KeyStore, spec: KeySpec, now: datetime) -> tuple[VaultKey, SecretKey]:
    """A new key under ``parent``, and its row, which is not in any session yet: data can be encrypted before it is recorded.

    Where ``parent`` is the key store, call :func:`hold_root` first: a rotation destroys the old root once it has moved the keys that it sees.
    """
    key = fresh(new_id())
    row = VaultKey(
        id=key.id,
        purpose=spec.purpose,
        project_id=spec.project_id,
        subject=spec.subject,
        sensitivity=spec.sensitivity,
        created=now,
        destroyed_at=None,
    )
    if isinstance(parent, SecretKey):
        row.parent_id, row.root_id = parent.id, None
        row.wrapped = wrap(parent, key.material, place(key.id, parent.id, spec.purpose))
    else:
        row.parent_id, row.root_id = None, parent.current()
        row.wrapped = parent.wrap(key.material, place(key.id, None, spec.purpose))
    return row, key


def unwrap_chain(session: Session, store: KeyStore, key_id: str, *, anew: bool = False) -> SecretKey:
    """The key with this id, unwrapped from the root down. For the kernel's own use; stages go through :func:`release`.

    ``anew`` reads rows again that the session holds already.
    """
    chain: list[VaultKey] = []
    wanted: str | None = key_id
    while wanted is not None:
        row = session.get(VaultKey, wanted, populate_existing=anew)
        if row is None or len(chain) > _DEPTH:
            raise NotFound("TP-VAULT-007", f"there is no key {wanted}")
        if row.wrapped is None:
            when = "" if row.destroyed_at is None else f" at {row.destroyed_at:%Y-%m-%d %H:%M} UTC"
            raise Unavailable("TP-VAULT-008", f"the key of {row.subject} was destroyed{when}")
        chain.append(row)
        wanted = row.parent_id
    key: SecretKey | None = None
    for row in reversed(chain):
        context = place(row.id, row.parent_id, row.purpose)
        assert row.wrapped is not None
        material = (
            store.unwrap(row.root_id or "", row.wrapped, context) if key is None else unwrap(key, row.wrapped, context)
        )
        key = SecretKey(row.id, material)
    assert key is not None
    return key


def require_opens(session: Session, store: KeyStore, rows: Iterable[VaultKey]) -> None:
    """Make sure, last before a commit, that new keys open: what lies above one may have been renewed or destroyed since it was made."""
    hold_root(session)
    for row in rows:
        try:
            unwrap_chain(session, store, row.id, anew=True)
        except (Tampered, Unavailable, NotFound):
            raise Conflict(
                "TP-VAULT-019", f"the key of {row.subject} lies under a key that was renewed meanwhile"
            ) from None


def release(door: Door, session: Session, store: KeyStore, key_ids: Iterable[str]) -> Mapping[str, SecretKey]:
    """Keys for a live operation, which notes that they were released to it."""
    _require_open(door)
    wanted = list(dict.fromkeys(key_ids))
    keys = {key_id: unwrap_chain(session, store, key_id) for key_id in wanted}
    if any(has_parts(session, key_id) for key_id in wanted):
        raise Refused("TP-VAULT-021", "this key does not leave the vault", why="the keys of parts are derived from it")
    door.note_release(wanted)
    return keys


def has_parts(session: Session, key_id: str) -> bool:
    """Whether only keys derived from this one leave."""
    return session.get_one(VaultKey, key_id).purpose == PARTS


def release_parts(
    door: Door, session: Session, store: KeyStore, wanted: Mapping[str, Iterable[str]]
) -> Mapping[str, SecretKey]:
    """The keys of named parts under keys of the purpose ``PARTS``, by the name of the part; the operation notes key and part.

    ``wanted`` has for each key the parts that are asked for. A part is under one key.
    """
    _require_open(door)
    made: dict[str, SecretKey] = {}
    for key_id, parts in wanted.items():
        key = unwrap_chain(session, store, key_id)
        if not has_parts(session, key_id):
            raise Refused("TP-VAULT-021", "this key has no parts", why="it leaves the vault whole, or not at all")
        made |= {part: derive(key, part) for part in parts}
    door.note_release([key.id for key in made.values()])
    return made


def _require_open(door: Door) -> None:
    if not door.live or not door.releases_keys:
        raise Refused("TP-VAULT-009", "keys leave the vault only through an operation that may open governed content")
