"""The control on private statistics: was no more told than the budgets pay for?"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trustplane.data.controls import SUBJECT_KIND, datasets_with
from trustplane.data.private.budgets import budgets_of
from trustplane.data.private.questions import MICRO
from trustplane.data.tables import PrivacyBudget, PrivacyRelease
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Passed, Verdict


def datasets(session: Session, scope: Scope) -> Sequence[Subject]:
    """The datasets of a project that have a privacy budget."""
    return datasets_with(PrivacyBudget, session, scope)


def collect_budgets(session: Session, subject: Subject) -> Evidence | None:
    """Each budget, what it says was spent, and what the statistics that were told cost together."""
    facts, events = [], list(events_about(session, f"Dataset::{subject.id}", "dataset.update")[-1:])
    for row in budgets_of(session, subject.id):
        told = select(PrivacyRelease).where(PrivacyRelease.budget_id == row.id)
        cost = session.scalar(select(func.sum(PrivacyRelease.epsilon)).where(PrivacyRelease.budget_id == row.id)) or 0
        facts.append({"purpose": row.purpose, "total": row.total, "spent": row.spent, "told": int(cost)})
        newest = session.scalar(told.order_by(PrivacyRelease.id.desc()).limit(1))
        if newest is not None:
            events += events_about(session, f"View::{newest.view_id}", "view.measure")[-1:]
    return Evidence({"budgets": facts}, tuple(dict.fromkeys(events))) if facts else None


def judge_budgets(evidence: Evidence) -> Verdict:
    """What was told costs just what the budgets say was spent, and no budget is overdrawn."""
    budgets = evidence.facts["budgets"]
    figures = {
        "budgets": float(len(budgets)),
        "epsilon": sum(b["total"] for b in budgets) / MICRO,
        "spent": sum(b["told"] for b in budgets) / MICRO,
    }
    wrong = [b["purpose"] for b in budgets if b["told"] != b["spent"] or b["told"] > b["total"]]
    if wrong:
        return Failed(
            f"the statistics told for {wrong[0]} do not agree with the budget",
            "run 'trustplane ledger verify', and tell no more statistics until it is explained",
            figures,
        )
    return Passed(
        f"epsilon {figures['spent']:g} of {figures['epsilon']:g} is spent, each part on a recorded statistic", figures
    )


CONTROLS = (
    Control(
        "TP-DAT-08",
        "Statistics stay within the privacy budget",
        "Does every private statistic have its cost in a budget, and is none overdrawn?",
        "data",
        SUBJECT_KIND,
        Severity.HIGH,
        datasets,
        collect_budgets,
        judge_budgets,
        "run 'trustplane budget show'",
    ),
)
