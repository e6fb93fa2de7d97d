"""Assessments: asking for one, the job that makes it, and looking at what came of it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.assessment.checks.contract import CheckInput, CheckResult, Examined, Rows
from trustplane.assessment.checks.registry import installed_checks
from trustplane.assessment.evidence import keep_evidence
from trustplane.assessment.explaining.wording import WORDING, read_wording
from trustplane.assessment.holdout import FEATURES, THREAT, TRAINING, feature_names, read_holdout
from trustplane.assessment.scoring import ONNX, scorer
from trustplane.assessment.suite import Suite, checked_suite, read_suite
from trustplane.assessment.tables import Assessment
from trustplane.assessment.threats import KEPT, chosen, threat_of, told
from trustplane.kernel.identity.actors import PLANE_ACTOR, Actor
from trustplane.kernel.jobs.context import JobContext
from trustplane.kernel.jobs.registry import job
from trustplane.kernel.target import Target
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.training.runs import subject_of as run_subject
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput, NotFound, Tampered, TrustplaneError
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

JOB = "assessment.run"
_OPENED = ("format", "model_blob", "model_subject", "model_key_id", "holdout_blob", "holdout_subject", "key_id")


@dataclass(frozen=True, slots=True)
class AssessmentSubject:
    """What is assessed: a model version's sealed model and hold-out, as the release stage knows them.

    The blobs are addresses of ciphertexts, the subjects what they are bound to, ``key_id`` the key of the hold-out. ``model_sha256`` is of the
    model itself, ``format`` the one that it was admitted in. ``target`` is the version as policy sees it.
    """

    model_version_id: str
    run_id: str
    project_id: str
    model_blob: str
    model_subject: str
    model_key_id: str
    model_sha256: str
    format: str
    holdout_blob: str
    holdout_subject: str
    key_id: str
    target: Target


def start_assessment(
    plane: "Plane",
    actor: Actor,
    subject: AssessmentSubject,
    seed: int = 0,
    suite: Suite | Mapping[str, Any] | None = None,
    idempotency: "Idempotency | None" = None,
) -> str:
    """Ask for an assessment of a model version; return its id, under which its job goes too.

    ``seed`` is that of the bootstrap. ``suite`` may be a mapping of the fields of :class:`Suite`.
    """
    if not 0 <= seed < 2**31:
        raise BadInput("TP-ASSESS-001", "the seed is out of bounds")
    asked_for = suite if isinstance(suite, Suite) else read_suite(suite or {})
    kept = checked_suite(asked_for, installed_checks())
    with plane.operation(actor, "assessment.run", subject.target, idempotency=idempotency) as op:
        assessment_id = new_id()
        opened = {k: v for k, v in asdict(subject).items() if k in _OPENED}
        # what the job is called with stays with the row, so that a crash before the job loses nothing
        asked = {"actor": actor.id, "scopes": list(actor.scopes), "cause": op.id}
        threat = chosen(op.session, op.session.get(Run, subject.run_id), subject.project_id, asked_for.threat)
        kept |= {"threat": "" if threat.get("from") == KEPT else asked_for.threat, "threat_model": threat}
        row = Assessment(
            id=assessment_id,
            project_id=subject.project_id,
            run_id=subject.run_id,
            model_version_id=subject.model_version_id,
            author_id=actor.answerable,
            job_id=assessment_id,
            state="queued",
            model_digest=subject.model_sha256,
            holdout_digest=subject.holdout_blob,
            seed=seed,
            suite=kept | {"opened": opened, "asked": asked},
            results={},
            ended="",
            created=plane.clock.now(),
            finished=None,
        )
        op.session.add(row)
        op.record(
            assessment=assessment_id,
            version=subject.model_version_id,
            seed=seed,
            checks=sorted(kept["parameters"]),
            threat=told(kept),
        )
        op.refer(model=subject.model_sha256, holdout=subject.holdout_blob, **_threat_digest(kept))
        op.made(assessment_id)
    plane.start_job(JOB, assessment_id, {"assessment": assessment_id, **asked})
    return assessment_id


def resume_assessments(plane: "Plane") -> int:
    """Ask again for the jobs of assessments that are queued, as a crash may have fallen in between. Returns their number."""
    with plane.database.read() as session:
        query = select(Assessment).where(Assessment.state == "queued")
        waiting = [(r.id, r.suite["asked"]) for r in session.scalars(query)]
    for assessment_id, asked in waiting:
        plane.start_job(JOB, assessment_id, {"assessment": assessment_id, **asked})
    return len(waiting)


def find_assessment(session: Session, project_id: str, assessment_id: str) -> Assessment:
    """The assessment of a project with this id."""
    row = session.get(Assessment, assessment_id)
    if row is None or row.project_id != project_id:
        raise NotFound("TP-ASSESS-006", f"there is no assessment {assessment_id[:64]!r} in the project")
    return row


def assessments_of(session: Session, model_version_id: str) -> list[Assessment]:
    """The assessments of a model version, the newest first."""
    query = select(Assessment).where(Assessment.model_version_id == model_version_id)
    return list(session.scalars(query.order_by(Assessment.created.desc(), Assessment.id.desc())))


@job(JOB)
def assess(ctx: JobContext, *, assessment: str, actor: str, scopes: list[str], cause: str) -> dict[str, Any]:
    """Score the hold-out and run every check, each a step of its own: after a crash the checks that had ended stay as they are."""
    plane: Plane = ctx.plane
    who = PLANE_ACTOR  # ends the assessment where its author cannot any more
    try:
        who = plane.stand_in(actor, scopes)
        with plane.database.read() as session:
            suite = session.get_one(Assessment, assessment).suite
        data = cache(partial(_prepare, plane, who, assessment, cause))
        keep = partial(keep_evidence, plane, who, assessment, cause=cause)
        steps = len(suite["parameters"]) + 1
        results = {}
        for number, name in enumerate(suite["parameters"]):
            ctx.progress(number, steps, f"checking {name}")
            results[name] = ctx.step(f"check {name}", _measure, keep, data, name, suite["parameters"][name])
        kept: dict[str, Any] = ctx.step("keep", _keep, ctx, who, assessment, results)
    except TrustplaneError as error:
        kept = ctx.step("fail", _fail, ctx, who, assessment, str(error))
    ctx.progress(1, 1, kept["state"])
    return kept


def _measure(
    keep: Callable[[str, Mapping[str, Any]], dict[str, Any]],
    data: Callable[[], CheckInput],
    name: str,
    parameters: Mapping[str, float],
) -> dict[str, Any]:
    """The result as the job's store may keep it: its rows are sealed before the step ends, and only their number is told."""
    result = _check(data, name, parameters)
    return result.plain() | ({"evidence": keep(name, result.evidence)} if result.evidence else {})


