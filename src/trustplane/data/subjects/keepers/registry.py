"""The stages that keep records about people."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from trustplane.data.blind_index import Identifier
from trustplane.data.subjects.keepers.contract import Keeper, Kept
from trustplane.kernel.operation import Operation
from trustplane.kernel.plugins import group, load


def keepers() -> dict[str, Keeper]:
    """Every keeper by its kind."""
    found: dict[str, Keeper] = {}
    for entry in group("keepers"):
        keeper: Keeper = load(entry)
        found[keeper.kind] = keeper
    return found


def kept_about(op: Operation, session: Session, project_id: str, identifiers: Sequence[Identifier]) -> list[Kept]:
    """Everything that is kept about a person, by kind and name."""
    found = [k for keeper in keepers().values() for k in keeper.find(op, session, project_id, identifiers)]
    return sorted(found, key=lambda k: (k.kind, k.name))
