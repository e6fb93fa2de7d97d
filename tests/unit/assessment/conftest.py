"""A model version to assess: what a run left, sealed as the release stage seals it."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

from trustplane.assessment.service import AssessmentSubject
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.policy.requests import Ref, account
from trustplane.kernel.target import Target
from trustplane.kernel.vault.artifacts import seal
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.training.tables import Run
from trustplane.values.ids import new_id

FEATURES = ["income", "debt"]


@pytest.fixture(scope="session")
def table():
    """1,200 people: ids, sex and age as groups, two features, the label last."""
    random = np.random.default_rng(4)
    income, debt = random.normal(0, 1, (2, 1200)).astype(np.float32)
    label = (random.random(1200) < 1 / (1 + np.exp(3 * income - 3 * debt))).astype(np.int64)
    return pa.table(
        {
            "id": [f"C{n}" for n in range(1200)],
            "SEX": random.choice(["f", "m"], 1200),
            "AGE": random.integers(20, 60, 1200),
            "income": income,
            "debt": debt,
            "label": label,
        }
    )


@pytest.fixture(scope="session")
def model(table):
    """A logistic regression on the features, as ONNX."""
    features = np.column_stack([table[n].to_numpy() for n in FEATURES])
    fitted = LogisticRegression().fit(features, table["label"].to_numpy())
    types = [("features", FloatTensorType([None, 2]))]
    return to_onnx(fitted, initial_types=types, options={id(fitted): {"zipmap": False}}).SerializeToString()


@pytest.fixture(scope="session")
def parquet(table):
    """The table as a Parquet file."""
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


@pytest.fixture
def made_subject(plane, cast, model, parquet):
    """Seal a model and a hold-out as of a run that has ended, and say what is to be assessed."""

    def make(model=model, parquet=parquet, features=FEATURES, threat=None):
        scientist, now = cast["scientist"], plane.clock.now()
        with plane.database.read() as session:
            project = find_project(session, "credit")
            target, project_key = project_target(project), project.key_id
        run_id, version_id = new_id(), new_id()
        with plane.operation(scientist, "run.start", target, context={"profile": "strict"}) as op:
            with plane.database.read() as session:
                parent = release(op, session, plane.keystore, [project_key])[project_key]
            run_key_row, run_key = mint(parent, KeySpec("run", f"run:{run_id}", project.id), now)
            key_row, key = mint(parent, KeySpec("model", f"model-version:{version_id}", project.id), now)
            said = json.dumps([{"name": n, "minimum": -9} for n in features]).encode()
            described = seal(plane.blobs, run_key, [said], f"run:{run_id}", now)
            left = {"features.json": described} if features else {}
            if threat is not None:
                left["threat.toml"] = seal(plane.blobs, run_key, [threat.encode()], f"run:{run_id}", now)
            kept, held_out = (
                seal(plane.blobs, key, [content], f"model-version:{version_id}", now) for content in (model, parquet)
            )
            run = Run(
                id=run_id, project_id=project.id, author_id=scientist.id, actor_id=scientist.id, scopes=["*"], job_id=run_id,
                state="done", script="train.py", code="sha256:" + "0" * 64, code_blob=described.digest, parameters={}, seed=0,
                git={}, environment={}, limits={}, sandbox="sandlock", reason="", inputs={}, metrics={}, log_blob=None, ended="",
                outputs={name: {"digest": each.digest, "sha256": each.sha256} for name, each in left.items()},
                key_id=run_key_row.id, created=now, finished=now,
            )  # fmt: skip
            rows = {each.row.digest: each.row for each in (described, *left.values())}
            op.session.add_all((run_key_row, key_row, *rows.values(), kept.row, held_out.row))
            op.session.flush()
            op.session.add(run)
        attributes = {
            "project": Ref("Project", project.id),
            "author": account(scientist.id),
            "approvers": frozenset(),
            "status": "candidate",
        }
        return AssessmentSubject(
            model_version_id=version_id,
            run_id=run_id,
            project_id=project.id,
            model_blob=kept.digest,
            model_subject=f"model-version:{version_id}",
            model_key_id=key_row.id,
            model_sha256=kept.sha256,
            format="onnx",
            holdout_blob=held_out.digest,
            holdout_subject=f"model-version:{version_id}",
            key_id=key_row.id,
            target=Target("ModelVersion", version_id, project=project.id, attributes=attributes),
        )

    return make
