"""An erasure outlives the process that does it: after ``kill -9`` at any step it goes on, and nobody else's rows are lost."""

import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from trustplane.data.ingestion import ingest
from trustplane.data.subjects.erasure import resume_erasures, search, start_erasure
from trustplane.data.tables import DatasetVersion, SubjectRequest
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.plane import Plane
from trustplane.kernel.vault.destruction import unsettled
from trustplane.kernel.vault.tables import VaultBlob

WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 60
MOMENTS = ("searched", "rewriting", "committing", "committed", "sweeping", "ending")


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_erasure_that_is_killed_goes_on(workspace, plane, steward, csv, spec, asked, monkeypatch, moment):
    ingest(plane, steward, "credit", replace(spec), [csv(40)])
    request = asked()
    monkeypatch.setattr(plane.jobs, "launch", lambda: None)
    job = start_erasure(plane, steward, "credit", request)
    command = [sys.executable, str(WORKER), str(workspace.folder), workspace.database_url, moment]
    with subprocess.Popen(command) as process:
        try:
            assert process.wait(PATIENCE) == -signal.SIGKILL
        finally:
            process.kill()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a rotation was cut short is told when the workspace is opened again
        again = Plane(workspace)
    with again:
        with again.database.read() as session:
            assert not unsettled(session, again.keystore)
        assert resume_erasures(again) == 1
        assert again.jobs.wait(job, PATIENCE).returned() == {"datasets": 1}
        assert search(again, steward, "credit", request).datasets == {}
        with again.database.read() as session:
            row = session.get_one(SubjectRequest, request)
            assert row.state == "verified"
            [done] = row.erased.values()
            assert [v.rows for v in session.query(DatasetVersion).order_by(DatasetVersion.number)] == [499, 39]
            dataset = next(iter(row.erased))
            assert len(events_about(session, f"Dataset::{dataset}", "dataset.erase")) == 1
            kept = {blob.digest for blob in session.query(VaultBlob)}
            assert not kept & set(done["replaced"])
        for digest in done["replaced"]:
            assert not again.blobs.path(digest).exists()
        again.ledger.sequencer.integrate()
        verify(again).require_sound()
