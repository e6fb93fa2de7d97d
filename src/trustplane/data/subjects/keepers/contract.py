"""What a stage says of the records that it keeps about people, each sealed under a key of the person's own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from trustplane.data.blind_index import Identifier
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.tables import VaultKey


@dataclass(frozen=True, slots=True)
class Kept:
    """The records about a person in one place, such as a deployment. ``ids`` are those of the records, ``keys`` those that seal them."""

    kind: str
    place: str
    name: str
    ids: tuple[str, ...]
    keys: tuple[str, ...]


class Keeper(Protocol):
    """Registered as ``trustplane.keepers``. ``kind`` is the word for the records: ``decisions``."""

    kind: str

    def find(
        self, op: Operation, session: Session, project_id: str, identifiers: Sequence[Identifier]
    ) -> Sequence[Kept]:
        """What is kept about a person. No record is decrypted."""
        ...

    def open(self, op: Operation, session: Session, kept: Kept) -> Iterator[dict[str, Any]]:
        """The records, decrypted, as they are told to the person."""
        ...

    def empty(self, op: Operation, kept: Kept) -> Sequence[VaultKey]:
        """Empty the records in the operation's unit of work; give the keys that are to be destroyed."""
        ...
