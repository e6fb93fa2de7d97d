"""Runs: asking for one, and looking at what came of it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.catalog import find_view
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.policy.requests import account
from trustplane.kernel.target import Target
from trustplane.kernel.vault.artifacts import seal, unseal
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.training.code import checked_files, code_digest, pack
from trustplane.training.environment import checked_git, environment_facts
from trustplane.training.profiles import USUAL, devices_of
from trustplane.training.sandboxes.contract import Sandbox
from trustplane.training.sandboxes.registry import open_sandbox
from trustplane.training.sandboxes.removal import discard
from trustplane.training.spec import RunKind, RunSpec, check_kind, check_limits, checked_parameters, checked_reason
from trustplane.training.tables import Run, RunDetail, RunSeries
from trustplane.values.digests import Digest
from trustplane.values.errors import BadInput, NotFound, Unavailable, missing_extra
from trustplane.values.ids import new_id
from trustplane.values.outcomes import Failed

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency, Operation
    from trustplane.kernel.plane import Plane

JOB = "training.run"
LOG = "log"
"""Under this name the outputs of a run hold what it printed; no file of it may have it."""
CANCELLED = "it was cancelled"


@dataclass(frozen=True, slots=True)
class Place:
    """The project that a run lies in, and the key of the project."""

    project_id: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Code:
    """The files of a run, packed, and their digest."""

    digest: Digest
    packed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Repeats:
    """The run that is done again, and how far its metrics may lie apart, as a share."""

    run_id: str = ""
    tolerance: float = 0.0


def find_run(session: Session, project_id: str, run_id: str) -> Run:
    """The run of a project with this id."""
    row = session.get(Run, run_id)
    if row is None or row.project_id != project_id:
        raise NotFound("TP-RUN-010", f"there is no run {run_id[:64]!r} in the project")
    return row


def detail_of(session: Session, run_id: str) -> RunDetail:
    """How a run is run; what holds of a run from before this was kept."""
    row = session.get(RunDetail, run_id)
    if row is None:
        row = _detail(run_id, RunKind.SCRIPT, "", USUAL, Repeats())
    return row


def series_of(session: Session, run_id: str) -> dict[str, dict[str, Any]]:
    """The metrics that a run logged, by name."""
    rows = session.scalars(select(RunSeries).where(RunSeries.run_id == run_id).order_by(RunSeries.name))
    return {row.name: row.points for row in rows}


def run_target(row: Run) -> Target:
    """A run as policy sees it."""
    return Target("Run", row.id, project=row.project_id, attributes={"author": account(row.author_id)})


def subject_of(run_id: str) -> str:
    """How keys and objects name a run."""
    return f"run:{run_id}"


def start_run(
    plane: "Plane",
    actor: "Actor",
    project: str,
    spec: RunSpec,
    idempotency: "Idempotency | None" = None,
    passed: "Callable[[Operation], None] | None" = None,
) -> str:
    """Ask for a run; return its id, under which its job goes too.

    Raises :class:`Refused` where this machine cannot hold a script in; going without a sandbox is an action of its own. A conversion
    loads a pickle: whoever starts one says by ``passed`` how its source is judged, after the decision and before anything is kept.
    """
    if spec.kind == RunKind.CONVERSION and passed is None:
        raise BadInput("TP-RUN-060", "a conversion is not started as a run", why="its source must be scanned first")
    files = checked_files(spec.script, spec.files)
    check_kind(spec)
    if spec.kind == RunKind.NOTEBOOK and not all(map(find_spec, ("IPython", "nbformat"))):
        raise missing_extra("IPython", "notebooks", "running notebooks")
    checked_git(dict(spec.git))
    checked_parameters(spec.parameters)
    profile = check_limits(spec)
    sandbox = open_sandbox(spec.sandbox)
    unsafe = sandbox.descriptor.unsafe
    spec = replace(spec, reason=checked_reason(spec.reason) if unsafe else "")
    with plane.database.read() as session:
        project_row = find_project(session, project)
        target, place = project_target(project_row), Place(project_row.id, project_row.key_id)
    action = "run.start-unsandboxed" if unsafe else "run.start"
    context = {"reason": spec.reason} if unsafe else {"profile": profile.name}
    with plane.operation(actor, action, target, context=context, idempotency=idempotency) as op:
        require_capable(sandbox)
        devices_of(profile)
        if passed is not None:
            passed(op)
        made = make_run(op, place, spec, Code(code_digest(files), pack(files)))
        if unsafe:
            op.record(reason=spec.reason)
    hand_over(plane, actor, made.id, op.id)
    return made.id


def require_capable(sandbox: Sandbox) -> None:
    """Raise unless this machine can hold a script in."""
    match sandbox.capability():
        case Failed() as failed:
            raise Unavailable(
                "TP-RUN-001", "this machine cannot hold a script in", why=failed.reason, fix=failed.remedy
            )


def make_run(op: "Operation", place: Place, spec: RunSpec, code: Code, repeats: Repeats | None = None) -> Run:
    """Add a run that was allowed to the unit of work of an operation, with a key of its own, and record it."""
    plane, actor = op.plane, op.actor
    with plane.database.read() as session:
        parent = release(op, session, plane.keystore, [place.key_id])[place.key_id]
        views = [find_view(session, place.project_id, name).name for name in spec.views]
    run_id, now = new_id(), plane.clock.now()
    key_row, key = mint(parent, KeySpec("run", subject_of(run_id), place.project_id), now)
    sealed = seal(plane.blobs, key, [code.packed], subject_of(run_id), now)
    row = Run(
        id=run_id,
        project_id=place.project_id,
        author_id=spec.author or actor.answerable,
        actor_id=actor.id,
        scopes=list(actor.scopes),
        job_id=run_id,
        state="queued",
        script=spec.script,
        code=code.digest,
        code_blob=sealed.digest,
        parameters=checked_parameters(spec.parameters),
        seed=spec.seed,
        git=checked_git(dict(spec.git)),
        environment=environment_facts(),
        limits=asdict(spec.bounds),
        sandbox=spec.sandbox,
        reason=spec.reason,
        inputs={name: {} for name in views},
        outputs={},
        metrics={},
        log_blob=None,
        ended="",
        key_id=key_row.id,
        created=now,
        finished=None,
    )
    again = repeats or Repeats()
    op.session.add_all((key_row, sealed.row, row))
    op.session.flush()  # the detail refers to the run
    op.session.add(_detail(run_id, spec.kind, spec.entry, spec.profile, again))
    op.about(run_target(row))
    op.record(
        run=run_id,
        kind=str(spec.kind),
        profile=spec.profile,
        views=views,
        seed=spec.seed,
        sandbox=spec.sandbox,
        lock=row.environment["lock"],
        git=row.git,
    )
    op.refer(code=row.code)
    op.made(run_id)
    return row


def _detail(run_id: str, kind: str, entry: str, profile: str, repeats: Repeats) -> RunDetail:
    return RunDetail(
        run_id=run_id,
        kind=str(kind),
        entry=entry,
        profile=profile,
        repeats=repeats.run_id,
        tolerance=repeats.tolerance,
        comparison={},
        logged={},
    )


def hand_over(plane: "Plane", actor: "Actor", run_id: str, cause: str) -> None:
    """Give a run that was recorded to the jobs."""
    plane.start_job(JOB, run_id, _arguments(run_id, actor.id, actor.scopes, cause))


def _arguments(run_id: str, actor_id: str, scopes: "tuple[str, ...] | list[str]", cause: str) -> dict[str, Any]:
    return {"run": run_id, "actor": actor_id, "scopes": list(scopes), "cause": cause}


def resume_runs(plane: "Plane") -> int:
    """Ask again for the jobs of runs that are queued: a crash may have fallen between a run's record and its job. Returns their number.

    A job that was asked for before is not started a second time. A run whose job ended without it has failed: the job was cancelled before
    it began, or given up.
    """
    with plane.database.read() as session:
        waiting = [
            (r.id, r.actor_id, r.scopes, r.created) for r in session.scalars(select(Run).where(Run.state == "queued"))
        ]
        causes = {run_id: (*events_about(session, f"Run::{run_id}"), "")[0] for run_id, *_ in waiting}
    for run_id, actor_id, scopes, _ in waiting:
        plane.start_job(JOB, run_id, _arguments(run_id, actor_id, scopes, causes[run_id]))
        status = plane.jobs.status(run_id)
        if status.state.final:
            fail_run(plane, run_id, CANCELLED if status.error is None else str(status.error))
    return len(waiting)


def scratch_of(plane: "Plane", run_id: str) -> Path:
    """The folder in which a run is executed."""
    return plane.workspace.folder / "scratch" / run_id


def fail_run(plane: "Plane", run_id: str, why: str) -> dict[str, Any]:
    """Record that a run came to nothing, unless it has ended, and remove what lies of it in plaintext.

    In the plane's own name, because who asked for the run may be gone.
    """
    with plane.operation(PLANE_ACTOR, "job.finish", plane.job_target(PLANE_ACTOR, run_id)) as op:
        held = op.session.get_one(Run, run_id)
        if held.state == "queued":
            held.state, held.ended, held.finished = "failed", why[:2000], plane.clock.now()
        op.about(run_target(held))
        op.record(run=run_id, state=held.state)
    discard(scratch_of(plane, run_id))
    return {"run": run_id, "state": held.state, "outputs": len(held.outputs)}


def open_output(
    plane: "Plane", actor: "Actor", project: str, run_id: str, path: str, cause: str | None = None
) -> Iterator[bytes]:
    """An output of a run in chunks; ``path`` is ``LOG`` for what it printed. The opening is on durable record first."""
    with plane.database.read() as session:
        row = find_run(session, find_project(session, project).id, run_id)
    with plane.operation(actor, "run.open", run_target(row), cause=cause) as op:
        blob = row.log_blob if path == LOG else row.outputs.get(path, {}).get("digest")
        if blob is None:
            raise NotFound("TP-RUN-014", f"the run has no output {path[:120]!r}", why=f"its state is {row.state}")
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [row.key_id])[row.key_id]
        op.record(output=path)
        op.refer(artifact=blob)
    return unseal(plane.blobs, key, blob, subject_of(row.id))
