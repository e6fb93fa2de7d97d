"""A run that claims privacy, from its script to the finding."""

from datetime import timedelta

import pytest

from trustplane.data.private.budgets import BudgetSpec, set_budget
from trustplane.kernel.controls.contract import Scope
from trustplane.kernel.controls.evaluation import evaluate
from trustplane.kernel.controls.registry import registered
from trustplane.training.controls import subject
from trustplane.training.private.controls import CONTROLS, LIMIT, private_runs
from trustplane.values.findings import Status

TRAIN = """
import os
import numpy as np
import pyarrow.parquet as pq
from pathlib import Path
from trustplane.training.private import Bounds, fit_logistic, write_claim

table = pq.read_table(Path(os.environ["TRUSTPLANE_INPUT"], "people.parquet"))
rows = np.stack([table["age"].to_numpy(), table["amount"].to_numpy()], axis=1)
model = fit_logistic(rows, (rows[:, 0] > 40).astype(int), {epsilon}, Bounds((18, 0), (100, 1000)))
write_claim(model.claim)
"""


@pytest.fixture
def finding(plane):
    """The finding on one run, when so much time has gone by."""

    def find(row, later=timedelta(0)):
        with plane.database.read() as session:
            (found,) = evaluate(session, CONTROLS, Scope(row.project_id, plane.clock.now() + later, subject(row)))
            return found

    return find


def test_a_private_run_has_its_claim_on_record_and_passes(plane, view, run, finding) -> None:
    row = run(TRAIN.replace("{epsilon}", "2.0"), views=(view,))
    assert row.outputs["privacy.json"]["claim"]["epsilon"] == 2.0
    found = finding(row)
    assert found.status is Status.PASSED, found.reason
    assert found.figures["limit"] == LIMIT
    assert found.evidence
    with plane.database.read() as session:
        assert row.id in {s.id for s in private_runs(session, Scope(row.project_id, plane.clock.now()))}


def test_the_budget_of_the_data_for_the_purpose_is_the_limit(plane, cast, view, run, finding) -> None:

    set_budget(plane, cast["data-steward"], "credit", "clients", BudgetSpec("dpv:CustomerSolvencyMonitoring", "1.0"))
    found = finding(run(TRAIN.replace("{epsilon}", "2.0"), views=(view,)))
    assert (found.status, found.figures["limit"]) == (Status.FAILED, 1.0)
    assert "above the limit" in found.reason


def test_a_run_that_claims_nothing_is_not_asked(run, finding) -> None:
    assert finding(run("print('no privacy')")).status is Status.NOT_APPLICABLE


def test_a_claim_that_cannot_be_read_fails_the_run(run) -> None:
    row = run("import os; open(os.environ['TRUSTPLANE_OUTPUT'] + '/privacy.json', 'w').write('{}')")
    assert (row.state, row.outputs) == ("failed", {})
    assert row.ended.startswith("TP-RUN-051")


def test_the_control_is_registered() -> None:
    assert "TP-TRN-04" in {c.id for c in registered()}
