"""Conversions go the whole way: scanned, decided, loaded in the real sandbox, compared, kept, registered."""

import json
import pickle

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from tests.corpora.hostile import FIRE

from trustplane.kernel.ledger.evidence import events_about
from trustplane.release.conversion import Wanted, start_conversion
from trustplane.release.registration import register_version
from trustplane.release.scanning.service import scans_of
from trustplane.release.tables import ModelVersion
from trustplane.training.holders import runs as reached_runs
from trustplane.training.repetition import repeat_run
from trustplane.training.runs import open_output, start_run
from trustplane.training.spec import RunKind, RunSpec
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput, Denied, Refused

ROWS = np.random.default_rng(5).normal(size=(150, 2)).astype(np.float32)
TWO = (ROWS[:, 0] > 0).astype(int)
FOREST = pickle.dumps(RandomForestClassifier(4, random_state=0).fit(ROWS, TWO))
HISTOGRAMS = pickle.dumps(HistGradientBoostingClassifier(max_iter=3).fit(ROWS, TWO))
FEATURES = json.dumps([{"name": "income"}, {"name": "debt"}]).encode()
VIEWS = {"people": {"version": "v1", "digest": "sha256:" + "3" * 64, "rows": 40}}


@pytest.fixture
def ended(plane):
    """Wait for the end of a run, and give it as it is kept."""

    def wait(run_id):
        plane.jobs.wait(run_id, 300).returned()
        with plane.database.read() as session:
            return session.get_one(Run, run_id)

    return wait


def content(plane, cast, run, path):
    return b"".join(open_output(plane, cast["scientist"], "credit", run, path))


def test_the_pickle_of_a_run_becomes_a_model(plane, cast, made_run, ended, fetch):
    source = made_run({"model.pkl": HISTOGRAMS, "features.json": FEATURES}, inputs=VIEWS, author=cast["owner"])
    wanted = Wanted("model.pkl", run=source)
    row = ended(start_conversion(plane, cast["scientist"], "credit", wanted))
    assert row.state == "done", content(plane, cast, row.id, "log")
    assert {"model.skops", "conversion.json", "features.json"} <= set(row.outputs)
    facts = json.loads(content(plane, cast, row.id, "conversion.json"))
    assert facts["source"]["run"] == source
    assert "sha256:" + facts["target"]["sha256"] == row.outputs["model.skops"]["sha256"]
    assert facts["compared"]["labels_equal"] == 1
    assert row.metrics["largest_difference"] == facts["compared"]["largest_difference"] == 0
    # whose rows went into the source went into what was made of it
    assert row.inputs == {"people": {**VIEWS["people"], "through": source}}
    with plane.database.read() as session:
        assert [r.id for r in reached_runs(session, row.project_id, {"v1": "sha256:" + "4" * 64})] == [source, row.id]
        assert len(events_about(session, f"Run::{source}", "run.open")) == 2
        assert [s.artifact for s in scans_of(session, row.project_id)] == ["model.pkl"]
    assert row.author_id == cast["owner"].answerable
    again = ended(repeat_run(plane, cast["scientist"], "credit", row.id))
    assert (again.state, again.author_id) == ("done", cast["owner"].answerable)
    assert again.outputs["model.skops"]["size"] > 0
    version = fetch(register_version(plane, cast["scientist"], "credit", "risk", row.id, "model.skops"))
    assert isinstance(version, ModelVersion)
    assert (version.format, version.author_id) == ("skops", cast["owner"].answerable)
    assert [f["name"] for f in version.interface["features"]] == ["income", "debt"]


def test_a_file_that_is_sent_along_is_converted_and_repeated(plane, cast, ended):
    wanted = Wanted("forest.pkl", data=FOREST, to="skops")
    row = ended(start_conversion(plane, cast["scientist"], "credit", wanted))
    assert row.state == "done", content(plane, cast, row.id, "log")
    again = ended(repeat_run(plane, cast["scientist"], "credit", row.id))
    assert again.state == "done"
    assert set(again.outputs) == set(row.outputs)
    (event,) = [e for e in plane.ledger.feed(limit=50) if e.leaf.action == "run.start"]
    assert event.payload["facts"]["scanned"]["verdict"] == "passed"


def test_a_hostile_pickle_is_never_loaded(plane, cast, made_run):
    source = made_run({"model.pkl": FIRE})
    for wanted in (Wanted("model.pkl", run=source), Wanted("model.pkl", data=FIRE)):
        with pytest.raises(Refused) as refusal:
            start_conversion(plane, cast["scientist"], "credit", wanted)
        assert refusal.value.code == "TP-RELEASE-020"
        assert "posix.system" in refusal.value.why
        assert "at byte 2" in refusal.value.why
    with plane.database.read() as session:
        assert [run.id for run in session.query(Run)] == [source]
        (scan,) = scans_of(session, session.get_one(Run, source).project_id)
    assert scan.verdict == "refused"


def test_what_is_refused(plane, cast, made_run):
    def refused(error, code, who="scientist", **said):
        with pytest.raises(error) as caught:
            start_conversion(plane, cast[who], "credit", Wanted(**said))
        assert caught.value.code == code

    source = made_run({"model.pkl": FOREST, "words.txt": b"words\n"})
    failed = made_run({"model.pkl": FOREST}, state="failed")
    refused(Refused, "TP-RELEASE-028", artifact="words.txt", run=source)
    refused(Refused, "TP-RELEASE-028", artifact="words.txt", data=b"words\n")
    refused(Refused, "TP-RUN-062", artifact="model.pkl", run=failed)
    refused(BadInput, "TP-RELEASE-004", artifact="nothing.pkl", run=source)
    refused(BadInput, "TP-RELEASE-029", artifact="model.pkl")
    refused(BadInput, "TP-RELEASE-029", artifact="model.pkl", data=FOREST, run=source)
    refused(BadInput, "TP-RELEASE-029", artifact="model.pkl", data=FOREST, to="pickle")
    refused(BadInput, "TP-RELEASE-029", artifact="model.pkl", data=FOREST, tolerance=0.5)
    refused(BadInput, "TP-RELEASE-029", artifact="model.pkl", data=FOREST, tolerance=float("nan"))
    refused(Refused, "TP-RELEASE-030", artifact="model.pkl", data=bytes((10 << 20) + 1))
    refused(BadInput, "TP-RUN-011", artifact="../model.pkl", data=FOREST)
    refused(Denied, "TP-POLICY-020", who="auditor", artifact="model.pkl", data=FOREST)


def test_no_one_starts_a_conversion_past_the_scan(plane, cast):
    spec = RunSpec("model.pkl", {"model.pkl": FIRE}, kind=RunKind.CONVERSION)
    with pytest.raises(BadInput, match="TP-RUN-060"):
        start_run(plane, cast["scientist"], "credit", spec)


def test_a_conversion_that_is_not_equal_fails_on_record(plane, cast, made_run, ended):
    far = pickle.dumps(RandomForestClassifier(30, random_state=0).fit(ROWS, TWO))
    wanted = Wanted("model.pkl", data=far, to="onnx", tolerance=0.0)
    row = ended(start_conversion(plane, cast["scientist"], "credit", wanted))
    assert (row.state, row.outputs) == ("failed", {})
    said = json.loads(content(plane, cast, row.id, "log"))["stderr"]
    assert "does not agree with the source on 2,000 rows: largest difference" in said
