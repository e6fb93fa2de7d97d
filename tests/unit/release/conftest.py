"""A run that left a small model, and a version of a model registered from it."""

import json
from datetime import datetime
from functools import cache

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from trustplane.assessment.checks import fairness, performance, slices
from trustplane.assessment.tables import Assessment
from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.vault.artifacts import seal
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.release import registration
from trustplane.release.formats.registry import inspect
from trustplane.release.signing import sign_version
from trustplane.release.tables import ModelVersion
from trustplane.training.tables import Run
from trustplane.values.ids import new_id

FEATURES = [{"name": "income", "minimum": 0.0, "maximum": 100.0}, {"name": "debt", "minimum": 0.0, "maximum": 10.0}]
GATE = {"TP-ASM-01", "TP-ASM-02", "TP-REL-01", "TP-REL-03", "TP-TRN-01", "TP-TRN-02"}
"""The controls of the gate that read a version and its run; a run without inputs has no dataset to read."""
CHECKS = (performance.DESCRIPTOR, slices.DESCRIPTOR, fairness.DESCRIPTOR)


def graph(width: int = 2, tag: str = "") -> bytes:
    """A logistic regression over ``width`` features, as ONNX; ``tag`` makes its bytes others."""
    held = [
        numpy_helper.from_array(np.linspace(-0.1, 0.1, width, dtype=np.float32).reshape(width, 1), "weights"),
        numpy_helper.from_array(np.asarray([0.25], np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("MatMul", ["features", "weights"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["summed"]),
        helper.make_node("Sigmoid", ["summed"], ["score"]),
    ]
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])
    gives = helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])
    model = helper.make_model(
        helper.make_graph(nodes, "risk", [given], [gives], held),
        opset_imports=[helper.make_opsetid("", 17)],
        producer_name=tag,
    )
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


def score(rows) -> np.ndarray:
    """What the graph of two features answers."""
    weighed = np.asarray(rows, np.float64) @ np.asarray([-0.1, 0.1]) + 0.25
    return 1 / (1 + np.exp(-weighed))


def spoil(plane, digest: str) -> None:
    """Change one byte in the middle of a stored object."""
    file = plane.blobs.path(digest)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(data)


@pytest.fixture
def made_run(plane, cast):
    """Leave the outputs of a script as a run that ended well; give the run's id."""

    def make(outputs=None, author=None, **columns):
        outputs = (
            {"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode()} if outputs is None else outputs
        )
        author, now, run_id = author or cast["scientist"], plane.clock.now(), new_id()
        with plane.database.read() as session:
            project = find_project(session, "credit")
            target, project_id, project_key = project_target(project), project.id, project.key_id
        with plane.operation(cast["scientist"], "run.start", target, context={"profile": "strict"}) as op:
            with plane.database.read() as session:
                parent = release(op, session, plane.keystore, [project_key])[project_key]
            key_row, key = mint(parent, KeySpec("run", f"run:{run_id}", project_id), now)
            kept = {path: seal(plane.blobs, key, [data], f"run:{run_id}", now) for path, data in outputs.items()}
            op.session.add_all((key_row, *(k.row for k in kept.values())))
            op.session.flush()
            said = {
                "state": "done", "sandbox": "sandlock", "reason": "", "seed": 7, "parameters": {"trees": 3},
                "environment": {"lock": "sha256:" + "2" * 64}, "inputs": {},
            }  # fmt: skip
            row = Run(
                id=run_id, project_id=project_id, author_id=author.answerable, actor_id=author.id, scopes=["*"],
                job_id=run_id, script="train.py", code="sha256:" + "1" * 64, code_blob="sha256:" + "0" * 64,
                git={"commit": "a" * 40}, limits={}, metrics={}, log_blob=None, ended="", key_id=key_row.id,
                outputs={p: {"digest": k.digest, "sha256": k.sha256, "size": k.size} for p, k in kept.items()},
                created=now, finished=now, **{**said, **columns},
            )  # fmt: skip
            op.session.add(row)
            op.record(run=run_id)
        return run_id

    return make


@pytest.fixture
def remembered(monkeypatch):
    """Each file is inspected once in a session of tests: a process is started for it."""
    monkeypatch.setattr(registration, "inspect", _inspected)
    monkeypatch.setattr(registration, "scanned", _scanned)


_inspected = cache(inspect)
_scanned = cache(registration.scanned)


@pytest.fixture
def fetch(plane):
    """A version as it stands in the database now."""

    def get(version_id):
        with plane.database.read() as session:
            return session.get_one(ModelVersion, getattr(version_id, "id", version_id))

    return get


@pytest.fixture
def made_version(plane, cast, made_run, fetch, remembered):
    """Register a version of the model ``risk``."""

    def make(outputs=None, model="risk", **columns):
        run_id = made_run(outputs, **columns)
        return fetch(registration.register_version(plane, cast["scientist"], "credit", model, run_id))

    return make


@pytest.fixture
def assessed(plane, cast):
    """Put an assessment of a version on record in which every check ended as ``status``."""

    def put(version, status="passed", at: datetime | None = None):
        at = at or plane.clock.now()
        results = {d.name: {"status": status, "reason": f"{d.name} {status}", "figures": {}} for d in CHECKS}
        parameters = {d.name: {p.name: p.default for p in d.parameters} for d in CHECKS}
        row = Assessment(
            id=new_id(), project_id=version.project_id, run_id=version.run_id, model_version_id=version.id,
            author_id=cast["scientist"].id, job_id=new_id(), state="done", model_digest=version.sha256,
            holdout_digest=version.sha256, seed=0, suite={"parameters": parameters}, results=results, ended="",
            created=at, finished=at,
        )  # fmt: skip
        with plane.database.write() as session:
            session.add(row)

    return put


@pytest.fixture
def ready(plane, cast, made_version, assessed, fetch):
    """A version that is signed and assessed: nothing holds it back."""
    version = made_version()
    sign_version(plane, cast["scientist"], version)
    assessed(version)
    return fetch(version)


@pytest.fixture
def person(plane, owner):
    """Make one more user with a role in the project."""

    def make(name, role):
        with plane.database.read() as session:
            scope = project_target(find_project(session, "credit"))
        made = people.create_principal(plane, owner, people.PrincipalSpec("user", name))
        people.grant(plane, owner, made, role, scope)
        return plane.stand_in(made, ("*",))

    return make


@pytest.fixture
def newest(plane):
    """The newest event of the log, of one action where it is named."""

    def find(action=None):
        return next(e for e in plane.ledger.feed(limit=50) if action in (None, e.leaf.action))

    return find
