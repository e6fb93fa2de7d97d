"""Runs: asking for one, and looking at what came of it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
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
from trustplane.training.sandboxes.contract import GIB, MIB, Limits
from trustplane.training.sandboxes.registry import open_sandbox
from trustplane.training.sandboxes.removal import discard
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput, NotFound, Unavailable
from trustplane.values.ids import new_id
from trustplane.values.outcomes import Failed

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

JOB = "training.run"
LOG = "log"
"""Under this name the outputs of a run hold what it printed; no file of it may have it."""
LONGEST = timedelta(days=2)
CANCELLED = "it was cancelled"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What is to be run: a script among its files, on views, with parameters and a seed. ``reason`` says why without a sandbox."""

    script: str
    files: Mapping[str, bytes] = field(repr=False)
    views: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    git: Mapping[str, Any] = field(default_factory=dict)
    sandbox: str = "sandlock"
    reason: str = ""


def find_run(session: Session, project_id: str, run_id: str) -> Run:
    """The run of a project with this id."""
    row = session.get(Run, run_id)
    if row is None or row.project_id != project_id:
        raise NotFound("TP-RUN-010", f"there is no run {run_id[:64]!r} in the project")
    return row


def run_target(row: Run) -> Target:
    """A run as policy sees it."""
    return Target("Run", row.id, project=row.project_id, attributes={"author": account(row.author_id)})


def subject_of(run_id: str) -> str:
    """How keys and objects name a run."""
    return f"run:{run_id}"


def start_run(
    plane: "Plane", actor: "Actor", project: str, spec: RunSpec, idempotency: "Idempotency | None" = None
) -> str:
    """Ask for a run; return its id, under which its job goes too.

    Raises :class:`Refused` where this machine cannot hold a script in; going without a sandbox is an action of its own.
    """
    files = checked_files(spec.script, spec.files)
    git, parameters = checked_git(dict(spec.git)), _checked_parameters(spec.parameters)
    _check_limits(spec)
    sandbox = open_sandbox(spec.sandbox)
    unsafe = sandbox.descriptor.unsafe
    reason = _checked_reason(spec.reason) if unsafe else ""
    with plane.database.read() as session:
        project_row = find_project(session, project)
        target, project_id, project_key = project_target(project_row), project_row.id, project_row.key_id
    action, context = ("run.start-unsandboxed", {"reason": reason}) if unsafe else ("run.start", {})
    with plane.operation(actor, action, target, context=context, idempotency=idempotency) as op:
        match sandbox.capability():
            case Failed() as failed:
                raise Unavailable(
                    "TP-RUN-001", "this machine cannot hold a script in", why=failed.reason, fix=failed.remedy
                )
        with plane.database.read() as session:
            parent = release(op, session, plane.keystore, [project_key])[project_key]
            views = [find_view(session, project_id, name).name for name in spec.views]
        run_id, now = new_id(), plane.clock.now()
        key_row, key = mint(parent, KeySpec("run", subject_of(run_id), project_id), now)
        code = seal(plane.blobs, key, [pack(files)], subject_of(run_id), now)
        row = Run(
            id=run_id,
            project_id=project_id,
            author_id=actor.answerable,
            actor_id=actor.id,
            scopes=list(actor.scopes),
            job_id=run_id,
            state="queued",
            script=spec.script,
            code=code_digest(files),
            code_blob=code.digest,
            parameters=parameters,
            seed=spec.seed,
            git=git,
            environment=environment_facts(),
            limits=asdict(spec.limits),
            sandbox=spec.sandbox,
            reason=reason,
            inputs={name: {} for name in views},
            outputs={},
            metrics={},
            log_blob=None,
            ended="",
            key_id=key_row.id,
            created=now,
            finished=None,
        )
        op.session.add_all((key_row, code.row, row))
        op.about(run_target(row))
        op.record(
            run=run_id,
            views=views,
            seed=spec.seed,
            sandbox=spec.sandbox,
            lock=row.environment["lock"],
            git=git,
            **({"reason": reason} if unsafe else {}),
        )
        op.refer(code=row.code)
        op.made(run_id)
    plane.start_job(JOB, run_id, _arguments(run_id, actor.id, actor.scopes, op.id))
    return run_id


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


def _checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in parameters.items():
        plain = isinstance(value, str | bool | int | float) and (not isinstance(value, float) or math.isfinite(value))
        whole = not isinstance(value, int) or abs(value) < 2**53
        if not name.isidentifier() or len(name) > 64 or not plain or not whole or not _recordable(str(value), 1000):
            raise BadInput("TP-RUN-015", f"the parameter {name[:64]!r} is not usable")
        kept[name] = value
    if len(kept) > 200:
        raise BadInput("TP-RUN-015", "a run has at most 200 parameters")
    return kept


def _checked_reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise BadInput("TP-RUN-013", "a run without a sandbox needs a reason")
    if not _recordable(reason, 2000):
        raise BadInput("TP-RUN-013", "the reason cannot be recorded", why="it has at most 2,000 characters, and no NUL")
    return reason


def _recordable(text: str, longest: int) -> bool:
    """Whether every store takes the text: PostgreSQL holds no NUL, and a lone surrogate is no character."""
    return len(text) <= longest and not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def _check_limits(spec: RunSpec) -> None:
    limits = spec.limits
    sane = (
        64 * MIB <= limits.memory_bytes <= 1024 * GIB
        and 1 <= limits.processes <= 4096
        and 1 <= limits.threads <= 65_536
        and 1 <= limits.wall_seconds <= LONGEST.total_seconds()
        and 1 <= limits.cpu_seconds <= LONGEST.total_seconds() * 64
        and 16 <= limits.open_files <= 1_048_576
        and 1 <= limits.output_bytes <= 1024 * GIB
        and 1 <= limits.output_files <= 100_000
        and 1 <= limits.log_bytes <= 64 * MIB
    )
    if not sane or not 0 <= spec.seed < 2**32:
        raise BadInput("TP-RUN-016", "a limit or the seed of the run is out of bounds")
