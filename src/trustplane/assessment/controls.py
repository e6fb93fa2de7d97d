"""The controls that read assessments: does the model perform, and is it fair, by figures that are fresh and by rules not made laxer."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.assessment.checks import (
    counterfactuals,
    explanation,
    fairness,
    leakage,
    membership,
    performance,
    poisoning,
    reproducibility,
    robustness,
    slices,
    stress,
)
from trustplane.assessment.checks.contract import Descriptor, laxer
from trustplane.assessment.tables import Assessment
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.findings import Severity, Status, Subject
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict

SUBJECT_KIND = "model-version"
MAX_AGE = timedelta(days=90)


def versions(session: Session, scope: Scope) -> Sequence[Subject]:
    """The model versions of a project. This stage knows them by their keys, since the stage that registers them comes after it."""
    prefix = f"{SUBJECT_KIND}:"
    query = select(VaultKey.subject).where(
        VaultKey.project_id == scope.project_id, VaultKey.purpose == "model", VaultKey.subject.startswith(prefix)
    )
    ids = sorted({subject.removeprefix(prefix) for subject in session.scalars(query)})
    return [Subject(SUBJECT_KIND, i, f"model version {i[-12:]}") for i in ids]


def _collected(*descriptors: Descriptor) -> Callable[[Session, Subject], Evidence | None]:
    """Of each check the newest result that an assessment of the version holds, as old as the oldest of them."""

    def collect(session: Session, subject: Subject) -> Evidence | None:
        query = (
            select(Assessment)
            .where(Assessment.model_version_id == subject.id, Assessment.state == "done")
            .order_by(Assessment.finished.desc(), Assessment.id.desc())
        )
        rows = list(session.scalars(query))
        held = [(d.name, row) for d in descriptors if (row := _holding(rows, d.name)) is not None]
        if not held:
            return None
        facts = {
            "assessments": len(rows),
            "results": {name: row.results[name] for name, row in held},
            "parameters": {name: row.suite.get("parameters", {}).get(name, {}) for name, row in held},
        }
        used = [row for row in reversed(rows) if any(row is other for _, other in held)]
        events = [e for row in used for e in (row.suite.get("asked", {}).get("cause"), row.suite.get("event")) if e]
        return Evidence(facts, tuple(events), used[0].finished)

    return collect


def _holding(rows: Sequence[Assessment], check: str) -> Assessment | None:
    return next((row for row in rows if check in row.results), None)


def _command(descriptors: Sequence[Descriptor]) -> str:
    """What gives the evidence of these checks."""
    named = "".join(f" --check {d.name}" for d in descriptors if d.on_request)
    return f"assess the version with 'trustplane assess MODEL{named}'"


def judge(evidence: Evidence, descriptors: Sequence[Descriptor]) -> Verdict:
    """Passes if every check passed or does not apply, and at least one passed; none may have been run by laxer parameters."""
    reasons, figures, passed = [], {"assessments": float(evidence.facts["assessments"])}, 0
    doubtful = ""
    for descriptor in descriptors:
        result = evidence.facts["results"].get(descriptor.name)
        if result is None:
            return Inconclusive(f"the assessment holds no check {descriptor.name}", _command(descriptors))
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


def _control(
    number: str,
    title: str,
    question: str,
    severity: Severity,
    *descriptors: Descriptor,
    gate: bool = False,
) -> Control:
    """A control that reads the newest results of some checks."""
    return Control(
        number,
        title,
        question,
        "assessment",
        SUBJECT_KIND,
        severity,
        versions,
        _collected(*descriptors),
        _judged_by(*descriptors),
        _command(descriptors),
        MAX_AGE,
        gate=gate,
    )


CONTROLS = (
    _control(
        "TP-ASM-01",
        "Performance is assessed",
        "Does the model perform well enough on rows that it was not trained on, over all and in every slice?",
        Severity.HIGH,
        performance.DESCRIPTOR,
        slices.DESCRIPTOR,
        gate=True,
    ),
    _control(
        "TP-ASM-02",
        "Fairness is assessed",
        "Do the model's favourable decisions and its errors fall on all protected groups alike?",
        Severity.HIGH,
        fairness.DESCRIPTOR,
        gate=True,
    ),
    _control(
        "TP-ASM-03",
        "Robustness is assessed",
        "Does the model withstand whoever changes what its threat model lets them change?",
        Severity.HIGH,
        robustness.DESCRIPTOR,
    ),
    _control(
        "TP-ASM-04",
        "Decisions can be explained",
        "Can the model's decisions be explained truly and alike for like rows, with reasons for every unfavourable one?",
        Severity.MEDIUM,
        explanation.DESCRIPTOR,
    ),
    _control(
        "TP-ASM-05",
        "Privacy leakage is assessed",
        "Does the model give away whose rows it learned from, or what they held?",
        Severity.HIGH,
        membership.DESCRIPTOR,
    ),
    _control(
        "TP-ASM-06",
        "Poisoning and leakage are looked for",
        "Was the model taught by rows that nobody tampered with, and judged on rows that it did not learn from?",
        Severity.HIGH,
        poisoning.DESCRIPTOR,
        leakage.DESCRIPTOR,
    ),
    _control(
        "TP-ASM-07",
        "Models stand stress",
        "Does the model still rank when features are missing or in other units, and when the people or the times change?",
        Severity.MEDIUM,
        stress.DESCRIPTOR,
    ),
    _control(
        "TP-ASM-08",
        "Scores are reproducible",
        "Does the same row get the same score, whenever it is asked and whatever it is asked with it?",
        Severity.MEDIUM,
        reproducibility.DESCRIPTOR,
    ),
    _control(
        "TP-ASM-09",
        "Unfavourable decisions can be turned",
        "Can people of every group turn unfavourable decisions alike, by what they can change?",
        Severity.MEDIUM,
        counterfactuals.DESCRIPTOR,
    ),
)
