"""Can a run be repeated: it is run again with the same code, views, parameters and seed, and what comes out is compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.training.conversion.source import THROUGH
from trustplane.training.log import FILE
from trustplane.training.mlflow_store import FOLDER
from trustplane.training.profiles import devices_of, find_profile
from trustplane.training.runs import (
    Code,
    Place,
    Repeats,
    detail_of,
    find_run,
    hand_over,
    make_run,
    require_capable,
    run_target,
    subject_of,
)
from trustplane.training.sandboxes.contract import Limits
from trustplane.training.sandboxes.registry import open_sandbox
from trustplane.training.spec import RunKind, RunSpec
from trustplane.training.tables import Run, RunDetail
from trustplane.values.digests import Digest
from trustplane.values.errors import BadInput, Conflict

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

IDENTICAL = "identical"
ALIKE = "alike"
DIFFERENT = "different"
_SHOWN = 20
"""So many differences of a kind are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Made:
    """What went into a run and what came out, as far as it can be compared."""

    code: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    metrics: Mapping[str, float]
    environment: Mapping[str, str]


def made_by(row: Run) -> Made:
    """A run that has ended. What it logged is left out of its outputs: its lines say when they were written."""
    facts = ("python", "implementation", "machine", "system")
    said = {name: str(row.environment.get(name, "")) for name in facts}
    packages = dict(str(package).partition("==")[::2] for package in row.environment.get("installed", ()))
    return Made(
        row.code,
        {name: str(given.get("digest", "")) for name, given in row.inputs.items()},
        {p: str(o["sha256"]) for p, o in row.outputs.items() if p != FILE and not p.startswith(f"{FOLDER}/")},
        row.metrics,
        {**said, **packages, "lock": str(row.environment.get("lock", ""))},
    )


def compare(first: Made, again: Made, tolerance: float) -> dict[str, Any]:
    """What differs between a run and its repetition, and the verdict.

    ``identical``: every output is the same byte by byte, and every metric is equal. ``alike``: the same outputs by name, and every metric
    within the tolerance, a share of the first value. Else ``different``.
    """
    names = first.outputs.keys() | again.outputs.keys()
    outputs = {name: _how(first.outputs, again.outputs, name) for name in sorted(names)}
    differing = {name: how for name, how in outputs.items() if how}
    apart = {
        name: [first.metrics.get(name), again.metrics.get(name)]
        for name in sorted(first.metrics.keys() | again.metrics.keys())
        if first.metrics.get(name) != again.metrics.get(name)
    }
    beyond = [name for name, (one, other) in apart.items() if not _near(one, other, tolerance)]
    inputs = [
        n for n in sorted(first.inputs.keys() | again.inputs.keys()) if first.inputs.get(n) != again.inputs.get(n)
    ]
    if not differing and not apart:
        verdict = IDENTICAL
    elif first.metrics and not beyond and set(differing.values()) <= {"other bytes"}:
        verdict = ALIKE
    else:
        verdict = DIFFERENT
    return {
        "verdict": verdict,
        "tolerance": tolerance,
        "outputs": {"same": len(outputs) - len(differing), "different": _first(differing)},
        "metrics": {"same": len(first.metrics.keys() & again.metrics.keys()) - len(apart), "different": _first(apart)},
        "beyond": beyond[:_SHOWN],
        "inputs": inputs[:_SHOWN],
        "environment": _environment(first.environment, again.environment),
    }


def _how(first: Mapping[str, str], again: Mapping[str, str], name: str) -> str:
    if name not in again:
        return "missing"
    if name not in first:
        return "new"
    return "" if first[name] == again[name] else "other bytes"


def _near(one: float | None, other: float | None, tolerance: float) -> bool:
    return one is not None and other is not None and abs(one - other) <= tolerance * abs(one)


def _first(found: Mapping[str, Any]) -> dict[str, Any]:
    return dict(list(found.items())[:_SHOWN])


def _environment(first: Mapping[str, str], again: Mapping[str, str]) -> list[str]:
    """``name: before -> now`` of what was installed otherwise."""
    if first.get("lock") == again.get("lock") and first.get("python") == again.get("python"):
        return []
    changed = [
        f"{name}: {first.get(name) or 'absent'} -> {again.get(name) or 'absent'}"
        for name in sorted(first.keys() | again.keys())
        if first.get(name) != again.get(name) and name != "lock"
    ]
    return changed[:_SHOWN] or ["the lock differs, and what was installed is not on record"]


def repeat_run(
    plane: "Plane",
    actor: "Actor",
    project: str,
    run_id: str,
    tolerance: float = 0.0,
    idempotency: "Idempotency | None" = None,
) -> str:
    """Run a run again as it was; return the id of the repetition. It opens the views in the name of who asks, as any run does."""
    if not 0 <= tolerance < 1:
        raise BadInput("TP-RUN-027", "the tolerance is not a share from 0 to 1")
    with plane.database.read() as session:
        scope = find_project(session, project)
        row = find_run(session, scope.id, run_id)
        detail = detail_of(session, run_id)
        place = Place(scope.id, scope.key_id)
    sandbox = open_sandbox(row.sandbox)
    context = {"profile": detail.profile}
    with plane.operation(actor, "run.verify", run_target(row), context=context, idempotency=idempotency) as op:
        if row.state != "done" or sandbox.descriptor.unsafe:
            why = "it ran without a sandbox" if row.state == "done" else f"its state is {row.state}"
            raise Conflict("TP-RUN-026", "the run cannot be repeated", why=why)
        require_capable(sandbox)
        devices_of(find_profile(detail.profile))
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [row.key_id])[row.key_id]
        packed = b"".join(unseal(plane.blobs, key, row.code_blob, subject_of(row.id)))
        again = make_run(op, place, _as_it_was(row, detail), Code(Digest(row.code), packed), Repeats(row.id, tolerance))
        op.record(repeats=row.id, tolerance=tolerance)
    hand_over(plane, actor, again.id, op.id)
    return again.id


def _as_it_was(row: Run, detail: RunDetail) -> RunSpec:
    return RunSpec(
        script=row.script,
        files={},
        views=tuple(name for name, said in row.inputs.items() if THROUGH not in said),
        parameters=row.parameters,
        seed=row.seed,
        limits=msgspec.convert(row.limits, Limits),
        git=row.git,
        sandbox=row.sandbox,
        kind=detail.kind,
        entry=detail.entry,
        profile=detail.profile,
        author=row.author_id if detail.kind == RunKind.CONVERSION else "",
    )


def repetitions_of(session: Session, run_id: str) -> list[tuple[Run, RunDetail]]:
    """The repetitions of a run, the newest first."""
    query = select(Run, RunDetail).join(RunDetail, RunDetail.run_id == Run.id).where(RunDetail.repeats == run_id)
    return [(row, detail) for row, detail in session.execute(query.order_by(Run.id.desc()))]
