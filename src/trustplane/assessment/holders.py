"""Which assessments keep rows of a person sealed: by the lineage of the runs whose hold-outs they took them from."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.assessment.tables import Assessment, AssessmentEvidence
from trustplane.data.storage import has_keys
from trustplane.data.subjects.holders.contract import Reached
from trustplane.data.tables import DatasetVersion, SubjectRequest
from trustplane.kernel.vault.tables import VaultKey
from trustplane.training.holders import read_before
from trustplane.training.tables import Run


def evidence(session: Session, project_id: str, current: Mapping[str, str]) -> Sequence[Reached]:
    """The assessments of a project that keep rows from a run which read one of these versions under another digest than it has now.

    They go with the rows that are taken out: their figures stay, and hold no row.
    """
    query = (
        select(Assessment.id, VaultKey.id, Run.inputs)
        .join(AssessmentEvidence, AssessmentEvidence.assessment_id == Assessment.id)
        .join(VaultKey, VaultKey.id == AssessmentEvidence.key_id)
        .join(Run, Run.id == Assessment.run_id)
        .where(Assessment.project_id == project_id, VaultKey.wrapped.is_not(None))
    )
    found: dict[str, Reached] = {}
    for assessment, key, inputs in session.execute(query.order_by(Assessment.id)):
        if any(read_before(said, current) for said in inputs.values()):
            why = "it keeps rows of a hold-out from before the rows were taken out"
            found[assessment] = Reached("evidence", assessment, f"assessment {assessment[-8:]}", why, (key,))
    return list(found.values())


def rows_are_gone(session: Session, run: Run) -> bool:
    """Whether rows of a person were taken out of what the run read, or all of it is past its retention."""
    inputs = list(run.inputs.values())
    requests = session.scalars(select(SubjectRequest.erased).where(SubjectRequest.project_id == run.project_id))
    erased = {v for said in requests for each in said.values() for v in each["versions"]}
    ids = {said.get("version", "") for said in inputs}
    versions = session.scalars(
        select(DatasetVersion).where(DatasetVersion.id.in_(ids)).execution_options(populate_existing=True)
    ).all()
    current = {v.id: v.digest for v in versions if v.id in erased}
    return any(read_before(said, current) for said in inputs) or not all(has_keys(session, v) for v in versions)
