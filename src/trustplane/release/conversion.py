"""Starting the conversion of a pickle: the source is scanned first, and loaded by a run in the sandbox alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from trustplane.kernel.identity.scopes import find_project
from trustplane.release.scanning.report import PASSED, facts, objection_told
from trustplane.release.scanning.scan import scan_chunks
from trustplane.release.scanning.service import scan_output
from trustplane.release.tables import ArtifactScan
from trustplane.training.code import MOST_BYTES
from trustplane.training.conversion.source import ARTIFACT, RUN, SHA256
from trustplane.training.profiles import USUAL
from trustplane.training.runs import find_run, start_run
from trustplane.training.spec import RunKind, RunSpec
from trustplane.values.errors import BadInput, Refused

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency, Operation
    from trustplane.kernel.plane import Plane

TARGETS = ("auto", "onnx", "skops", "json", "ubj", "txt", "safetensors")
LOOSEST = 1e-2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be converted: an output of a run, or a file that is sent along; to what, and how far answers may lie apart.

    ``views`` are views whose rows both models answer; without one the hold-out of the source's run is taken.
    """

    artifact: str
    run: str = ""
    data: bytes = field(default=b"", repr=False)
    to: str = "auto"
    tolerance: float = 1e-5
    views: tuple[str, ...] = ()
    seed: int = 0
    profile: str = USUAL


def start_conversion(
    plane: "Plane", actor: "Actor", project: str, wanted: Wanted, idempotency: "Idempotency | None" = None
) -> str:
    """Ask for a conversion; return the id of its run.

    Raises :class:`Refused`: TP-RELEASE-020 where the scan refuses the source, TP-RELEASE-028 where it holds no pickle.
    """
    _check(wanted)
    if not wanted.run:
        return start_run(plane, actor, project, _spec(wanted, wanted.data), idempotency, lambda op: _scan(op, wanted))
    scan = scan_output(plane, actor, project, wanted.run, wanted.artifact)
    with plane.database.read() as session:
        source = find_run(session, find_project(session, project).id, wanted.run)
        found = session.get_one(ArtifactScan, scan)
    if source.state != "done":
        raise Refused(
            "TP-RUN-062", "only what a run left that ended well is converted", why=f"its state is {source.state}"
        )
    if found.verdict != PASSED:
        _refuse(wanted.artifact, objection_told(found.report["objections"][0]), found.report)
    _require_pickle(found.format, loads_code=bool(found.report["loads_code"]))
    origin = {RUN: source.id, SHA256: source.outputs[wanted.artifact]["sha256"]}
    spec = _spec(wanted, msgspec.json.encode(origin), origin, source.author_id)
    return start_run(plane, actor, project, spec, idempotency, lambda op: op.record(source_run=source.id, scan=scan))


def _spec(wanted: Wanted, data: bytes, origin: Mapping[str, str] | None = None, author: str = "") -> RunSpec:
    return RunSpec(
        script=wanted.artifact,
        files={wanted.artifact: data},
        views=wanted.views,
        parameters={"to": wanted.to, "tolerance": wanted.tolerance, ARTIFACT: wanted.artifact, **(origin or {})},
        seed=wanted.seed,
        kind=RunKind.CONVERSION,
        profile=wanted.profile,
        author=author,
    )


def _check(wanted: Wanted) -> None:
    if not (wanted.run or wanted.data):
        raise BadInput("TP-RELEASE-029", f"{wanted.artifact[:120]} is empty, and no run is named")
    if wanted.run and wanted.data:
        raise BadInput("TP-RELEASE-029", "a conversion takes an output of a run or a file that is sent along, not both")
    if wanted.to not in TARGETS:
        raise BadInput("TP-RELEASE-029", f"no format is called {wanted.to[:40]!r}", fix=f"choose {', '.join(TARGETS)}")
    if not 0 <= wanted.tolerance <= LOOSEST:
        raise BadInput("TP-RELEASE-029", f"the tolerance is not between 0 and {LOOSEST}")
    if len(wanted.data) > MOST_BYTES:
        raise Refused(
            "TP-RELEASE-030", f"the file is larger than {MOST_BYTES >> 20} MiB", why="it goes where a run's code goes"
        )


def _scan(op: "Operation", wanted: Wanted) -> None:
    """Scan a file that was sent along: what the scan says is part of the record of the run, or of the refusal."""
    found = facts(scan_chunks([wanted.data], wanted.artifact))
    if found["verdict"] != PASSED:
        _refuse(wanted.artifact, objection_told(found["objections"][0]), {"objections": found["objections"][:20]})
    _require_pickle(found["format"], loads_code=found["loads_code"])
    op.record(scanned={name: found[name] for name in ("format", "verdict", "digest")})


def _refuse(artifact: str, why: str, report: Mapping[str, Any]) -> NoReturn:
    raise Refused(
        "TP-RELEASE-020",
        f"{artifact[:120]} is refused by the scan",
        why=why,
        fix="see all that speaks against it with 'trustplane scan FILE --all', and have its maker save it in a format that holds no code",
        facts=report,
    )


def _require_pickle(kind: str, *, loads_code: bool) -> None:
    if not loads_code:
        raise Refused(
            "TP-RELEASE-028",
            "there is nothing to convert",
            why=f"it is a file of the kind {kind}, which holds no pickle",
        )
