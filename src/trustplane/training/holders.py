"""Which runs rows of a person went into: their outputs and logs may hold some."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.subjects.holders.contract import Reached
from trustplane.training.tables import Run


def runs(session: Session, project_id: str, current: Mapping[str, str]) -> Sequence[Reached]:
    """The runs of a project that read one of these versions under another digest than it has now."""
    return [
        Reached("run", run.id, f"run {run.id[-8:]} of {run.script}", "it read the rows before they were taken out")
        for run in session.scalars(select(Run).where(Run.project_id == project_id).order_by(Run.id))
        if any(read_before(said, current) for said in run.inputs.values())
    ]


def read_before(said: Mapping[str, str], current: Mapping[str, str]) -> bool:
    """Whether what a run read of a view was of one of these versions, and under another digest than it has now."""
    version = said.get("version", "")
    return version in current and said.get("digest") != current[version]
