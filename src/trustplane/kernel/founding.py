"""Making a workspace, and bringing one of an earlier version forward. Each step leaves its event."""

import hashlib
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from trustplane.kernel.identity.actors import PLANE_ACTOR, Actor, RoleBinding
from trustplane.kernel.identity.principals import PrincipalSpec, create_principal, grant, issue_token
from trustplane.kernel.ledger.events import Event, Outcome
from trustplane.kernel.ledger.log import Ledger
from trustplane.kernel.ledger.notes import Signer
from trustplane.kernel.plane import SYSTEM_KEYS, Plane
from trustplane.kernel.plugins import load_tables
from trustplane.kernel.settings import FILE, Settings, Workspace, read_workspace, write_workspace
from trustplane.kernel.store.engine import Database
from trustplane.kernel.store.governed import Changes
from trustplane.kernel.store.schema import HEAD, current_revision, migrate, require_known
from trustplane.kernel.target import PLANE
from trustplane.kernel.vault.keyring import KeySpec, mint
from trustplane.kernel.vault.keystores.registry import create_keystore
from trustplane.values.clock import Clock, SystemClock
from trustplane.values.errors import Conflict
from trustplane.values.ids import check_name, new_id

OWNER_TOKEN_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Founded:
    """A new workspace and its first owner. ``token`` is shown once."""

    workspace: Workspace
    owner_id: str
    token: str = field(repr=False)


def found(
    folder: Path,
    owner: str,
    *,
    password: str | None = None,
    clock: Clock | None = None,
    settings: Settings | None = None,
) -> Founded:
    """Make a workspace in ``folder`` with a first user who has the role ``owner`` at the plane."""
    check_name("user", owner)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / FILE).exists():
        raise Conflict("TP-PLANE-006", f"there is a workspace in {folder} already")
    load_tables()
    now_clock = clock or SystemClock()
    workspace_id = new_id()
    name = hashlib.sha256(workspace_id.encode()).hexdigest()[:12]
    workspace = write_workspace(folder, workspace_id, f"trustplane.local/{name}", settings)
    try:
        _lay_foundation(workspace, now_clock)
    except BaseException:
        (folder / FILE).unlink(missing_ok=True)
        raise
    with Plane(workspace, now_clock) as plane:
        owner_id = create_principal(plane, PLANE_ACTOR, PrincipalSpec("user", owner, password=password))
        grant(plane, PLANE_ACTOR, owner_id, "owner", PLANE)
        actor = Actor(owner_id, "user", owner, (RoleBinding("owner", "plane", "plane"),))
        token = issue_token(plane, actor, owner_id, label="made with the workspace", life=OWNER_TOKEN_LIFE)
    return Founded(workspace, owner_id, token.secret)


def upgrade(folder: Path, *, clock: Clock | None = None, settings: Settings | None = None) -> tuple[str, str]:
    """Bring the database of a workspace to the schema of this version; return the revision before and after.

    Who can do this holds the files of the workspace, so no policy is asked; the event says what was done.
    """
    workspace = read_workspace(folder, settings)
    load_tables()
    with closing(Database(workspace.database_url)) as database:
        before = require_known(database)
        if before != HEAD:
            migrate(database)
    if before != HEAD:
        with Plane(workspace, clock) as plane, plane.operation(PLANE_ACTOR, "plane.configure", PLANE) as op:
            op.session.flush()  # the migration was the change; no row of this unit of work is
            op.record(schema_before=before, schema_after=HEAD)
    return before, HEAD


def _lay_foundation(workspace: Workspace, clock: Clock) -> None:
    """The root key, the schema, the plane's own keys, and the event of its birth, which is the first of the log."""
    store = create_keystore(workspace)
    with closing(Database(workspace.database_url)) as database:
        if current_revision(database) is not None:
            raise Conflict("TP-PLANE-006", f"the database {database.place} holds a workspace already")
        migrate(database)
        now = clock.now()
        made = {purpose: mint(store, KeySpec(purpose, "plane"), now) for purpose in SYSTEM_KEYS}
        signer = Signer.from_seed(workspace.origin, made["log-signing"][1].material)
        ledger = Ledger(database, workspace.ledger, signer, clock)
        with database.write() as session:
            changes = Changes(session)
            session.add_all(row for row, _ in made.values())
            session.flush()
            payload = {
                "decision": {"effect": "allow", "policies": ["founding"]},
                "facts": {"workspace": workspace.id, "origin": workspace.origin, "log_key": str(signer.vkey)},
                "refers": {},
                "state": changes.digests(),
            }
            event = Event(new_id(), now, PLANE_ACTOR.id, "plane.configure", PLANE.name, Outcome.DONE, payload)
            ledger.insert(session.connection(), [event])
        ledger.close()
