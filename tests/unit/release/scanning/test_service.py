"""Scans in a workspace."""

import pytest
from tests.corpora.hostile import FIRE

from trustplane.kernel.ledger.evidence import events_about
from trustplane.release.registration import register_version
from trustplane.release.scanning.service import scan_output, scans_of
from trustplane.release.tables import ArtifactScan
from trustplane.values.errors import BadInput, Denied, Refused


def kept(plane, scan_id):
    with plane.database.read() as session:
        return session.get_one(ArtifactScan, scan_id)


def test_a_refused_output_is_on_record(plane, cast, made_run):
    run = made_run({"model.pkl": FIRE, "notes.txt": b"words\n"})
    row = kept(plane, scan_output(plane, cast["scientist"], "credit", run, "model.pkl"))
    assert (row.verdict, row.format, row.size) == ("refused", "pickle", len(FIRE))
    (objection,) = row.report["objections"]
    assert (objection["subject"], objection["offset"]) == ("posix.system", 2)
    good = kept(plane, scan_output(plane, cast["reviewer"], "credit", run, "notes.txt"))
    assert good.verdict == "passed"
    with plane.database.read() as session:
        assert [s.id for s in scans_of(session, row.project_id)] == [good.id, row.id]
        assert len(events_about(session, f"Run::{run}", "artifact.scan")) == 2


def test_who_may_not_and_what_is_not_there(plane, cast, made_run):
    run = made_run()
    with pytest.raises(Denied):
        scan_output(plane, cast["auditor"], "credit", run, "model.onnx")
    with pytest.raises(BadInput, match="TP-RELEASE-004"):
        scan_output(plane, cast["scientist"], "credit", run, "nothing")


def test_a_pickle_is_not_registered_and_the_refusal_names_what_it_asks_for(plane, cast, made_run):
    run = made_run({"model.onnx": FIRE})
    with pytest.raises(Refused) as refusal:
        register_version(plane, cast["scientist"], "credit", "risk", run)
    assert refusal.value.code == "TP-RELEASE-020"
    assert "posix.system" in refusal.value.why
    assert refusal.value.facts["objections"][0]["offset"] == 2


def test_registering_scans(plane, made_version):
    version = made_version()
    with plane.database.read() as session:
        (scan,) = scans_of(session, version.project_id)
    assert (scan.verdict, scan.format, scan.sha256) == ("passed", "onnx", version.sha256)
