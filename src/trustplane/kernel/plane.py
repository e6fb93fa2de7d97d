"""A plane: one opened workspace, and the door to everything in it."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Self

from sqlalchemy import select

from trustplane.kernel.identity.actors import PLANE_ACTOR, Actor
from trustplane.kernel.identity.authentication import load_actor
from trustplane.kernel.identity.tables import Principal as PrincipalRow
from trustplane.kernel.identity.tables import Replay
from trustplane.kernel.jobs.jobs import Jobs
from trustplane.kernel.ledger.log import Ledger
from trustplane.kernel.ledger.notes import Signer
from trustplane.kernel.operation import AccessDenied, Idempotency, Operation, action_named, denial_event, run
from trustplane.kernel.plugins import load_tables
from trustplane.kernel.policy.actions import Kind
from trustplane.kernel.policy.engine import Engine, builtin
from trustplane.kernel.policy.proposals import accepted_names, engine_of
from trustplane.kernel.policy.requests import Principal, Ref, Request, Resource, account
from trustplane.kernel.policy.roles import effective_roles
from trustplane.kernel.settings import Settings, Workspace, read_workspace
from trustplane.kernel.store.engine import Database
from trustplane.kernel.store.schema import require_current
from trustplane.kernel.target import PLANE, Target
from trustplane.kernel.vault import destruction
from trustplane.kernel.vault.blobs import BlobStore
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.keystores.contract import KeyStore
from trustplane.kernel.vault.keystores.registry import open_keystore
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.clock import Clock, SystemClock
from trustplane.values.errors import Conflict, Denied, Tampered
from trustplane.values.ids import new_id
from trustplane.values.outcomes import Allowed, Denial

POLICY_AGE = 1.0
"""Seconds after which the accepted policies are looked at again."""
SYSTEM_KEYS = ("log-signing", "model-signing", "token")


class Plane:
    """The rooms of one workspace, opened. Close it when done; it is a context manager."""

    def __init__(self, workspace: Workspace, clock: Clock | None = None) -> None:
        load_tables()
        self.workspace = workspace
        self.clock: Clock = clock or SystemClock()
        self.keystore: KeyStore = open_keystore(workspace)
        with ExitStack() as opened:  # whatever fails below, nothing stays open
            self.database = Database(workspace.database_url)
            opened.callback(self.database.close)
            require_current(self.database)
            self.blobs = BlobStore(workspace.blobs)
            self._policy, self._policy_names, self._policy_seen = builtin(), tuple[str, ...](), 0.0
            self.reload_policy()
            signer = Signer.from_seed(workspace.origin, self.system_key("log-signing").material)
            self.ledger = Ledger(self.database, workspace.ledger, signer, self.clock)
            self.token_key = self.system_key("token").material
            workspace.jobs.mkdir(mode=0o700, exist_ok=True)
            self.jobs = Jobs(workspace.database_url, workspace.jobs, self, self.clock)
            self.ledger.start()
            opened.callback(self.ledger.close)
            self._settle_keys()
            opened.pop_all()

    @classmethod
    def open(cls, folder: Path, clock: Clock | None = None, settings: Settings | None = None) -> "Plane":
        """Open the workspace in ``folder``."""
        return cls(read_workspace(folder, settings), clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Make everything durable and let go."""
        self.jobs.close()
        self.ledger.close()
        self.database.close()

    # --- policy

    @property
    def policy(self) -> Engine:
        """The policies in force. What another process accepted is in force here within a second."""
        if monotonic() - self._policy_seen > POLICY_AGE:
            self.reload_policy()
        return self._policy

    def reload_policy(self) -> None:
        """Look whether the accepted policies changed, and load them if so."""
        with self.database.read() as session:
            names = accepted_names(session)
            if names != self._policy_names:
                self._policy, self._policy_names = engine_of(session), names
        self._policy_seen = monotonic()

    # --- the door

    def decide(
        self, actor: Actor, action: str, target: Target, context: Mapping[str, Any] | None = None
    ) -> Allowed | Denial:
        """What policy says; recorded nowhere. For the door and for explanations."""
        return self.policy.decide(self.request(actor, action, target, context))

    def request(self, actor: Actor, action: str, target: Target, context: Mapping[str, Any] | None = None) -> Request:
        """The question as policy sees it: the actor with the roles in effect where the target lies."""
        roles = effective_roles(actor.bindings, project=target.project, environment=target.environment)
        return Request(
            Principal(actor.kind, actor.id, roles, actor.owner),
            action,
            Resource(target.type, target.id, dict(target.attributes), _parents(target)),
            int(self.clock.now().timestamp()),
            dict(context or {}),
            actor.scopes,
        )

    def authorise(self, actor: Actor, action: str, target: Target, context: Mapping[str, Any] | None = None) -> Allowed:
        """Decide; raise :class:`AccessDenied` and record it if the answer is no. For reads of metadata, which leave no event."""
        match self.decide(actor, action, target, context):
            case Allowed() as allowed:
                return allowed
            case Denial() as denial:
                self.ledger.append(denial_event(self, actor, action, target, denial))
                raise AccessDenied(action, denial)

    def permits(self, actor: Actor, action: str, target: Target, context: Mapping[str, Any] | None = None) -> bool:
        """Whether a list may show this to the actor. Not a door: what it lets through is metadata, and what it holds back is no denial."""
        return isinstance(self.decide(actor, action, target, context), Allowed)

    @contextmanager
    def operation(
        self,
        actor: Actor,
        action: str,
        target: Target,
        *,
        context: Mapping[str, Any] | None = None,
        cause: str | None = None,
        idempotency: Idempotency | None = None,
    ) -> Iterator[Operation]:
        """The one way to change state or to open governed content; see :mod:`trustplane.kernel.operation`."""
        allowed = self.authorise(actor, action, target, context)
        named = action_named(action)
        if named.kind is Kind.READ:
            raise RuntimeError(f"{action} is a read: authorise it, it is no operation")
        op = Operation(self, actor, named, target, allowed, new_id(), cause, idempotency)
        with run(op):
            yield op

    def replayed(self, actor: Actor, idempotency: Idempotency | None) -> str | None:
        """The id of what an earlier request with this key made; raise :class:`Conflict` if that was another request."""
        if idempotency is None:
            return None
        with self.database.read() as session:
            row = session.get(Replay, (actor.id, idempotency.key))
        if row is None:
            return None
        if row.request != idempotency.request:
            raise Conflict("TP-IDENTITY-011", "the idempotency key was used for another request")
        return row.made

    # --- jobs

    def start_job(self, name: str, job_id: str, arguments: Mapping[str, Any]) -> None:
        """Start a job and execute it here unless another process does. Call it once the operation that asks for it has committed."""
        self.jobs.submit(name, arguments, job_id)
        self.jobs.launch()

    def stand_in(self, principal_id: str, scopes: Sequence[str]) -> Actor:
        """The principal in whose name a job goes on, as far as its token reached; raise :class:`Denied` if it was disabled since."""
        if principal_id == PLANE_ACTOR.id:
            return PLANE_ACTOR
        with self.database.read() as session:
            row = session.get(PrincipalRow, principal_id)
            if row is None or row.disabled_at is not None:
                raise Denied(
                    "TP-IDENTITY-012", "the principal of the job is disabled", facts={"principal": principal_id}
                )
            return replace(load_actor(session, row, None), scopes=(*scopes, "job.finish"))

    def job_target(self, actor: Actor, job_id: str) -> Target:
        """A job of ``actor`` as policy sees it."""
        return Target("Job", job_id, attributes={"owner": account(actor.answerable)})

    # --- keys

    def system_key(self, purpose: str) -> SecretKey:
        """A key of the plane itself: for the log's signatures, model signatures or token hashes."""
        with self.database.read() as session:
            row = session.scalar(
                select(VaultKey).where(
                    VaultKey.purpose == purpose, VaultKey.subject == "plane", VaultKey.wrapped.is_not(None)
                )
            )
            if row is None:
                raise Tampered("TP-PLANE-005", f"the plane's key for {purpose} is gone")
            return unwrap_chain(session, self.keystore, row.id)

    def rotate_root(self, actor: Actor) -> str:
        """Put every key under a new root, and destroy the old one. Data is not touched. Returns the new root's id."""
        with self.operation(actor, "key.rotate", PLANE) as op:
            root = destruction.turn(op.session, self.keystore)
            op.record(root=root)
        destruction.settle(self.database, self.keystore)
        return root

    def _settle_keys(self) -> None:
        """Finish a rotation that a crash cut short."""
        with self.database.read() as session:
            cut_short = destruction.unsettled(session, self.keystore)
        if cut_short:
            warnings.warn("a key rotation was cut short; it is finished now", stacklevel=2)
            self.rotate_root(PLANE_ACTOR)


def _parents(target: Target) -> tuple[Ref, ...]:
    """What a target lies in, as the policy schema has it."""
    plane = Ref("Plane", PLANE.id)
    match target.type:
        case "Plane" | "Account":
            return ()
        case "Project" | "Policy":
            return (plane,)
    project = () if target.project is None else (Ref("Project", target.project),)
    if target.type == "Deployment" and target.environment is not None:
        return (*project, Ref("Environment", target.environment))
    return project or (plane,)