def _check(data: Callable[[], CheckInput], name: str, parameters: Mapping[str, float]) -> CheckResult:
    return installed_checks()[name].run(data(), parameters)


def _prepare(plane: "Plane", actor: Actor, assessment_id: str, cause: str) -> CheckInput:
    """Open the model and its rows, once for all checks of a process, and score the hold-out."""
    with plane.database.read() as session:
        row = session.get_one(Assessment, assessment_id)
    suite, opened = row.suite, _open(plane, actor, row, cause)
    names = feature_names(opened.features)

    def read(parquet: bytes) -> Rows:  # older suites know no time
        return read_holdout(parquet, names, suite["label"], tuple(suite["protected"]), suite.get("time", ""))

    rows = read(opened.holdout)
    learned = None if opened.training is None else read(opened.training)
    form = suite["opened"].get("format", ONNX)  # older assessments say none
    asked = scorer(opened.model, form)
    scores = asked(rows.features)
    decided = (scores >= suite["threshold"]).astype(rows.label.dtype)
    with plane.database.read() as session:
        threat = threat_of(session, suite, opened.threat, names)
    said = () if opened.wording is None else read_wording(opened.wording, names).immutable
    model = Examined(asked, tuple(names), rows, learned, opened.model, form, suite["threshold"], threat, said)
    return CheckInput(rows.label, scores, decided, rows.groups, suite["favourable"], row.seed, model)


