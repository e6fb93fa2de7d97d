"""Finding datasets, versions and views, and how policy sees them."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from trustplane.data.classes import PERSONAL
from trustplane.data.tables import Dataset, DatasetVersion, Quarantine, View
from trustplane.kernel.policy.requests import Ref, account
from trustplane.kernel.target import Target
from trustplane.values.errors import NotFound, Refused, nearest


def find_dataset(session: Session, project_id: str, name_or_id: str) -> Dataset:
    """The dataset of a project with this name or id; raise :class:`NotFound` with the nearest name."""
    row = session.scalar(
        select(Dataset).where(
            Dataset.project_id == project_id, (Dataset.name == name_or_id) | (Dataset.id == name_or_id)
        )
    )
    if row is None:
        names = list(session.scalars(select(Dataset.name).where(Dataset.project_id == project_id)))
        what = f"there is no dataset {name_or_id[:80]!r} in the project"
        raise NotFound("TP-DATA-034", what, why=nearest(name_or_id, names))
    return row


def find_version(session: Session, dataset: Dataset, number: int | None = None) -> DatasetVersion:
    """A version of a dataset by number; without one the newest that is not in quarantine."""
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.number.desc())
    usable = query.where(~quarantined()).limit(1)
    row = session.scalar(usable if number is None else query.where(DatasetVersion.number == number))
    if row is None:
        raise NotFound("TP-DATA-034", f"the dataset {dataset.name!r} has no version {number}")
    return row


def quarantined() -> ColumnElement[bool]:
    """That a version is in quarantine, as a condition on :class:`DatasetVersion`."""
    return DatasetVersion.id.in_(select(Quarantine.version_id).where(Quarantine.released_at.is_(None)))


def require_usable(session: Session, version: DatasetVersion) -> None:
    """Raise :class:`Refused` (TP-DATA-121) for a version that is in quarantine."""
    row = session.get(Quarantine, version.id)
    if row is not None and row.released_at is None:
        raise Refused("TP-DATA-121", f"version {version.number} broke the contract and is in quarantine")


def find_view(session: Session, project_id: str, name_or_id: str) -> View:
    """The view of a project with this name or id."""
    row = session.scalar(
        select(View).where(View.project_id == project_id, (View.name == name_or_id) | (View.id == name_or_id))
    )
    if row is None:
        names = list(session.scalars(select(View.name).where(View.project_id == project_id)))
        what = f"there is no view {name_or_id[:80]!r} in the project"
        raise NotFound("TP-DATA-035", what, why=nearest(name_or_id, names))
    return row


def dataset_target(session: Session, row: Dataset) -> Target:
    """A dataset as policy sees it; personal if its newest version holds personal data."""
    version = session.scalar(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == row.id)
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    )
    personal = version is None or bool(set(version.classes.values()) & {str(each) for each in PERSONAL})
    attributes = {
        "owner": account(row.owner_id),
        "purposes": frozenset(row.purposes),
        "personal": personal,
        "held": row.held,
    }
    return Target("Dataset", row.id, project=row.project_id, attributes=attributes)


def view_target(row: View) -> Target:
    """A view as policy sees it."""
    attributes = {
        "dataset": Ref("Dataset", row.dataset_id),
        "purpose": row.purpose,
        "expires": int(row.expires.timestamp()),
    }
    return Target("View", row.id, project=row.project_id, attributes=attributes)
