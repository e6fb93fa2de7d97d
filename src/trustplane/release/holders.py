"""Which model versions rows of a person went into, by the lineage of their runs."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.subjects.holders.contract import Reached
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.holders import read_before
from trustplane.training.tables import Run


def models(session: Session, project_id: str, current: Mapping[str, str]) -> Sequence[Reached]:
    """The model versions of a project whose run read one of these versions under another digest than it has now."""
    query = (
        select(ModelVersion, Model.name, Run.inputs)
        .join(Model, Model.id == ModelVersion.model_id)
        .join(Run, Run.id == ModelVersion.run_id)
        .where(ModelVersion.project_id == project_id)
    )
    found = []
    for version, name, inputs in session.execute(query):
        read = [view for view, said in inputs.items() if read_before(said, current)]
        if read:
            why = f"its run read the view {read[0]} before the rows were taken out"
            found.append(Reached("model", version.id, f"{name} version {version.number}", why))
    return found
