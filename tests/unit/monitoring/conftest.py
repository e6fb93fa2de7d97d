"""A model that is served, with a hold-out, and requests to it."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.release.conftest import FEATURES, assessed, fetch, graph, made_run, made_version, remembered  # noqa: F401
from tests.unit.serving.conftest import NAME, body

from trustplane.monitoring.tables import DriftReport
from trustplane.release.approval import approve
from trustplane.release.signing import sign_version
from trustplane.rollout.deployments import deploy
from trustplane.serving.inference import infer
from trustplane.serving.loading import Shelf
from trustplane.serving.tables import Deployment

PATIENCE = 60.0
"""Seconds until a test gives up; nothing is judged by it."""
ROWS = 400


def people(rows=ROWS, shift=0.0, seed=5) -> np.ndarray:
    """Incomes and debts, within what the model accepts; ``shift`` moves the incomes."""
    random = np.random.default_rng(seed)
    return np.column_stack([random.uniform(0, 60, rows) + shift, random.uniform(0, 10, rows)])


def parquet(**columns) -> bytes:
    """A table as a file."""
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def held_out(rows=ROWS) -> bytes:
    """The hold-out of a run."""
    income, debt = people(rows).T
    return parquet(id=[f"C{n}" for n in range(rows)], income=income, debt=debt, label=[n % 2 for n in range(rows)])


def outputs(holdout: bytes | None = None) -> dict[str, bytes]:
    """What a script leaves."""
    said = json.dumps(FEATURES).encode()
    return {"model.onnx": graph(), "features.json": said, **({"holdout.parquet": holdout} if holdout else {})}


@pytest.fixture
def served(plane, cast, made_version, assessed, fetch):  # noqa: F811
    """Deploy a version that has a hold-out, in staging or in production; give the deployment."""

    def make(holdout=None, production=False, **said):
        version = made_version(outputs(held_out() if holdout is None else holdout or None), **said)
        sign_version(plane, cast["scientist"], version)
        who, where = cast["scientist"], "staging"
        if production:
            assessed(version)
            approve(plane, cast["reviewer"], fetch(version), "fine")
            who, where = cast["operator"], "production"
        made, _ = deploy(plane, who, "credit", where, "risk")
        with plane.database.read() as session:
            return session.get_one(Deployment, made)

    return make


@pytest.fixture
def deployment(served):
    """The model ``risk`` in staging."""
    return served()


@pytest.fixture
def ask(plane, cast):
    """Send rows to the model."""
    shelf = Shelf(plane)

    def send(rows, name=NAME):
        return infer(plane, shelf, cast["consumer"], name, body(np.asarray(rows).tolist()))

    return send


@pytest.fixture
def report(plane):
    """A comparison as it stands now."""

    def get(report_id):
        with plane.database.read() as session:
            return session.get_one(DriftReport, report_id)

    return get
