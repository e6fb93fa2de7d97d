"""Running a run again: what is compared, what the verdict is, and that it is evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.controls.contract import Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import AccessDenied
from trustplane.training.controls import collect_repetition, judge_repetition, repeatable, subject
from trustplane.training.repetition import Made, compare, repeat_run, repetitions_of
from trustplane.training.runs import detail_of
from trustplane.values.errors import BadInput, Conflict
from trustplane.values.outcomes import Failed, Inconclusive, Passed

BASE = Made("c", {"people": "d1"}, {"model": "s1"}, {"auc": 0.8}, {"python": "3.11.2", "numpy": "2.0", "lock": "l1"})


def changed(**said):
    return Made(**{name: said.get(name, getattr(BASE, name)) for name in BASE.__slots__})


@pytest.mark.parametrize(
    ("again", "tolerance", "verdict"),
    [
        (changed(), 0, "identical"),
        (changed(outputs={"model": "s2"}), 0, "alike"),
        (changed(outputs={"model": "s2"}, metrics={"auc": 0.801}), 0, "different"),
        (changed(outputs={"model": "s2"}, metrics={"auc": 0.801}), 0.01, "alike"),
        (changed(metrics={"auc": 0.9}), 0.01, "different"),
        (changed(metrics={}), 0.5, "different"),
        (changed(outputs={}), 0.5, "different"),
        (changed(outputs={"model": "s1", "more": "s"}), 0.5, "different"),
    ],
)
def test_the_verdict(again, tolerance, verdict) -> None:
    assert compare(BASE, again, tolerance)["verdict"] == verdict


def test_without_metrics_other_bytes_are_a_difference() -> None:
    first, again = changed(metrics={}), changed(metrics={}, outputs={"model": "s2"})
    assert compare(first, again, 0.5)["verdict"] == "different"


def test_what_differs_is_named() -> None:
    environment = {"python": "3.12.0", "numpy": "2.1", "lock": "l2", "pandas": "3"}
    again = changed(outputs={"other": "s"}, metrics={"auc": 0.5}, environment=environment, inputs={"people": "d2"})
    found = compare(BASE, again, 0.1)
    assert found["outputs"] == {"same": 0, "different": {"model": "missing", "other": "new"}}
    assert found["metrics"] == {"same": 0, "different": {"auc": [0.8, 0.5]}}
    assert (found["beyond"], found["inputs"]) == (["auc"], ["people"])
    assert found["environment"] == ["numpy: 2.0 -> 2.1", "pandas: absent -> 3", "python: 3.11.2 -> 3.12.0"]


@given(st.dictionaries(st.text(min_size=1), st.floats(-1e9, 1e9), min_size=1), st.floats(0, 0.5))
def test_a_run_is_identical_to_itself(metrics, tolerance) -> None:
    assert compare(changed(metrics=metrics), changed(metrics=metrics), tolerance)["verdict"] == "identical"


@given(st.floats(0.001, 1e6), st.floats(0.001, 0.9), st.floats(0, 2))
def test_alike_means_within_the_tolerance(value, tolerance, share) -> None:
    again = changed(outputs={"model": "s2"}, metrics={"auc": value * (1 + tolerance * share)})
    verdict = compare(changed(metrics={"auc": value}), again, tolerance)["verdict"]
    if abs(share - 1) > 1e-6:
        assert verdict == ("alike" if share < 1 else "different")


# --- the whole way

STEADY = """
import os, random
from trustplane.training import log
random.seed(int(os.environ["TRUSTPLANE_SEED"]))
log.metric("auc", random.random())
open("model", "w").write(str(sorted({"a", "b", "c"}, key=hash)))
"""
CHANCE = (
    STEADY
    + "\nopen('chance', 'w').write(str(os.urandom(8)))\nlog.metric('luck', int.from_bytes(os.urandom(4), 'big'))\n"
)


@pytest.fixture
def repeat(plane, cast, ended):
    """Repeat a run, and give the repetition with its comparison."""

    def again(row, tolerance=0.0):
        made = ended(repeat_run(plane, cast["scientist"], "credit", row.id, tolerance))
        with plane.database.read() as session:
            return made, detail_of(session, made.id)

    return again


def verdict_of(plane, row):
    with plane.database.read() as session:
        return judge_repetition(collect_repetition(session, subject(row)))


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_steady_run_is_repeated_to_the_byte_and_a_lucky_one_is_found_out(plane, view, run, repeat) -> None:
    steady, lucky = run(STEADY, views=(view,), seed=7), run(CHANCE, seed=7)
    assert (steady.state, lucky.state) == ("done", "done")
    assert isinstance(verdict_of(plane, steady), Inconclusive), "nobody has tried"
    again, detail = repeat(steady)
    assert (detail.repeats, detail.comparison["verdict"]) == (steady.id, "identical")
    assert (again.code, again.seed, again.parameters) == (steady.code, steady.seed, steady.parameters)
    assert again.inputs[view]["digest"] == steady.inputs[view]["digest"]
    assert again.code_blob != steady.code_blob, "each run has a key of its own"
    assert isinstance(verdict_of(plane, steady), Passed)
    _, detail = repeat(lucky)
    assert detail.comparison["verdict"] == "different"
    assert detail.comparison["outputs"]["different"] == {"chance": "other bytes"}
    judged = verdict_of(plane, lucky)
    assert isinstance(judged, Failed)
    assert "luck" in judged.reason
    assert "chance" in judged.reason
    with plane.database.read() as session:
        scope = Scope(steady.project_id, plane.clock.now())
        assert [s.id for s in repeatable(session, scope)] == [steady.id, lucky.id], "a repetition is not to be repeated"
        (event,) = events_about(session, f"Run::{again.id}", "run.verify")
        finished = events_about(session, f"Run::{again.id}", "job.finish")[-1]
        assert [r.id for r, _ in repetitions_of(session, steady.id)] == [again.id]
    assert plane.ledger.get(event).payload["facts"]["repeats"] == steady.id
    assert plane.ledger.get(finished).payload["facts"]["verdict"] == "identical"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_cannot_be_repeated_is_refused(plane, cast, run) -> None:
    failed = run("raise SystemExit(1)")
    with pytest.raises(Conflict) as caught:
        repeat_run(plane, cast["scientist"], "credit", failed.id)
    assert caught.value.code == "TP-RUN-026"
    with pytest.raises(BadInput):
        repeat_run(plane, cast["scientist"], "credit", failed.id, 1.5)
    for role in ("owner", "auditor", "reviewer"):
        with pytest.raises(AccessDenied):
            repeat_run(plane, cast[role], "credit", failed.id)
