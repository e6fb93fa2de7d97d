"""Finding models and their versions, and how policy sees a version."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.controls import SUBJECT_KIND as DATASET
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.kernel.policy.requests import Ref, account
from trustplane.kernel.target import Target
from trustplane.release.tables import Approval, Model, ModelVersion
from trustplane.training.controls import subject as run_subject
from trustplane.training.tables import Run
from trustplane.values.errors import NotFound, nearest
from trustplane.values.findings import Subject

SUBJECT_KIND = "model-version"


def subject_of(version_id: str) -> str:
    """How keys and objects name a model version."""
    return f"model-version:{version_id}"


def find_model(session: Session, project_id: str, name_or_id: str) -> Model:
    """The model of a project with this name or id; raise :class:`NotFound` with the nearest name."""
    row = session.scalar(
        select(Model).where(Model.project_id == project_id, (Model.name == name_or_id) | (Model.id == name_or_id))
    )
    if row is None:
        names = list(session.scalars(select(Model.name).where(Model.project_id == project_id)))
        what = f"there is no model {name_or_id[:80]!r} in the project"
        raise NotFound("TP-RELEASE-001", what, why=nearest(name_or_id, names))
    return row


def find_version(session: Session, model: Model, number: int | None = None) -> ModelVersion:
    """A version of a model by number, the newest without one."""
    query = select(ModelVersion).where(ModelVersion.model_id == model.id).order_by(ModelVersion.number.desc())
    row = session.scalar(query.limit(1) if number is None else query.where(ModelVersion.number == number))
    if row is None:
        raise NotFound("TP-RELEASE-001", f"the model {model.name!r} has no version {number}")
    return row


def approvers_of(session: Session, version_id: str) -> frozenset[str]:
    """Who has approved a version."""
    query = select(Approval.reviewer_id).where(Approval.model_version_id == version_id, Approval.decision == "approved")
    return frozenset(session.scalars(query))


def model_target(session: Session, row: ModelVersion) -> Target:
    """A model version as policy sees it."""
    attributes = {
        "project": Ref("Project", row.project_id),
        "author": account(row.author_id),
        "approvers": frozenset(account(a) for a in approvers_of(session, row.id)),
        "status": row.status,
    }
    return Target("ModelVersion", row.id, project=row.project_id, attributes=attributes)


def related(session: Session, row: ModelVersion) -> list[Subject]:
    """What a version stands on, as controls see it: itself, its run, and the datasets behind the run's inputs."""
    run = session.get_one(Run, row.run_id)
    found = [subject(session, row), run_subject(run)]
    for given in run.inputs.values():
        version = session.get(DatasetVersion, given.get("version", ""))
        if version is not None:
            dataset = session.get_one(Dataset, version.dataset_id)
            found.append(Subject(DATASET, dataset.id, dataset.name))
    return list(dict.fromkeys(found))


def subject(session: Session, row: ModelVersion) -> Subject:
    """A model version as controls see it."""
    name = session.get_one(Model, row.model_id).name
    return Subject(SUBJECT_KIND, row.id, f"{name} {row.number}")
