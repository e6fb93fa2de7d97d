"""Rows of DBOS as jobs."""

from types import SimpleNamespace
from typing import Any

import pytest

from trustplane.kernel.jobs.reading import job_status
from trustplane.kernel.jobs.status import State
from trustplane.values.errors import Refused, TrustplaneError


def row(**changes: Any) -> Any:
    values = {
        "workflow_id": "id",
        "status": "SUCCESS",
        "input": {"args": [None, {"job": "stage.work", "arguments": {}}], "kwargs": {}},
        "output": 1,
        "error": None,
        "created_at": 0,
        "updated_at": 1000,
        "recovery_attempts": 1,
    }
    return SimpleNamespace(**values | changes)


@pytest.mark.parametrize(
    ("status", "state", "final"),
    [
        ("ENQUEUED", State.QUEUED, False),
        ("DELAYED", State.QUEUED, False),
        ("PENDING", State.RUNNING, False),
        ("SUCCESS", State.SUCCEEDED, True),
        ("CANCELLED", State.CANCELLED, True),
        ("ERROR", State.FAILED, True),
        ("MAX_RECOVERY_ATTEMPTS_EXCEEDED", State.FAILED, True),
    ],
)
def test_every_status_of_dbos_is_a_state(status: str, state: State, final: bool) -> None:
    read = job_status(row(status=status))
    assert (read.state, read.state.final) == (state, final)
    assert (read.failure is None) == (state is not State.FAILED), "a failed job always has an error, and no other has"


def test_a_job_that_was_given_up_says_how_often_it_was_tried() -> None:
    with pytest.raises(Refused, match=r"TP-JOB-006 .* 101 times"):
        job_status(row(status="MAX_RECOVERY_ATTEMPTS_EXCEEDED", recovery_attempts=101)).returned()


@pytest.mark.parametrize("unreadable", ["gASVKQ==", None, {"args": []}, {"args": [None, "x"]}, {}])
def test_a_row_whose_input_cannot_be_read_is_still_told(unreadable: Any) -> None:
    assert job_status(row(input=unreadable)).name == "unreadable"


@pytest.mark.parametrize("unreadable", ["gASVKQ==", None, ValueError("x")])
def test_a_row_whose_error_cannot_be_read_has_failed_all_the_same(unreadable: Any) -> None:
    with pytest.raises(TrustplaneError, match="TP-JOB-005"):
        job_status(row(status="ERROR", error=unreadable)).returned()
