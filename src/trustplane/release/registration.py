"""Registering a model: what a run left is admitted in a safe format, and kept under a key of its own."""

import re
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select

from trustplane.assessment.service import AssessmentSubject
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.artifacts import Artifact, seal, unseal
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.tables import VaultKey
from trustplane.release.catalog import model_target, subject_of
from trustplane.release.formats.registry import inspect
from trustplane.release.scanning.report import PASSED, objection_told
from trustplane.release.scanning.scan import Scanned, scan_chunks
from trustplane.release.scanning.service import scan_row
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.runs import find_run
from trustplane.training.runs import subject_of as run_subject
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput, Refused
from trustplane.values.ids import check_name, new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

MODEL, HOLDOUT, FEATURES = "model.onnx", "holdout.parquet", "features.json"
LARGEST = 1 << 30
_FEATURE = re.compile(r"[^\x00-\x1f\x7f]{1,256}\Z")


class _Feature(msgspec.Struct, frozen=True):
    name: str
    type: str = ""
    minimum: float | None = None
    maximum: float | None = None


def register_version(
    plane: "Plane",
    actor: "Actor",
    project: str,
    model: str,
    run_id: str,
    artifact: str = MODEL,
    idempotency: "Idempotency | None" = None,
) -> str:
    """Admit an output of a run as the next version of a model; return the version's id.

    The artifact is judged by its content, never by its name. The version's author is who ran the script, whoever registers it.
    """
    check_name("model", model)
    with plane.database.read() as session:
        project_row = find_project(session, project)
        target, project_id, project_key = project_target(project_row), project_row.id, project_row.key_id
        run = find_run(session, project_id, run_id)
    with plane.operation(actor, "model.register", target, idempotency=idempotency) as op:
        if run.state != "done":
            raise Refused("TP-RELEASE-002", "only a run that ended well is registered", why=f"its state is {run.state}")
        with plane.database.read() as session:
            keys = release(op, session, plane.keystore, [project_key, run.key_id])
        data = _output(plane, run, keys[run.key_id], artifact)
        inspected = inspect(data)
        scan = scan_row(run, artifact, scanned(data, artifact), actor.id, plane.clock.now())
        if scan.verdict != PASSED:
            why = objection_told(scan.report["objections"][0])
            raise Refused("TP-RELEASE-020", f"{artifact} is refused by the scan", why=why, facts=scan.report)
        interface = {
            **msgspec.to_builtins(inspected),
            "features": [msgspec.to_builtins(f) for f in _features(plane, run, keys[run.key_id])],
        }
        version_id = new_id()
        key_row, key = mint(keys[project_key], KeySpec("model", subject_of(version_id), project_id), plane.clock.now())
        kept = seal(plane.blobs, key, [data], subject_of(version_id), plane.clock.now())
        held_out = None
        if HOLDOUT in run.outputs:
            rows = [_output(plane, run, keys[run.key_id], HOLDOUT)]
            held_out = seal(plane.blobs, key, rows, subject_of(version_id), plane.clock.now())
        row = _keep(op, model, run, interface, kept, held_out, key_row)
        op.session.add(scan)
        op.about(model_target(op.session, row))
        op.record(version=row.id, number=row.number, format=row.format, size=kept.size, run=run.id, scan=scan.id)
        op.refer(model=kept.sha256, **({} if held_out is None else {"holdout": held_out.sha256}))
        op.made(row.id)
        return row.id


def scanned(data: bytes, artifact: str) -> Scanned:
    """What a scan makes of an artifact."""
    return scan_chunks([data], artifact)


def assessment_subject(plane: "Plane", version: ModelVersion) -> AssessmentSubject:
    """A version as the assessment stage takes it."""
    if version.holdout_blob is None:
        raise Refused(
            "TP-RELEASE-003", "the version has no hold-out to be assessed on", why=f"its run left no {HOLDOUT}"
        )
    with plane.database.read() as session:
        target = model_target(session, version)
    return AssessmentSubject(
        model_version_id=version.id,
        run_id=version.run_id,
        project_id=version.project_id,
        model_blob=version.blob,
        model_subject=subject_of(version.id),
        model_key_id=version.key_id,
        model_sha256=version.sha256,
        format=version.format,
        holdout_blob=version.holdout_blob,
        holdout_subject=subject_of(version.id),
        key_id=version.key_id,
        target=target,
    )


def _output(plane: "Plane", run: Run, key: SecretKey, path: str) -> bytes:
    if path not in run.outputs:
        known = ", ".join(sorted(run.outputs)[:20])
        raise BadInput("TP-RELEASE-004", f"the run left no {path[:120]!r}", why=f"it left {known or 'nothing'}")
    if run.outputs[path]["size"] > LARGEST:
        raise Refused("TP-RELEASE-005", f"{path} is larger than {LARGEST >> 30} GiB")
    return b"".join(unseal(plane.blobs, key, run.outputs[path]["digest"], run_subject(run.id)))


def _features(plane: "Plane", run: Run, key: SecretKey) -> list[_Feature]:
    """What the script says of its features: names and ranges in the order of the model's input; empty where it says nothing."""
    if FEATURES not in run.outputs:
        return []
    try:
        said = msgspec.json.decode(_output(plane, run, key, FEATURES), type=list[_Feature])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput("TP-RELEASE-006", f"{FEATURES} cannot be read", why=str(error)) from None
    names = [f.name for f in said]
    if len(set(names)) < len(names) or not all(_FEATURE.match(n) for n in names):
        raise BadInput("TP-RELEASE-006", f"the names in {FEATURES} are not usable", why="each is plain and there once")
    if any(f.minimum is not None and f.maximum is not None and f.minimum > f.maximum for f in said):
        raise BadInput("TP-RELEASE-006", f"a range in {FEATURES} is not usable", why="no minimum is above its maximum")
    return said


def _keep(
    op: Operation,
    name: str,
    run: Run,
    interface: dict[str, Any],
    kept: Artifact,
    held_out: Artifact | None,
    key: VaultKey,
) -> ModelVersion:
    session, now = op.session, op.plane.clock.now()
    model = session.scalar(select(Model).where(Model.project_id == run.project_id, Model.name == name))
    if model is None:
        model = Model(id=new_id(), project_id=run.project_id, name=name, created=now)
        session.add(model)
        session.flush()
    last = session.scalar(select(func.max(ModelVersion.number)).where(ModelVersion.model_id == model.id))
    row = ModelVersion(
        id=key.subject.removeprefix("model-version:"),
        model_id=model.id,
        project_id=run.project_id,
        number=(last or 0) + 1,
        author_id=run.author_id,
        run_id=run.id,
        format=interface["format"],
        blob=kept.digest,
        sha256=kept.sha256,
        size=kept.size,
        key_id=key.id,
        holdout_blob=None if held_out is None else held_out.digest,
        interface=interface,
        signature={},
        status="candidate",
        created=now,
    )
    session.add_all((key, kept.row, row, *(() if held_out is None else (held_out.row,))))
    session.flush()
    return row
