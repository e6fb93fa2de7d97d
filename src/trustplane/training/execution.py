"""The job of a run: open its views, run the script in the sandbox, keep what it leaves."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow.parquet as pq

from trustplane.data.views import open_view
from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.jobs.context import JobContext
from trustplane.kernel.jobs.registry import job
from trustplane.kernel.jobs.status import State
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.artifacts import Artifact, seal, unseal
from trustplane.kernel.vault.keyring import release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.training.code import unpack
from trustplane.training.private.claims import CLAIM, claim_in
from trustplane.training.runs import CANCELLED, JOB, LOG, fail_run, run_target, scratch_of, subject_of
from trustplane.training.sandboxes.contract import Limits, SandboxJob, SandboxResult
from trustplane.training.sandboxes.outputs import output_files
from trustplane.training.sandboxes.registry import open_sandbox
from trustplane.training.sandboxes.removal import discard
from trustplane.training.tables import Run
from trustplane.values.digests import CHUNK
from trustplane.values.errors import Refused, TrustplaneError

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

METRICS = "metrics.json"
_METRICS_SIZE = 64 << 10
_LARGEST_METRIC = 10**300
_MEASURED = ("readable", "wall_seconds", "cpu_seconds", "peak_memory_bytes", "exit_code", "logs_truncated")
_STEPS = 4

Who = Callable[[], Actor]
"""In whose name a step is taken: asked within the step, so that a principal who was disabled meanwhile ends the run on record."""


@job(JOB)
def execute(ctx: JobContext, *, run: str, actor: str, scopes: list[str], cause: str) -> dict[str, Any]:
    """Run a script. After a crash the script runs again from its beginning, unless it had ended."""
    from trustplane.kernel.jobs.backend import Ousted

    plane: Plane = ctx.plane
    who = partial(plane.stand_in, actor, scopes)
    scratch = scratch_of(plane, run)
    try:
        ended = ctx.step("run", _run, ctx, who, run, scratch, cause)
        ctx.progress(_STEPS - 1, _STEPS, "keeping the outputs")
        kept: dict[str, Any] = ctx.step("keep", _keep, ctx, who, run, scratch, ended)
    except TrustplaneError as error:
        kept = ctx.step("fail", fail_run, plane, run, str(error))
    except Ousted:
        if plane.jobs.status(ctx.job_id).state is State.CANCELLED:  # else another process has it now
            fail_run(plane, run, CANCELLED)
        raise
    discard(scratch)
    ctx.progress(_STEPS, _STEPS, kept["state"])
    return kept


def _run(ctx: JobContext, who: Who, run_id: str, scratch: Path, cause: str) -> dict[str, Any]:
    plane: Plane = ctx.plane
    actor = who()
    with plane.database.read() as session:
        row = session.get_one(Run, run_id)
    folders = _fresh(scratch)
    ctx.progress(0, _STEPS, "opening the views")
    _write_code(plane, actor, row, folders["code"], cause)
    inputs = {name: _write_view(plane, actor, row, name, folders["input"], cause) for name in row.inputs}
    ctx.progress(1, _STEPS, f"running {row.script} in the sandbox {row.sandbox}")
    hidden = (plane.workspace.key_file, plane.workspace.ledger, plane.workspace.jobs, *_local(plane))
    result = open_sandbox(row.sandbox).run(
        SandboxJob(
            command=(sys.executable, "-B", str(folders["code"] / row.script)),
            inputs=(folders["code"], folders["input"]),
            output=folders["output"],
            logs=folders["logs"],
            hidden=hidden,
            environment={
                "TRUSTPLANE_INPUT": str(folders["input"]),
                "TRUSTPLANE_OUTPUT": str(folders["output"]),
                "TRUSTPLANE_SEED": str(row.seed),
                "TRUSTPLANE_PARAMETERS": msgspec.json.encode(row.parameters).decode(),
            },
            limits=msgspec.convert(row.limits, Limits),
        )
    )
    discard(folders["input"])
    return {"inputs": inputs, **_said(result)}


def _local(plane: "Plane") -> Iterator[Path]:
    """What else of the workspace no script may read."""
    for name in ("state.sqlite", "blobs", "credentials.json"):
        path = plane.workspace.folder / name
        if path.exists():
            yield path


def _said(result: SandboxResult) -> dict[str, Any]:
    return {
        "succeeded": result.succeeded,
        "ended": str(result.ended),
        "reason": result.reason,
        "exit_code": result.exit_code,
        "signal": result.signal,
        "wall_seconds": round(result.wall_seconds, 3),
        "cpu_seconds": round(result.cpu_seconds, 3),
        "peak_memory_bytes": result.peak_memory_bytes,
        "readable": sorted(str(path) for path in result.readable),
        "logs_truncated": result.logs_truncated,
    }


def _fresh(scratch: Path) -> dict[str, Path]:
    """Empty folders, readable by this user alone. The only place where released rows lie in plaintext, until the script has ended."""
    discard(scratch)
    scratch.mkdir(parents=True, mode=0o700)
    folders = {name: scratch / name for name in ("code", "input", "output", "logs")}
    for folder in folders.values():
        folder.mkdir(mode=0o700)
    return folders


def _write_code(plane: "Plane", actor: Actor, row: Run, folder: Path, cause: str) -> None:
    with plane.operation(actor, "job.finish", plane.job_target(actor, row.job_id), cause=cause) as op:
        key = release(op, op.session, plane.keystore, [row.key_id])[row.key_id]
        op.record(step="code", run=row.id)
        op.refer(code=row.code)
    unpack(b"".join(unseal(plane.blobs, key, row.code_blob, subject_of(row.id))), folder)


def _write_view(plane: "Plane", actor: Actor, row: Run, name: str, folder: Path, cause: str) -> dict[str, Any]:
    view = open_view(plane, actor, row.project_id, name, cause=cause)
    rows = 0
    with pq.ParquetWriter(folder / f"{name}.parquet", view.schema, compression="zstd") as writer:
        for batch in view.batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return {"version": view.version_id, "digest": view.digest, "rows": rows, "event": view.event}


def _keep(ctx: JobContext, who: Who, run_id: str, scratch: Path, ended: dict[str, Any]) -> dict[str, Any]:
    plane: Plane = ctx.plane
    actor = who()
    with plane.database.read() as session:
        row = session.get_one(Run, run_id)
        if row.state != "queued":  # the crash fell between the record of the end and that of this step
            return {"run": run_id, "state": row.state, "outputs": len(row.outputs)}
    with plane.operation(actor, "job.finish", plane.job_target(actor, row.job_id)) as op:
        key, now = _key(op, row), plane.clock.now()
        logs = seal(plane.blobs, key, [_logs(scratch / "logs")], subject_of(run_id), now)
        found = _outputs(scratch / "output") if ended["succeeded"] else ()
        claimed = claim_in(scratch / "output") if Path(CLAIM) in found else {}
        kept = {str(path): _seal_file(plane, key, scratch / "output" / path, run_id) for path in found}
        held = op.session.get_one(Run, run_id)
        held.state = "done" if ended["succeeded"] else "failed"
        held.ended = f"{ended['ended']}: {ended['reason']}"[:2000]
        held.inputs = ended["inputs"]
        held.outputs = {p: {"digest": a.digest, "sha256": a.sha256, "size": a.size} for p, a in kept.items()}
        if CLAIM in kept:
            held.outputs = {**held.outputs, CLAIM: held.outputs[CLAIM] | claimed}
        held.metrics = _metrics(scratch / "output" / METRICS) if METRICS in kept else {}
        held.environment = {
            **held.environment,
            **{k: ended[k] for k in _MEASURED},
        }
        held.log_blob, held.finished = logs.digest, now
        op.session.add_all((logs.row, *{a.digest: a.row for a in kept.values()}.values()))
        op.about(run_target(held))
        op.record(
            run=run_id,
            state=held.state,
            ended=ended["ended"],
            inputs=ended["inputs"],
            outputs=len(kept),
            wall_seconds=ended["wall_seconds"],
            readable=len(ended["readable"]),
            **({"privacy": claimed["claim"]} if claimed else {}),
        )
        op.refer(log=logs.digest, code=row.code, **{f"output/{p}": a.digest for p, a in list(kept.items())[:50]})
        return {"run": run_id, "state": held.state, "outputs": len(kept)}


def _key(op: Operation, row: Run) -> SecretKey:
    with op.plane.database.read() as session:
        return release(op, session, op.plane.keystore, [row.key_id])[row.key_id]


def _logs(folder: Path) -> bytes:
    said = {name: (folder / f"{name}.log").read_text("utf-8", "replace") for name in ("stdout", "stderr")}
    return msgspec.json.encode(said)


def _outputs(folder: Path) -> tuple[Path, ...]:
    found = output_files(folder)
    if Path(LOG) in found:
        raise Refused("TP-RUN-017", f"the script left a file {LOG!r}", why="this is the name of what it printed")
    return found


def _seal_file(plane: "Plane", key: SecretKey, path: Path, run_id: str) -> Artifact:
    with path.open("rb") as file:
        return seal(plane.blobs, key, iter(lambda: file.read(CHUNK), b""), subject_of(run_id), plane.clock.now())


def _metrics(path: Path) -> dict[str, float]:
    """The numbers of the file that the script wrote; what is no finite number under a short, plain name is left out."""
    if path.stat().st_size > _METRICS_SIZE:
        return {}
    try:
        said = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}
    numbers = {k: v for k, v in said.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    plain = {k: float(v) for k, v in numbers.items() if len(k) <= 64 and k.isprintable() and abs(v) < _LARGEST_METRIC}
    return dict(list(plain.items())[:100])
