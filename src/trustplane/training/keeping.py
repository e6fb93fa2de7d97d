"""What a script left: its outputs, its words and its figures, sealed and recorded in one transaction."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.jobs.context import JobContext
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.artifacts import Artifact, seal
from trustplane.kernel.vault.keyring import release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.training.log import FILE
from trustplane.training.logged import Logged, as_lists, merged, read_log
from trustplane.training.mlflow_store import read_store
from trustplane.training.private.claims import CLAIM, claim_in
from trustplane.training.repetition import compare, made_by
from trustplane.training.runs import LOG, run_target, subject_of
from trustplane.training.sandboxes.outputs import output_files
from trustplane.training.tables import Run, RunDetail, RunSeries
from trustplane.values.digests import CHUNK
from trustplane.values.errors import Refused

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

METRICS = "metrics.json"
_METRICS_SIZE = 64 << 10
_LARGEST_METRIC = 10**300
_MOST_METRICS = 100
_MEASURED = (
    *("readable", "wall_seconds", "cpu_seconds", "peak_memory_bytes", "output_bytes"),
    *("exit_code", "logs_truncated"),
)

Who = Callable[[], Actor]
"""In whose name a step is taken: asked within the step, so that a principal who was disabled meanwhile ends the run on record."""


def keep(ctx: JobContext, who: Who, run_id: str, scratch: Path, ended: dict[str, Any]) -> dict[str, Any]:
    """Keep what a run left in its folder, once it has ended as ``ended`` says."""
    plane: Plane = ctx.plane
    actor = who()
    with plane.database.read() as session:
        row = session.get_one(Run, run_id)
        if row.state != "queued":  # the crash fell between the record of the end and that of this step
            return {"run": run_id, "state": row.state, "outputs": len(row.outputs)}
    with plane.operation(actor, "job.finish", plane.job_target(actor, row.job_id)) as op:
        key, now = _key(op, row), plane.clock.now()
        logs = seal(plane.blobs, key, [_logs(scratch / "logs")], subject_of(run_id), now)
        output = scratch / "output"
        found = _outputs(output) if ended["succeeded"] else ()
        claimed = claim_in(output) if Path(CLAIM) in found else {}
        kept = {str(path): _seal_file(plane, key, output / path, run_id) for path in found}
        held = op.session.get_one(Run, run_id)
        held.state = "done" if ended["succeeded"] else "failed"
        held.ended = f"{ended['ended']}: {ended['reason']}"[:2000]
        held.inputs = ended["inputs"]
        held.outputs = {p: {"digest": a.digest, "sha256": a.sha256, "size": a.size} for p, a in kept.items()}
        if claimed:
            held.outputs = {**held.outputs, CLAIM: held.outputs[CLAIM] | claimed}
        # Also of a run that failed: how far it came is what its author looks for first.
        logged = merged(read_log(output / FILE), read_store(output, found))
        held.metrics = {**logged.last(), **(_metrics(output / METRICS) if METRICS in kept else {})}
        held.metrics = dict(list(held.metrics.items())[:_MOST_METRICS])
        held.environment = {**held.environment, **{k: ended[k] for k in _MEASURED}}
        held.log_blob, held.finished = logs.digest, now
        op.session.add_all((logs.row, *{a.digest: a.row for a in kept.values()}.values()))
        _keep_logged(op, run_id, logged, kept)
        op.about(run_target(held))
        op.record(
            run=run_id,
            state=held.state,
            ended=ended["ended"],
            inputs=ended["inputs"],
            outputs=len(kept),
            wall_seconds=ended["wall_seconds"],
            cpu_seconds=ended["cpu_seconds"],
            peak_memory_bytes=ended["peak_memory_bytes"],
            readable=len(ended["readable"]),
            **_compared(op, held),
            **({"privacy": claimed["claim"]} if claimed else {}),
        )
        op.refer(log=logs.digest, code=row.code, **{f"output/{p}": a.digest for p, a in list(kept.items())[:50]})
        return {"run": run_id, "state": held.state, "outputs": len(kept)}


def _keep_logged(op: Operation, run_id: str, logged: Logged, kept: dict[str, Artifact]) -> None:
    detail = op.session.get(RunDetail, run_id)
    if detail is not None:  # a run that was asked for before there were details has none
        artifacts = {path: text for path, text in logged.artifacts.items() if path in kept}
        detail.logged = {"parameters": logged.parameters, "artifacts": artifacts, "dropped": logged.dropped}
    op.session.add_all(
        RunSeries(run_id=run_id, name=name, points=as_lists(points)) for name, points in logged.series.items() if points
    )


def _compared(op: Operation, again: Run) -> dict[str, Any]:
    """Compare a repetition with what it repeats; what the record says of that."""
    detail = op.session.get(RunDetail, again.id)
    if detail is None or not detail.repeats:
        return {}
    first = op.session.get_one(Run, detail.repeats)
    detail.comparison = compare(made_by(first), made_by(again), detail.tolerance)
    return {"repeats": first.id, "verdict": detail.comparison["verdict"]}


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
    return dict(list(plain.items())[:_MOST_METRICS])
