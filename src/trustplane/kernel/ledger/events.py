"""An event as the kernel builds it, before it is sealed into a leaf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from trustplane.kernel.ledger.records import Sealed, seal
from trustplane.values.clock import rfc3339


class Outcome(StrEnum):
    """How the operation ended."""

    DONE = "done"  # the operation did what it says
    DENIED = "denied"  # policy said no
    REFUSED = "refused"  # a rule of the lifecycle said no, or the input was wrong
    FAILED = "failed"  # it broke; nothing was changed


@dataclass(frozen=True, slots=True)
class Event:
    """What the ledger records of one operation. ``payload`` holds the decision, the facts and the digests of what it refers to; it
    is committed to by the leaf, not held in it, and never holds personal data."""

    id: str
    time: datetime
    actor: str
    action: str
    resource: str
    outcome: Outcome
    payload: Mapping[str, Any] = field(default_factory=dict)

    def seal(self) -> Sealed:
        """The leaf with its salted commitment, the canonical payload, and the salt."""
        return seal(
            id=self.id,
            time=rfc3339(self.time),
            actor=self.actor,
            action=self.action,
            resource=self.resource,
            outcome=str(self.outcome),
            payload=self.payload,
        )


class Entry(msgspec.Struct, frozen=True):
    """A sealed event on its way to the database."""

    id: str
    resource: str
    sealed: Sealed

    @classmethod
    def of(cls, event: Event) -> "Entry":
        """Seal ``event``."""
        return cls(event.id, event.resource, event.seal())
