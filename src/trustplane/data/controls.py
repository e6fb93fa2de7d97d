"""The controls that read datasets: are they classified, is their processing declared, are they encrypted?"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.accepting import BY_POLICY
from trustplane.data.catalog import find_version
from trustplane.data.datasheets import PARTS, missing_parts, parts_of
from trustplane.data.tables import Dataset, DatasetContract, DatasetVersion, PrivacyBudget
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, NotApplicable, Passed, Verdict

SUBJECT_KIND = "dataset"


def datasets_with(table: type[DatasetContract | PrivacyBudget], session: Session, scope: Scope) -> Sequence[Subject]:
    """The datasets of a project that another table tells of."""
    told = select(Dataset).where(Dataset.project_id == scope.project_id, Dataset.id.in_(select(table.dataset_id)))
    return [Subject(SUBJECT_KIND, row.id, row.name) for row in session.scalars(told.order_by(Dataset.name))]


def datasets(session: Session, scope: Scope) -> Sequence[Subject]:
    """The datasets of a project."""
    rows = session.scalars(select(Dataset).where(Dataset.project_id == scope.project_id).order_by(Dataset.name))
    return [Subject(SUBJECT_KIND, row.id, row.name) for row in rows]


def _versions(session: Session, subject: Subject) -> list[DatasetVersion]:
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == subject.id).order_by(DatasetVersion.number)
    return list(session.scalars(query))


def collect_classes(session: Session, subject: Subject) -> Evidence | None:
    """The newest version, its classes and who confirmed them."""
    row = session.get(Dataset, subject.id)
    if row is None or not _versions(session, subject):
        return None
    newest = find_version(session, row)
    facts = {
        "number": newest.number,
        "columns": len(newest.classes),
        "confirmed": newest.confirmed_by is not None,
        "by_policy": newest.confirmed_by == BY_POLICY,
    }
    name = f"Dataset::{subject.id}"
    events = (
        *events_about(session, name, "dataset.ingest")[-1:],
        *events_about(session, name, "dataset.classify")[-1:],
        *events_about(session, name, "dataset.accept")[-1:],
    )
    return Evidence(facts, events, newest.confirmed_at or newest.created)


def judge_classes(evidence: Evidence) -> Verdict:
    """A person confirmed the class of every column of the newest version, or a policy of the plane accepted the proposals."""
    facts = evidence.facts
    figures = {"columns": float(facts["columns"])}
    if facts["confirmed"]:
        return Passed(
            f"{'a policy accepted' if facts['by_policy'] else 'a data steward confirmed'} the classes of all {facts['columns']} columns of version {facts['number']}",
            figures,
        )
    return Failed(
        f"nobody confirmed the proposed classes of version {facts['number']}",
        "a data steward confirms them with 'trustplane dataset confirm'",
        figures,
    )


def collect_terms(session: Session, subject: Subject) -> Evidence | None:
    """What is declared of the dataset."""
    row = session.get(Dataset, subject.id)
    if row is None:
        return None
    facts = {
        "purposes": len(row.purposes),
        "basis": row.lawful_basis,
        "retention": row.retention_days,
        "owner": bool(row.owner_id),
        "source": bool(row.source),
    }
    return Evidence(facts, events_about(session, f"Dataset::{row.id}", "dataset.ingest")[-1:], row.created)


def judge_terms(evidence: Evidence) -> Verdict:
    """Purposes, legal basis, retention, source and somebody who answers for it are all declared."""
    facts = evidence.facts
    missing = [
        words
        for words, there in (
            ("a purpose", facts["purposes"]),
            ("a legal basis", facts["basis"]),
            ("a retention", facts["retention"]),
            ("a source", facts["source"]),
            ("an owner", facts["owner"]),
        )
        if not there
    ]
    if missing:
        return Failed(f"{', '.join(missing)} is not declared", "declare it with the next 'trustplane dataset ingest'")
    return Passed(
        f"purposes, legal basis ({facts['basis']}), retention, source and owner are declared",
        {"purposes": float(facts["purposes"])},
    )


def collect_keys(session: Session, subject: Subject) -> Evidence | None:
    """Whether each version has its object, and a live key for each of its classes."""
    versions = _versions(session, subject)
    if not versions:
        return None
    live, wanted, objects = 0, 0, 0
    for version in versions:
        keys = session.scalars(select(VaultKey).where(VaultKey.id.in_(list(version.keys.values())))).all()
        wanted += len(version.keys)
        live += sum(1 for key in keys if key.wrapped is not None)
        objects += session.get(VaultBlob, version.digest) is not None
    facts = {"versions": len(versions), "keys": wanted, "live": live, "objects": objects}
    return Evidence(facts, events_about(session, f"Dataset::{subject.id}", "dataset.ingest"), versions[-1].created)


def judge_keys(evidence: Evidence) -> Verdict:
    """Every version is an encrypted object with a key of its own for each class."""
    facts = evidence.facts
    figures = {name: float(facts[name]) for name in ("versions", "keys", "live", "objects")}
    if facts["live"] == 0:
        return NotApplicable("all keys were destroyed: there is nothing left to protect")
    if facts["objects"] < facts["versions"]:
        return Failed("a version has no object on record", "run 'trustplane ledger verify'", figures)
    gone = facts["keys"] - facts["live"]
    of = "1 version is" if facts["versions"] == 1 else f"{facts['versions']} versions are"
    said = f"{of} encrypted under {facts['live']} live keys, one for each class and one for the index of people"
    return Passed(said + (f"; {gone} were destroyed" if gone > 0 else ""), figures)


def collect_datasheet(session: Session, subject: Subject) -> Evidence | None:
    """Which questions of the datasheet people have answered."""
    row = session.get(Dataset, subject.id)
    if row is None:
        return None
    missing = missing_parts(parts_of(session, row))
    facts = {"missing": list(missing), "asked": sum(1 for part in PARTS.values() if part.asked)}
    return Evidence(facts, events_about(session, f"Dataset::{row.id}", "dataset.update")[-1:])


def judge_datasheet(evidence: Evidence) -> Verdict:
    """Every question that a datasheet must answer is answered."""
    missing, asked = evidence.facts["missing"], evidence.facts["asked"]
    figures = {"asked": float(asked), "missing": float(len(missing))}
    if missing:
        return Failed(f"the datasheet does not say {', '.join(missing)}", "run 'trustplane dataset describe'", figures)
    return Passed(f"all {asked} questions of the datasheet are answered", figures)


CONTROLS = (
    Control(
        "TP-DAT-01",
        "Columns are classified",
        "Did a person confirm how every column of the dataset must be treated?",
        "data",
        SUBJECT_KIND,
        Severity.HIGH,
        datasets,
        collect_classes,
        judge_classes,
        "confirm the classes with 'trustplane dataset confirm'",
        gate=True,
    ),
    Control(
        "TP-DAT-02",
        "Processing is declared",
        "Are purposes, legal basis, retention, source and owner of the dataset declared?",
        "data",
        SUBJECT_KIND,
        Severity.HIGH,
        datasets,
        collect_terms,
        judge_terms,
        "declare them with 'trustplane dataset ingest'",
        gate=True,
    ),
    Control(
        "TP-DAT-03",
        "Data is encrypted",
        "Is every version encrypted, with a key of its own for each class of column?",
        "data",
        SUBJECT_KIND,
        Severity.CRITICAL,
        datasets,
        collect_keys,
        judge_keys,
        "run 'trustplane ledger verify'",
    ),
    Control(
        "TP-DAT-07",
        "The dataset is described",
        "Does the datasheet say how the data were collected, what they are good for, and where they fail?",
        "data",
        SUBJECT_KIND,
        Severity.MEDIUM,
        datasets,
        collect_datasheet,
        judge_datasheet,
        "answer the questions with 'trustplane dataset describe'",
    ),
)
