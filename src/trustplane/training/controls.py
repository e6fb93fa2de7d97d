"""The controls that read runs: were they held in, did they use data for its purpose, and can they be repeated?"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.tables import Dataset, DatasetVersion, View
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.training.repetition import repetitions_of
from trustplane.training.tables import Run, RunDetail
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

SUBJECT_KIND = "run"
UNSAFE = "unsafe-none"


def runs(session: Session, scope: Scope) -> Sequence[Subject]:
    """The runs of a project that ended well: what failed left nothing that moves on."""
    query = select(Run).where(Run.project_id == scope.project_id, Run.state == "done").order_by(Run.id)
    return [subject(row) for row in session.scalars(query)]


def subject(row: Run) -> Subject:
    """A run as controls see it."""
    return Subject(SUBJECT_KIND, row.id, f"{row.script} {row.id[-12:]}")


def collect_provenance(session: Session, subject: Subject) -> Evidence | None:
    """What made the run so."""
    row = session.get(Run, subject.id)
    if row is None:
        return None
    facts = {
        "sandbox": row.sandbox,
        "reason": row.reason,
        "code": row.code,
        "lock": row.environment.get("lock", ""),
        "readable": len(row.environment.get("readable", [])),
        "outputs": len(row.outputs),
    }
    return Evidence(facts, events_about(session, f"Run::{row.id}")[:8], row.finished)


def judge_provenance(evidence: Evidence) -> Verdict:
    """The script ran in a sandbox, and code, environment and outputs are on record by digest."""
    facts = evidence.facts
    figures = {"readable_paths": float(facts["readable"]), "outputs": float(facts["outputs"])}
    if facts["sandbox"] == UNSAFE or facts["reason"]:  # a reason is on record only where nothing held the script in
        return Failed(f"the script ran without a sandbox: {facts['reason']}", "run it in the sandbox", figures)
    missing = [name for name in ("code", "lock") if not facts[name]]
    if missing:
        return Failed(f"the digest of {' and '.join(missing)} is not on record", "run the script again", figures)
    return Passed(
        f"it ran in the sandbox {facts['sandbox']}; code, environment, seed and outputs are on record by digest",
        figures,
    )


def collect_inputs(session: Session, subject: Subject) -> Evidence | None:
    """The views of the run, and the purposes of what they show."""
    row = session.get(Run, subject.id)
    if row is None:
        return None
    strange, unknown, opened = [], [], []
    for name, given in sorted(row.inputs.items()):
        view = session.scalar(select(View).where(View.project_id == row.project_id, View.name == name))
        version = session.get(DatasetVersion, given.get("version", ""))
        if view is None or version is None:
            unknown.append(name)
            continue
        dataset = session.get_one(Dataset, version.dataset_id)
        if view.purpose not in dataset.purposes:
            strange.append(name)
        if given.get("event") in events_about(session, f"View::{view.id}", "view.open"):
            opened.append(given["event"])
    facts = {"inputs": len(row.inputs), "unknown": unknown, "strange": strange, "opened": len(opened)}
    return Evidence(facts, tuple(opened) or events_about(session, f"Run::{row.id}")[:1], row.finished)


def judge_inputs(evidence: Evidence) -> Verdict:
    """Every input is a view of a known version, for one of its dataset's purposes, and its opening is on record."""
    facts = evidence.facts
    figures = {"inputs": float(facts["inputs"]), "openings_on_record": float(facts["opened"])}
    if facts["unknown"]:
        return Failed(
            f"the versions behind {', '.join(facts['unknown'])} are not known", "run the script again on views", figures
        )
    if facts["strange"]:
        why = f"{', '.join(facts['strange'])} is used for a purpose that its dataset was not collected for"
        return Failed(why, "have the data steward record the purpose, or train on other data", figures)
    if facts["opened"] < facts["inputs"]:
        return Failed("an opening of a view is not on record", "run the script again", figures)
    if not facts["inputs"]:
        return Passed("it used no data", figures)
    return Passed(
        f"all {facts['inputs']} inputs are views for a purpose of their datasets, and their openings are on record",
        figures,
    )


