"""What a stage says of the things that it makes of data: which of them a person's rows went into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Reached:
    """A thing that rows of a person went into. ``why`` says by which lineage.

    ``keys`` seal copies of rows that nothing else needs: they are destroyed together with the rows, and the thing is reached no more. Without
    them a person decides what becomes of the thing.
    """

    kind: str
    id: str
    name: str
    why: str
    keys: tuple[str, ...] = ()


class Holder(Protocol):
    """Registered as ``trustplane.holders``. ``current`` maps versions of datasets to the digest of their table as it is now.

    A thing that was made of one of these versions under another digest was made before the person's rows were taken out.
    """

    def __call__(self, session: Session, project_id: str, current: Mapping[str, str]) -> Sequence[Reached]:
        """The things of this stage that are reached."""
        ...
