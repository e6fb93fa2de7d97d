"""The controls that read assessments: does the model perform, and is it fair, by figures that are fresh and by rules not made laxer."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.assessment.checks import fairness, performance, robustness, slices
from trustplane.assessment.checks.contract import Descriptor, laxer
from trustplane.assessment.tables import Assessment
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.findings import Severity, Status, Subject
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict

SUBJECT_KIND = "model-version"
MAX_AGE = timedelta(days=90)
_ASSESS = "assess the version anew with 'trustplane assess'"


def versions(session: Session, scope: Scope) -> Sequence[Subject]:
    """The model versions of a project. This stage knows them by their keys, since the stage that registers them comes after it."""
    prefix = f"{SUBJECT_KIND}:"
    query = select(VaultKey.subject).where(
        VaultKey.project_id == scope.project_id, VaultKey.purpose == "model", VaultKey.subject.startswith(prefix)
    )
    ids = sorted({subject.removeprefix(prefix) for subject in session.scalars(query)})
    return [Subject(SUBJECT_KIND, i, f"model version {i[-12:]}") for i in ids]


def collect(session: Session, subject: Subject) -> Evidence | None:
    """The newest assessment of a version that came to an end, and how many there were."""
    query = (
        select(Assessment)
        .where(Assessment.model_version_id == subject.id, Assessment.state == "done")
        .order_by(Assessment.finished.desc(), Assessment.id.desc())
    )
    rows = list(session.scalars(query))
    if not rows:
        return None
    newest = rows[0]
    facts = {
        "assessment": newest.id,
        "assessments": len(rows),
        "results": newest.results,
        "parameters": newest.suite.get("parameters", {}),
    }
    events = tuple(e for e in (newest.suite.get("asked", {}).get("cause"), newest.suite.get("event")) if e)
    return Evidence(facts, events, newest.finished)


def judge(evidence: Evidence, descriptors: Sequence[Descriptor]) -> Verdict:
    """Passes if every check passed or does not apply, and at least one passed; none may have been run by laxer parameters."""
    reasons, figures, passed = [], {"assessments": float(evidence.facts["assessments"])}, 0
    doubtful = ""
    for descriptor in descriptors:
        result = evidence.facts["results"].get(descriptor.name)
        if result is None:
            return Inconclusive(f"the assessment holds no check {descriptor.name}", _ASSESS)
        figures |= {f"{descriptor.name}.{k}": float(v) for k, v in result["figures"].items()}
        made_laxer = laxer(descriptor, evidence.facts["parameters"].get(descriptor.name, {}))
        if made_laxer:
            return Failed(
                f"the check {descriptor.name} was run by laxer rules: {', '.join(made_laxer)}",
                "assess by the default parameters or stricter ones, or ask for a waiver",
                figures,
            )
        reasons.append(f"{descriptor.name}: {result['reason']}")
        if result["status"] == Status.FAILED:
            return Failed(reasons[-1], "train a better model, or ask for a waiver", figures)
        if result["status"] == Status.PASSED:
            passed += 1
        elif result["status"] != Status.NOT_APPLICABLE:
            doubtful = doubtful or reasons[-1]
    if doubtful:
        return Inconclusive(doubtful, "assess on a larger hold-out")
    return Passed("; ".join(reasons), figures) if passed else NotApplicable("; ".join(reasons))


def _judged_by(*descriptors: Descriptor) -> Callable[[Evidence], Verdict]:
    return lambda evidence: judge(evidence, descriptors)


CONTROLS = (
    Control(
        "TP-ASM-01",
        "Performance is assessed",
        "Does the model perform well enough on rows that it was not trained on, over all and in every slice?",
        "assessment",
        SUBJECT_KIND,
        Severity.HIGH,
        versions,
        collect,
        _judged_by(performance.DESCRIPTOR, slices.DESCRIPTOR),
        _ASSESS,
        MAX_AGE,
        gate=True,
    ),
    Control(
        "TP-ASM-02",
        "Fairness is assessed",
        "Do the model's favourable decisions and its errors fall on all protected groups alike?",
        "assessment",
        SUBJECT_KIND,
        Severity.HIGH,
        versions,
        collect,
        _judged_by(fairness.DESCRIPTOR),
        _ASSESS,
        MAX_AGE,
        gate=True,
    ),
    Control(
        "TP-ASM-03",
        "Robustness is assessed",
        "Does the model withstand whoever changes what its threat model lets them change?",
        "assessment",
        SUBJECT_KIND,
        Severity.HIGH,
        versions,
        collect,
        _judged_by(robustness.DESCRIPTOR),
        "assess the version with 'trustplane assess MODEL --check robustness'",
        MAX_AGE,
    ),
)