def repeatable(session: Session, scope: Scope) -> Sequence[Subject]:
    """The runs that ended well and repeat no other."""
    repetitions = select(RunDetail.run_id).where(RunDetail.repeats != "")
    query = select(Run).where(Run.project_id == scope.project_id, Run.state == "done", Run.id.not_in(repetitions))
    return [subject(row) for row in session.scalars(query.order_by(Run.id))]


def collect_repetition(session: Session, subject: Subject) -> Evidence | None:
    """The newest repetition of the run that has ended; without one, the run itself."""
    row = session.get(Run, subject.id)
    if row is None:
        return None
    ended = [(row, detail) for row, detail in repetitions_of(session, subject.id) if row.finished is not None]
    if not ended:
        return Evidence({"repetitions": 0}, events_about(session, f"Run::{row.id}")[:1], row.finished)
    again, detail = ended[0]
    facts = {"state": again.state, "ended": again.ended, "repetitions": len(ended), **detail.comparison}
    return Evidence(facts, events_about(session, f"Run::{again.id}")[-3:], again.finished)


def judge_repetition(evidence: Evidence) -> Verdict:
    """The newest repetition gave the same outputs, or the same figures within its tolerance."""
    facts = evidence.facts
    if not facts["repetitions"]:
        return Inconclusive("nobody has repeated the run", "repeat it with 'trustplane run verify RUN'")
    figures = {"repetitions": float(facts["repetitions"])}
    if facts["state"] != "done":
        return Failed(
            f"its repetition came to nothing: {facts['ended'][:200]}", "look at the repetition's log", figures
        )
    outputs, metrics = facts["outputs"], facts["metrics"]
    figures |= {
        "outputs_same": float(outputs["same"]),
        "outputs_different": float(len(outputs["different"])),
        "metrics_same": float(metrics["same"]),
        "metrics_different": float(len(metrics["different"])),
    }
    match facts["verdict"]:
        case "identical":
            return Passed("its repetition gave the same outputs byte by byte, and the same figures", figures)
        case "alike":
            return Passed(
                f"its repetition gave the same figures within {facts['tolerance']:.2%}, and outputs of other bytes",
                figures,
            )
        case _:
            return Failed(f"its repetition differs: {_named(facts)}", _to_do(facts), figures)


def _named(facts: Mapping[str, Any]) -> str:
    parts = (
        *(f"the input {name}" for name in facts["inputs"]),
        *(f"the metric {name}" for name in facts["beyond"]),
        *(f"the output {name} ({how})" for name, how in facts["outputs"]["different"].items()),
    )
    return ", ".join(parts[:5]) + (f" and {len(parts) - 5} more" if len(parts) > 5 else "")


def _to_do(facts: Mapping[str, Any]) -> str:
    if facts["environment"]:
        return "the environment changed; run the script again and verify that run"
    return "seed what the script leaves to chance, or verify with a tolerance"


CONTROLS = (
    Control(
        "TP-TRN-01",
        "Training is held in and on record",
        "Did the script run in a sandbox, and is on record what made the model?",
        "training",
        SUBJECT_KIND,
        Severity.HIGH,
        runs,
        collect_provenance,
        judge_provenance,
        "run the script with 'trustplane run'",
        gate=True,
    ),
    Control(
        "TP-TRN-02",
        "Training data serves its purpose",
        "Was every input a view of a known version, for a purpose that the data was collected for?",
        "training",
        SUBJECT_KIND,
        Severity.HIGH,
        runs,
        collect_inputs,
        judge_inputs,
        "train on views, with 'trustplane run --view'",
        gate=True,
    ),
    Control(
        "TP-TRN-03",
        "Runs can be repeated",
        "Does the same code on the same views with the same seed give the same outputs, or the same figures?",
        "training",
        SUBJECT_KIND,
        Severity.MEDIUM,
        repeatable,
        collect_repetition,
        judge_repetition,
        "repeat the run with 'trustplane run verify RUN'",
    ),
)
