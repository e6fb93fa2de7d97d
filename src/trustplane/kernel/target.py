"""What an operation is about, as policy sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A resource: its Cedar entity type and id, the scope it lies in, and the attributes that policies read."""

    type: str
    id: str
    project: str | None = None
    environment: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``Type::id``, as the ledger writes it."""
        return f"{self.type}::{self.id}"


PLANE = Target("Plane", "plane")
