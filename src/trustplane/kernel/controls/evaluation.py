"""Evaluating controls: collect, check freshness, judge, and keep the findings."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.controls.tables import FindingRow
from trustplane.values.findings import Finding, Subject, status_of
from trustplane.values.ids import new_id
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Verdict


def verdict_of(control: Control, evidence: Evidence | None, now: datetime) -> Verdict:
    """The verdict on evidence as it stands at ``now``. No evidence, or evidence that is too old, never passes."""
    if evidence is None:
        return Inconclusive("there is no evidence", control.remedy)
    if control.max_age is not None:
        if evidence.at is None:
            return Inconclusive("the evidence does not say when it was made", control.remedy)
        if now - evidence.at > control.max_age:
            return Inconclusive(f"the evidence is older than {control.max_age.days} days", control.remedy)
    return control.judge(replace(evidence, now=now))


def evaluate_one(session: Session, control: Control, subject: Subject, now: datetime) -> Finding:
    """The finding of one control on one subject."""
    evidence = control.collect(session, subject)
    verdict = verdict_of(control, evidence, now)
    remedy = verdict.remedy or control.remedy if isinstance(verdict, Failed | Inconclusive) else ""
    figures = {} if isinstance(verdict, Inconclusive | NotApplicable) else dict(verdict.figures)
    return Finding(
        control.id,
        subject,
        status_of(verdict),
        control.severity,
        verdict.reason,
        remedy,
        figures,
        () if evidence is None else evidence.events,
    )


def evaluate(session: Session, controls: Iterable[Control], scope: Scope) -> list[Finding]:
    """The findings of controls on every subject of a scope, or on its one subject."""
    found = []
    for control in controls:
        if scope.subject is None:
            subjects: Sequence[Subject] = control.subjects(session, scope)
        else:
            subjects = [scope.subject] if scope.subject.kind == control.subject_kind else []
        found += [evaluate_one(session, control, subject, scope.now) for subject in subjects]
    return found


def keep(session: Session, findings: Iterable[Finding], project_id: str, now: datetime) -> str:
    """Add the findings of one evaluation to the unit of work; return the evaluation's id."""
    evaluation_id = new_id()
    session.add_all(_row(f, evaluation_id, project_id, now) for f in findings)
    return evaluation_id


def _row(finding: Finding, evaluation_id: str, project_id: str, now: datetime) -> FindingRow:
    return FindingRow(
        id=new_id(),
        evaluation_id=evaluation_id,
        project_id=project_id,
        control=finding.control,
        subject_kind=finding.subject.kind,
        subject_id=finding.subject.id,
        subject_label=finding.subject.label,
        status=str(finding.status),
        severity=str(finding.severity),
        reason=finding.reason[:2000],
        remedy=finding.remedy[:2000],
        figures=dict(finding.figures),
        evidence=list(finding.evidence),
        evaluated=now,
    )
