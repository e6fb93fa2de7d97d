"""The door: authorise, run, record, in one transaction.

::

    with plane.operation(actor, "dataset.classify", target) as op:   # policy decides here, or AccessDenied
        row = op.session.get(...)                                    # the unit of work
        op.record(columns=31)                                        # the facts of the event, same transaction

An operation that ends without an error commits its changes and its event together. One that raises changes nothing and leaves an event
that says how it ended. A denial leaves an event too.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.identity.tables import Replay
from trustplane.kernel.ledger.events import Event, Outcome
from trustplane.kernel.ledger.journal import companion_of
from trustplane.kernel.policy.actions import ACTIONS, Action, Kind
from trustplane.kernel.store.base import Base, Governed, row_digest, row_key
from trustplane.kernel.store.governed import Changes
from trustplane.kernel.target import Target
from trustplane.kernel.vault.keyring import require_opens
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import Denied, TrustplaneError
from trustplane.values.ids import new_id
from trustplane.values.outcomes import Allowed, Denial

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane


class AccessDenied(Denied):
    """Policy said no. ``policies`` are the ids of the policies that forbid it; none where no policy permits it."""

    def __init__(self, action: str, denial: Denial) -> None:
        super().__init__(
            "TP-POLICY-020", f"{action} is denied", why=denial.reason, facts={"policies": list(denial.policies)}
        )
        self.policies = denial.policies


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A key that the caller chose, and a digest of its request."""

    key: str
    request: str


@dataclass(slots=True)
class Operation:
    """One operation while it is open. Made by :meth:`Plane.operation` alone."""

    plane: "Plane"
    actor: Actor
    action: Action
    target: Target
    decision: Allowed
    id: str
    cause: str | None = None
    idempotency: Idempotency | None = None
    live: bool = True
    receipt: str | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _session: Session | None = None
    _changes: Changes | None = None
    _facts: dict[str, Any] = field(default_factory=dict)
    _refers: dict[str, str] = field(default_factory=dict)
    _released: list[str] = field(default_factory=list)
    _companions: list[Base] = field(default_factory=list)
    _made: str = ""

    @property
    def session(self) -> Session:
        """The unit of work. Opened on first use, so that long work before it holds no lock."""
        self._require_live()
        if self._session is None:
            if self.action.kind is Kind.READ:
                raise RuntimeError(f"{self.action.name} is a read: it has no unit of work")
            self._session = self._stack.enter_context(self.plane.database.write())
            self._changes = Changes(self._session)
        return self._session

    def about(self, target: Target) -> None:
        """Name the resource of the event, where it is known only now: a thing that the operation made."""
        self.target = target

    def record(self, **facts: Any) -> None:
        """Add facts to the event: figures, states, ids. Never personal data, never secrets."""
        self._facts.update(facts)

    def refer(self, **digests: str) -> None:
        """Name by digest what the event is about: a blob, a manifest, a code tree."""
        self._refers.update(digests)

    def made(self, resource_id: str) -> None:
        """Say what was made, so that a repeated request with the same idempotency key finds it."""
        self._made = resource_id

    def accompany(self, row: Base) -> None:
        """Write a row together with the event of an operation that has no unit of work; the event carries its digest."""
        self._require_live()
        self._companions.append(row)

    # --- the vault's side of the door

    @property
    def releases_keys(self) -> bool:
        """Whether keys may leave the vault through this operation: it reads governed content or changes it."""
        return self.action.kind is not Kind.READ

    def note_release(self, key_ids: list[str]) -> None:
        """Keep which keys were released; the event says so."""
        self._require_live()
        self._released.extend(key_ids)

    def _require_live(self) -> None:
        if not self.live:
            raise RuntimeError(f"the operation {self.action.name} is over")


@contextmanager
def run(op: Operation) -> Iterator[Operation]:
    """Run an operation that was allowed: commit its changes with its event, or leave an event of how it failed."""
    try:
        with op._stack:  # noqa: SLF001 - the operation's other half
            yield op
            _commit(op)
    except TrustplaneError as error:
        op.live = False
        facts = {"code": error.code} | op._facts  # noqa: SLF001
        op.plane.ledger.append(_event(op, Outcome.REFUSED, facts, {}))
        raise
    except Exception as error:
        op.live = False
        op.plane.ledger.append(_event(op, Outcome.FAILED, {"error": type(error).__name__}, {}))
        raise
    op.live = False
    op.plane.ledger.sequencer.nudge()
    if op.action.assured:
        op.receipt = op.plane.ledger.receipt(op.id)


def _commit(op: Operation) -> None:
    if op._session is None:  # noqa: SLF001
        if op.action.kind is Kind.WRITE:
            raise RuntimeError(f"{op.action.name} changes state and changed nothing")
        state = {row_key(row): row_digest(row) for row in op._companions if isinstance(row, Governed)}  # noqa: SLF001
        companions = tuple(companion_of(row) for row in op._companions)  # noqa: SLF001
        op.plane.ledger.append(_event(op, Outcome.DONE, op._facts, state), companions)  # noqa: SLF001
        return
    session, changes = op._session, op._changes  # noqa: SLF001
    assert changes is not None
    session.flush()
    if keys := [row for row in changes.added if isinstance(row, VaultKey)]:
        require_opens(session, op.plane.keystore, keys)
    if op.idempotency is not None:
        session.add(
            Replay(
                principal_id=op.actor.id,
                key=op.idempotency.key,
                request=op.idempotency.request,
                made=op._made,  # noqa: SLF001
                created=op.plane.clock.now(),
            )
        )
        session.flush()
    op.plane.ledger.insert(session.connection(), [_event(op, Outcome.DONE, op._facts, changes.digests())])  # noqa: SLF001


def _event(op: Operation, outcome: Outcome, facts: Mapping[str, Any], state: Mapping[str, str]) -> Event:
    payload: dict[str, Any] = {
        "decision": {"effect": "allow", "policies": list(op.decision.policies)},
        "facts": dict(facts),
        "refers": dict(op._refers),  # noqa: SLF001
        "state": dict(state),
    }
    if op._released:  # noqa: SLF001
        payload["keys"] = list(op._released)  # noqa: SLF001
    if op.cause is not None:
        payload["cause"] = op.cause
    return Event(op.id, op.plane.clock.now(), op.actor.id, op.action.name, op.target.name, outcome, payload)


def denial_event(plane: "Plane", actor: Actor, action: str, target: Target, denial: Denial) -> Event:
    """The event of a denial."""
    payload = {"decision": {"effect": "deny", "policies": list(denial.policies), "reason": denial.reason}}
    return Event(new_id(), plane.clock.now(), actor.id, action, target.name, Outcome.DENIED, payload)


def action_named(name: str) -> Action:
    """The action of this name; a programming error if there is none."""
    return ACTIONS[name]
