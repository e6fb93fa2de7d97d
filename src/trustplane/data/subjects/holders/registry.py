"""The stages that say what a person's rows went into."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from trustplane.data.subjects.holders.contract import Holder, Reached
from trustplane.kernel.plugins import group, load


def reached(session: Session, project_id: str, current: Mapping[str, str]) -> list[Reached]:
    """Everything that was made of these versions while the person's rows were in them, by kind and name."""
    found: list[Reached] = []
    for entry in group("holders"):
        holder: Holder = load(entry)
        found += holder(session, project_id, current)
    return sorted(found, key=lambda r: (r.kind, r.name))
