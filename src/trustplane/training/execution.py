"""The job of a run: open its views, run the script in the sandbox, keep what it leaves."""

import sys
from collections.abc import Iterator
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
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.training.code import unpack
from trustplane.training.conversion.source import carried_inputs, write_source
from trustplane.training.keeping import Who, keep
from trustplane.training.profiles import devices_of, find_profile, shown_by
from trustplane.training.runs import CANCELLED, JOB, detail_of, fail_run, scratch_of, subject_of
from trustplane.training.sandboxes.contract import Limits, SandboxJob, SandboxResult
from trustplane.training.sandboxes.registry import open_sandbox
from trustplane.training.sandboxes.removal import discard
from trustplane.training.spec import RunKind, module_of
from trustplane.training.tables import Run, RunDetail
from trustplane.training.watching import BEGUN, ENDED, WHOLE, pulse
from trustplane.values.errors import TrustplaneError

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane


@job(JOB)
def execute(ctx: JobContext, *, run: str, actor: str, scopes: list[str], cause: str) -> dict[str, Any]:
    """Run a script. After a crash the script runs again from its beginning, unless it had ended."""
    from trustplane.kernel.jobs.backend import Ousted

    plane: Plane = ctx.plane
    who = partial(plane.stand_in, actor, scopes)
    scratch = scratch_of(plane, run)
    try:
        ended = ctx.step("run", _run, ctx, who, run, scratch, cause)
        ctx.progress(ENDED, WHOLE, "keeping the outputs")
        kept: dict[str, Any] = ctx.step("keep", keep, ctx, who, run, scratch, ended)
    except TrustplaneError as error:
        kept = ctx.step("fail", fail_run, plane, run, str(error))
    except Ousted:
        if plane.jobs.status(ctx.job_id).state is State.CANCELLED:  # else another process has it now
            fail_run(plane, run, CANCELLED)
        raise
    discard(scratch)
    ctx.progress(WHOLE, WHOLE, kept["state"])
    return kept


def _run(ctx: JobContext, who: Who, run_id: str, scratch: Path, cause: str) -> dict[str, Any]:
    plane: Plane = ctx.plane
    actor = who()
    with plane.database.read() as session:
        row, detail = session.get_one(Run, run_id), detail_of(session, run_id)
    folders = _fresh(scratch)
    ctx.progress(0, WHOLE, "opening the views")
    _write_code(plane, actor, row, folders["code"], cause)
    inputs = {name: _write_view(plane, actor, row, name, folders["input"], cause) for name in row.inputs}
    if detail.kind == RunKind.CONVERSION:
        inputs = carried_inputs(plane, row, inputs)
        write_source(plane, actor, row, folders["code"], folders["input"], cause)
    what = f"running {row.script} in the sandbox {row.sandbox}"
    ctx.progress(BEGUN, WHOLE, what)
    profile = find_profile(detail.profile)
    result = open_sandbox(row.sandbox).run(
        SandboxJob(
            command=command_of(row, detail, folders["code"]),
            inputs=(folders["code"], folders["input"], *shown_by(profile)),
            output=folders["output"],
            logs=folders["logs"],
            hidden=(plane.workspace.key_file, plane.workspace.ledger, plane.workspace.jobs, *_local(plane)),
            environment=_environment(row, folders),
            limits=msgspec.convert(row.limits, Limits),
            devices=devices_of(profile),
            pulse=pulse(ctx, folders["output"], what),
        )
    )
    discard(folders["input"])
    return {"inputs": inputs, **_said(result)}


def command_of(row: Run, detail: RunDetail, code: Path) -> tuple[str, ...]:
    """What the sandbox starts. Notebooks and functions are run by modules of ours, which are as little trusted there as the script."""
    python = (sys.executable, "-B")
    match detail.kind:
        case RunKind.NOTEBOOK:
            return (*python, "-P", "-m", "trustplane.training.runners.notebook", str(code / row.script))
        case RunKind.CALLABLE:
            return (
                *python,
                "-P",
                "-m",
                "trustplane.training.runners.call",
                str(code),
                module_of(row.script),
                detail.entry,
            )
        case RunKind.CONVERSION:
            return (*python, "-P", "-m", "trustplane.training.runners.convert", str(code / row.script))
        case _:
            return (*python, str(code / row.script))


def _environment(row: Run, folders: dict[str, Path]) -> dict[str, str]:
    return {
        "PYTHONHASHSEED": str(row.seed),  # the order of sets is chance too
        "TRUSTPLANE_INPUT": str(folders["input"]),
        "TRUSTPLANE_OUTPUT": str(folders["output"]),
        "TRUSTPLANE_SEED": str(row.seed),
        "TRUSTPLANE_PARAMETERS": msgspec.json.encode(row.parameters).decode(),
    }


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
        "output_bytes": result.output_bytes,
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
