"""The control on contracts: is what broke a contract dealt with?"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from trustplane.data.contracts.service import waiting
from trustplane.data.controls import SUBJECT_KIND, datasets_with
from trustplane.data.tables import DatasetContract
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Passed, Verdict


def datasets(session: Session, scope: Scope) -> Sequence[Subject]:
    """The datasets of a project that have a contract."""
    return datasets_with(DatasetContract, session, scope)


def collect_quarantine(session: Session, subject: Subject) -> Evidence | None:
    """Which versions wait in quarantine."""
    name = f"Dataset::{subject.id}"
    events = (*events_about(session, name, "dataset.update")[-1:], *events_about(session, name, "dataset.ingest")[-1:])
    return Evidence({"waiting": [v.number for v in waiting(session, subject.id)]}, events)


def judge_quarantine(evidence: Evidence) -> Verdict:
    """No version waits."""
    numbers = evidence.facts["waiting"]
    figures = {"waiting": float(len(numbers))}
    if numbers:
        return Failed(
            f"version {numbers[0]} broke the contract and waits in quarantine",
            "mend the data and ingest them again, or let the version out with 'trustplane dataset release'",
            figures,
        )
    return Passed("every version that is in use keeps the contract, or was let out for a reason", figures)


CONTROLS = (
    Control(
        "TP-DAT-09",
        "Versions keep their contract",
        "Is every version that broke the dataset's contract mended or let out for a reason?",
        "data",
        SUBJECT_KIND,
        Severity.MEDIUM,
        datasets,
        collect_quarantine,
        judge_quarantine,
        "look at it with 'trustplane contract show'",
    ),
)
