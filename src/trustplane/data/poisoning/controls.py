"""The control on looks: did a person deal with what was found?"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.controls import SUBJECT_KIND
from trustplane.data.poisoning.service import open_looks
from trustplane.data.tables import Dataset, DatasetVersion, VersionLook
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Passed, Verdict


def datasets(session: Session, scope: Scope) -> Sequence[Subject]:
    """The datasets of a project whose rows came from outside: what a recipe or a reclassification makes is not looked at again."""
    looked_at = select(DatasetVersion.dataset_id).join(VersionLook, VersionLook.version_id == DatasetVersion.id)
    rows = (
        select(Dataset).where(Dataset.project_id == scope.project_id, Dataset.id.in_(looked_at)).order_by(Dataset.name)
    )
    return [Subject(SUBJECT_KIND, row.id, row.name) for row in session.scalars(rows)]


def collect_looks(session: Session, subject: Subject) -> Evidence | None:
    """The newest version that was looked at, and which versions have signs that nobody settled."""
    newest = session.scalar(
        select(DatasetVersion)
        .join(VersionLook, VersionLook.version_id == DatasetVersion.id)
        .where(DatasetVersion.dataset_id == subject.id)
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    )
    if newest is None:
        return None
    found = open_looks(session, subject.id)
    name = f"Dataset::{subject.id}"
    events = (*events_about(session, name, "dataset.ingest")[-1:], *events_about(session, name, "dataset.update")[-1:])
    facts = {
        "newest": newest.number,
        "open": [v.number for v, _ in found],
        "signs": sum(int(look.report["found"]) for _, look in found),
    }
    return Evidence(facts, events, newest.created)


def judge_looks(evidence: Evidence) -> Verdict:
    """Every sign was settled by a person, or there was none."""
    numbers, signs = evidence.facts["open"], evidence.facts["signs"]
    figures = {"versions": float(len(numbers)), "signs": float(signs)}
    if numbers:
        return Failed(
            f"{signs} signs of poisoning in {'version' if len(numbers) == 1 else 'versions'} {', '.join(map(str, numbers))} wait for a data steward",
            "look at them with 'trustplane dataset look', and mend the data or say why they are right with 'trustplane dataset settle'",
            figures,
        )
    return Passed("every version was looked at, and every sign of poisoning was settled", figures)


CONTROLS = (
    Control(
        "TP-DAT-10",
        "New data are looked at for poisoning",
        "Was every sign of poisoning in new versions dealt with?",
        "data",
        SUBJECT_KIND,
        Severity.MEDIUM,
        datasets,
        collect_looks,
        judge_looks,
        "look at it with 'trustplane dataset look'",
    ),
)