@dataclass(frozen=True, slots=True)
class _Opened:
    model: bytes
    holdout: bytes
    features: bytes
    training: bytes | None
    threat: bytes | None
    wording: bytes | None


def _threat_digest(suite: Mapping[str, Any]) -> dict[str, str]:
    """The threat model that the event of an assessment refers to."""
    held = told(suite)
    return {} if held is None else {"threat": held["digest"]}


def _open(plane: "Plane", actor: Actor, row: Assessment, cause: str) -> _Opened:
    """The model, the hold-out and what the run left beside them, in plaintext in memory alone. The opening is on durable record first."""
    opened: Mapping[str, str] = row.suite["opened"]
    with plane.database.read() as session:
        run = session.get_one(Run, row.run_id)
    if FEATURES not in run.outputs:
        raise BadInput("TP-ASSESS-003", f"the run left no {FEATURES}, so the order of the features is unknown")
    with plane.operation(actor, "job.finish", plane.job_target(actor, row.job_id), cause=cause) as op:
        wanted = {opened["model_key_id"], opened["key_id"], run.key_id}
        keys = release(op, op.session, plane.keystore, sorted(wanted))
        op.record(step="open", assessment=row.id)
        op.refer(model=row.model_digest, holdout=row.holdout_digest)
    model = b"".join(unseal(plane.blobs, keys[opened["model_key_id"]], opened["model_blob"], opened["model_subject"]))
    if "sha256:" + hashlib.sha256(model).hexdigest() != row.model_digest:
        raise Tampered("TP-ASSESS-005", "the model is not the one that was registered")
    held_out = b"".join(unseal(plane.blobs, keys[opened["key_id"]], opened["holdout_blob"], opened["holdout_subject"]))
    features, training, threat, wording = (
        b"".join(unseal(plane.blobs, keys[run.key_id], run.outputs[name]["digest"], run_subject(run.id)))
        if name in run.outputs
        else None
        for name in (FEATURES, TRAINING, THREAT, WORDING)
    )
    assert features is not None
    return _Opened(model, held_out, features, training, threat, wording)


def _keep(ctx: JobContext, actor: Actor, assessment_id: str, results: dict[str, Any]) -> dict[str, Any]:
    return _end(ctx, actor, assessment_id, "done", "", results)


def _fail(ctx: JobContext, actor: Actor, assessment_id: str, why: str) -> dict[str, Any]:
    return _end(ctx, actor, assessment_id, "failed", why[:2000], {})


def _end(
    ctx: JobContext, actor: Actor, assessment_id: str, state: str, ended: str, results: dict[str, Any]
) -> dict[str, Any]:
    plane: Plane = ctx.plane
    with plane.operation(actor, "job.finish", plane.job_target(actor, assessment_id)) as op:
        held = op.session.get_one(Assessment, assessment_id)
        if held.state == "queued":  # else the crash fell between the record of the end and that of this step
            held.state, held.ended, held.results, held.finished = state, ended, results, plane.clock.now()
            held.suite = {**held.suite, "event": op.id}
        op.about(Target("ModelVersion", held.model_version_id, project=held.project_id))
        op.record(
            assessment=assessment_id,
            state=held.state,
            verdicts={name: result["status"] for name, result in held.results.items()},
            figures={name: result["figures"] for name, result in held.results.items()},
        )
        op.refer(model=held.model_digest, holdout=held.holdout_digest, **_threat_digest(held.suite))
        return {"assessment": assessment_id, "state": held.state}
