"""The controls on retention and requests, as functions of what was found."""

from datetime import UTC, datetime, timedelta

from trustplane.data.subjects.controls import (
    CONTROLS,
    collect_outcomes,
    collect_requests,
    collect_retention,
    judge_outcomes,
    judge_requests,
    judge_retention,
)
from trustplane.data.subjects.requests import answer_request
from trustplane.kernel.controls.contract import Evidence
from trustplane.kernel.controls.evaluation import evaluate_one
from trustplane.values.findings import Status, Subject
from trustplane.values.outcomes import Failed, NotApplicable, Passed

NOW = datetime(2026, 11, 24, tzinfo=UTC)
THEN, SOON = "2026-11-20T00:00:00.000000Z", "2026-11-28T00:00:00.000000Z"


def judged(judge, **facts):
    return judge(Evidence(facts, now=NOW))


def test_retention():
    assert isinstance(judged(judge_retention, days=None, held=False, ends=[]), Failed)
    assert isinstance(judged(judge_retention, days=9, held=False, ends=[SOON]), Passed)
    late = judged(judge_retention, days=9, held=False, ends=[THEN, SOON])
    assert isinstance(late, Failed)
    assert late.figures == {"versions": 2.0, "late": 1.0}
    assert isinstance(judged(judge_retention, days=9, held=True, ends=[THEN]), Passed)


def test_requests():
    assert isinstance(judged(judge_requests, open=[], closed=0, closed_late=0), NotApplicable)
    soon = judged(judge_requests, open=[SOON], closed=2, closed_late=1)
    assert isinstance(soon, Passed)
    assert soon.figures["due_within_a_week"] == 1
    assert isinstance(judged(judge_requests, open=[THEN], closed=0, closed_late=0), Failed)


def test_outcomes():
    none = {"erased": 0, "undecided": 0, "decided": 0, "dates": []}
    assert isinstance(judged(judge_outcomes, **none), NotApplicable)
    assert isinstance(judged(judge_outcomes, **none | {"erased": 1, "undecided": 1}), Failed)
    assert isinstance(judged(judge_outcomes, **none | {"erased": 1, "decided": 1, "dates": [THEN]}), Failed)
    assert isinstance(judged(judge_outcomes, **none | {"erased": 1, "decided": 1, "dates": [SOON]}), Passed)


def test_what_they_find_in_a_project(plane, steward, asked, erased, clients):
    request = asked()
    with plane.database.read() as session:
        from trustplane.data.tables import Dataset

        project = session.get_one(Dataset, clients.dataset_id).project_id
    subjects = {
        "dataset": Subject("dataset", clients.dataset_id, "clients"),
        "project": Subject("project", project, "credit"),
    }

    def statuses(now):
        with plane.database.read() as session:
            return {c.id: evaluate_one(session, c, subjects[c.subject_kind], now).status for c in CONTROLS}

    now = plane.clock.now()
    assert statuses(now) == {"TP-DAT-04": Status.PASSED, "TP-DAT-05": Status.PASSED, "TP-DAT-06": Status.NOT_APPLICABLE}
    assert statuses(now + timedelta(days=40))["TP-DAT-05"] == Status.FAILED
    assert statuses(now + timedelta(days=4000))["TP-DAT-04"] == Status.FAILED
    erased(request)
    answer_request(plane, steward, "credit", request, "done")
    assert statuses(now + timedelta(days=40)) == {
        "TP-DAT-04": Status.PASSED, "TP-DAT-05": Status.PASSED, "TP-DAT-06": Status.PASSED,
    }  # fmt: skip
    with plane.database.read() as session:
        assert collect_requests(session, subjects["project"]).events
        assert collect_outcomes(session, subjects["project"]).facts["undecided"] == 0
        assert collect_retention(session, subjects["dataset"]).facts["days"] == 3650
