"""The control on private training: does what a run claims hold together, and is it within the limit?"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.private.budgets import budgets_of
from trustplane.data.private.questions import MICRO
from trustplane.data.tables import DatasetVersion, View
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.training.controls import SUBJECT_KIND, subject
from trustplane.training.private.claims import CLAIM, judge_claim
from trustplane.training.tables import Run
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import NotApplicable, Verdict

LIMIT = 10.0
"""The greatest epsilon where no budget of the data sets another (Ponomareva et al. 2023, section 5.2: at most 10 is a reasonable guarantee)."""


def private_runs(session: Session, scope: Scope) -> Sequence[Subject]:
    """The runs of a project that ended well and claim differential privacy."""
    query = select(Run).where(Run.project_id == scope.project_id, Run.state == "done").order_by(Run.id)
    return [subject(row) for row in session.scalars(query) if "claim" in row.outputs.get(CLAIM, {})]


def collect_claim(session: Session, subject: Subject) -> Evidence | None:
    """What the run claims, and the smallest privacy budget that its data have for the purpose of its views."""
    row = session.get(Run, subject.id)
    if row is None:
        return None
    limits = []
    for name, given in sorted(row.inputs.items()):
        view = session.scalar(select(View).where(View.project_id == row.project_id, View.name == name))
        version = session.get(DatasetVersion, given.get("version", ""))
        if view is not None and version is not None:
            limits += [b.total / MICRO for b in budgets_of(session, version.dataset_id) if b.purpose == view.purpose]
    facts = {"claim": row.outputs.get(CLAIM, {}).get("claim"), "limit": min(limits, default=LIMIT)}
    return Evidence(facts, events_about(session, f"Run::{row.id}")[:8], row.finished)


def judge(evidence: Evidence) -> Verdict:
    """The claim's epsilon follows from its mechanism, and is within the budget of the data."""
    claim = evidence.facts["claim"]
    if claim is None:
        return NotApplicable("the run claims no differential privacy")
    return judge_claim(claim, float(evidence.facts["limit"]))


CONTROLS = (
    Control(
        "TP-TRN-04",
        "Claims of private training hold",
        "Does the epsilon that a run claims follow from its noise, and is it within the budget of its data?",
        "training",
        SUBJECT_KIND,
        Severity.HIGH,
        private_runs,
        collect_claim,
        judge,
        "train with trustplane.training.private, and write its claim",
    ),
)
