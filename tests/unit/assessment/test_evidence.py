"""Rows that checks leave: sealed before the step ends, opened on record, and gone with the rows of whoever is erased."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from trustplane.assessment import evidence, service
from trustplane.assessment.changed import changed_table, changes_of
from trustplane.assessment.checks.contract import CheckResult
from trustplane.assessment.evidence import WITHHELD, evidence_facts, open_evidence, read_evidence, subject_of
from trustplane.assessment.service import start_assessment
from trustplane.assessment.tables import Assessment, AssessmentEvidence
from trustplane.data.ingestion import DatasetSpec, ingest
from trustplane.data.retention import expire_version, place_hold
from trustplane.data.subjects.erasure import start_erasure
from trustplane.data.subjects.outcomes import reached_by
from trustplane.data.subjects.requests import Identifier, RequestSpec, open_request, verify_identity
from trustplane.data.tables import DatasetVersion, SubjectRequest
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.training.runs import run_target
from trustplane.training.tables import Run
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.validator import validate
from trustplane.values.errors import NotFound, Tampered, Unavailable
from trustplane.values.outcomes import Passed

PATIENCE = 60
THREAT = """
name = "what a client can say otherwise"
budget = { norm = "linf", distance = 0.3 }
features.income = { mutable = false }
features.debt = { low = -5, high = 5, direction = "down" }
"""
SUITE = {"checks": ["robustness"], "parameters": {"robustness": {"queries": 200}}}
EVASIONS = "robustness.evasions"


@pytest.fixture
def assessed(plane, cast):
    def run(subject, suite=SUITE):
        asked = start_assessment(plane, cast["scientist"], subject, 3, suite)
        plane.jobs.wait(asked, PATIENCE).returned()
        with plane.database.read() as session:
            row = session.get_one(Assessment, asked)
        assert row.state == "done", row.ended
        return row

    return run


@pytest.fixture
def opened(plane, cast):
    def open_(row, subject, who="scientist", name=EVASIONS):
        return open_evidence(plane, cast[who], row, subject.target, [name])[name]

    return open_


def facts(plane, row):
    with plane.database.read() as session:
        return evidence_facts(session, row.id)


def payloads(plane, action):
    """What the events of an action say, the oldest first."""
    found = [e for e in plane.ledger.feed(limit=200) if e.leaf.action == action]
    return [e.payload for e in reversed(found)]


def test_evasions_are_rows_of_the_holdout_and_within_the_threat_model(
    plane, made_subject, assessed, opened, table
) -> None:
    subject = made_subject(threat=THREAT)
    row = assessed(subject)
    result = row.results["robustness"]
    evasions = read_evidence(opened(row, subject))
    assert 0 < evasions.num_rows <= 300
    assert result["evidence"] == {"evasions": evasions.num_rows}
    [kept] = facts(plane, row)
    assert (kept["name"], kept["rows"], kept["destroyed"]) == (EVASIONS, evasions.num_rows, None)
    before, after = (
        np.column_stack([evasions[f"{side}.{n}"].to_numpy() for n in ("income", "debt")]).astype(float)
        for side in ("before", "after")
    )
    assert validate(parse_threat(THREAT), ["income", "debt"], before, after).valid.all()
    places = evasions["row"].to_numpy()
    assert (before[:, 1] == table["debt"].to_numpy()[places]).all()
    assert (table["label"].to_numpy()[places] == 1).all()
    assert (np.diff(evasions["cost"].to_numpy()) >= 0).all()
    assert (evasions["score_before"].to_numpy() >= 0.5).all()
    assert (evasions["score_after"].to_numpy() < 0.5).all()
    first = changes_of(evasions, 1)[0]
    [change] = first["changes"]
    assert change["feature"] == "debt"
    assert change["before"] > change["after"]


def test_no_row_is_outside_of_the_seal(plane, made_subject, assessed, workspace) -> None:
    subject = made_subject(threat=THREAT)
    row = assessed(subject)
    assert "before." not in json.dumps(row.results)
    found = [f for f in workspace.folder.rglob("*") if f.is_file() and b"before.debt" in f.read_bytes()]
    assert found == []
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


def test_the_events_name_what_was_sealed_and_what_was_opened(plane, made_subject, assessed, opened) -> None:
    subject = made_subject(threat=THREAT)
    row = assessed(subject)
    [kept] = facts(plane, row)
    [sealed] = [p for p in payloads(plane, "job.finish") if p["facts"].get("step") == "seal"]
    assert sealed["refers"] == {EVASIONS: kept["sha256"]}
    assert sealed["facts"]["evidence"] == {EVASIONS: kept["rows"]}
    assert payloads(plane, "assessment.open") == []
    opened(row, subject)
    [told] = payloads(plane, "assessment.open")
    assert told["refers"] == {EVASIONS: kept["sha256"]}
    assert told["facts"] == {"assessment": row.id, "evidence": {EVASIONS: kept["rows"]}}
    with plane.database.read() as session:
        key = session.scalars(select(VaultKey).where(VaultKey.subject == subject_of(row.id))).one()
    assert (key.purpose, told["keys"]) == ("assessment", [key.id])


def test_who_sees_no_rows_opens_none(plane, cast, made_subject, assessed, opened) -> None:
    subject = made_subject(threat=THREAT)
    row = assessed(subject)
    for who in ("owner", "data-steward", "operator", "auditor", "consumer"):
        with pytest.raises(AccessDenied):
            opened(row, subject, who)
    opened(row, subject, "reviewer")
    with pytest.raises(NotFound) as told:
        opened(row, subject, name="robustness.evasion")
    assert (told.value.code, "robustness.evasions" in told.value.why) == ("TP-ASSESS-025", True)


def test_evidence_that_was_changed_or_exchanged_does_not_open(plane, made_subject, assessed, opened) -> None:
    subject = made_subject(threat=THREAT)
    one, other = assessed(subject), assessed(subject, {**SUITE, "threshold": 0.4})
    with plane.database.write() as session:
        mine, theirs = (
            session.scalars(select(AssessmentEvidence).where(AssessmentEvidence.assessment_id == row.id)).one()
            for row in (one, other)
        )
        mine.blob, theirs.blob = theirs.blob, mine.blob
    with pytest.raises(Tampered):
        opened(one, subject)
    plane.ledger.sequencer.integrate()
    assert verify(plane).discrepancies
    file = plane.blobs.path(mine.blob)
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(Tampered):
        opened(other, subject)


def test_a_step_that_is_done_again_after_a_crash_leaves_its_rows_once(plane, cast, made_subject, assessed) -> None:
    subject = made_subject(threat=THREAT)
    row = assessed(subject)
    with plane.database.read() as session:
        [before] = session.scalars(select(AssessmentEvidence)).all()
    found = {"evasions": changed_table(["debt"], np.ones((2, 1)), np.zeros((2, 1)), {"row": np.array([4, 7])})}
    said = evidence.keep_evidence(plane, cast["scientist"], row.id, "robustness", found, "a cause")
    assert said == {"evasions": 2}
    with plane.database.read() as session:
        [after] = session.scalars(select(AssessmentEvidence)).all()
        assert session.get(VaultBlob, before.blob) is None
        assert len(session.scalars(select(VaultKey).where(VaultKey.subject == subject_of(row.id))).all()) == 1
    assert (after.rows, after.key_id) == (2, before.key_id)
    assert not plane.blobs.path(before.blob).exists()
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


class _Leaving:
    """A check that leaves what it is told to."""

    def __init__(self, found):
        self.found = found

    def run(self, data, parameters):
        return CheckResult(Passed("so it is"), evidence=self.found)


@pytest.mark.parametrize(
    "found",
    [
        {"rows": pa.table({"n": range(1001)})},
        {"../rows": pa.table({"n": [1]})},
        {"": pa.table({"n": [1]})},
        {"rows": {"n": [1]}},
        {f"r{n}": pa.table({"n": [n]}) for n in range(9)},
    ],
)
def test_what_a_plug_in_leaves_is_bounded(plane, cast, made_subject, monkeypatch, found) -> None:
    monkeypatch.setattr(service, "installed_checks", lambda: {"performance": _Leaving(found)})
    monkeypatch.setattr(service, "checked_suite", lambda *_: {"parameters": {"performance": {}}})
    monkeypatch.setattr(service, "_prepare", lambda *_: None)
    asked = start_assessment(plane, cast["scientist"], made_subject())
    plane.jobs.wait(asked, PATIENCE).returned()
    with plane.database.read() as session:
        row = session.get_one(Assessment, asked)
        assert session.scalars(select(AssessmentEvidence)).all() == []
    assert row.state == "failed"
    assert row.ended.startswith("TP-ASSESS-026")


# --- erasure

HEADER = "customer_id,email,age,amount\n"


@pytest.fixture
def clients(plane, cast):
    """A dataset of 60 people."""
    lines = "".join(f"C{n:05d},person{n}@mail.example,{18 + n % 60},{n}.5\n" for n in range(60))
    spec = DatasetSpec(
        "clients", "csv", ("dpv:CustomerSolvencyMonitoring",), "eu-gdpr:A6-1-b", 3650, source="the tests"
    )
    made = ingest(plane, cast["data-steward"], "credit", spec, [(HEADER + lines).encode()])
    with plane.database.read() as session:
        return session.scalars(select(DatasetVersion).where(DatasetVersion.dataset_id == made.dataset_id)).one()


@pytest.fixture
def learned_from(plane, cast):
    """Say that the run of a subject read a version."""

    def say(subject, version):
        with plane.database.read() as session:
            run = session.get_one(Run, subject.run_id)
        with plane.operation(cast["scientist"], "run.verify", run_target(run), context={"profile": "strict"}) as op:
            held = op.session.get_one(Run, run.id)
            held.inputs = {"training": {"version": version.id, "digest": version.digest}}
        return subject

    return say


@pytest.fixture
def erase(plane, cast):
    """Erase ``C00007``; return the request."""

    def run():
        steward = cast["data-steward"]
        request = open_request(plane, steward, "credit", RequestSpec("erasure", (Identifier("C00007"),)))
        verify_identity(plane, steward, "credit", request, "passport shown at the counter")
        job = start_erasure(plane, steward, "credit", request)
        plane.jobs.wait(job, PATIENCE)
        return request

    return run


def test_rows_go_with_the_rows_of_whoever_is_erased(
    plane, made_subject, assessed, opened, clients, learned_from, erase
) -> None:
    subject, other = learned_from(made_subject(threat=THREAT), clients), made_subject(threat=THREAT)
    row, apart = assessed(subject), assessed(other)
    [kept] = facts(plane, row)
    with plane.database.read() as session:
        blob, key = session.execute(
            select(AssessmentEvidence.blob, AssessmentEvidence.key_id).where(AssessmentEvidence.assessment_id == row.id)
        ).one()
    assert plane.blobs.path(blob).exists()
    request = erase()
    with pytest.raises(Unavailable) as told:
        opened(row, subject)
    assert told.value.code == "TP-ASSESS-027"
    assert not plane.blobs.path(blob).exists()
    with plane.database.read() as session:
        assert session.get(VaultBlob, blob) is None
        with pytest.raises(Unavailable):
            unwrap_chain(session, plane.keystore, key)
        asked = session.get_one(SubjectRequest, request)
        [done] = asked.erased.values()
        assert blob in done["replaced"]
        assert "evidence" not in {r.kind for r in reached_by(session, asked)}
        left = session.get_one(Assessment, row.id)
    [certificate] = payloads(plane, "dataset.erase")
    assert key in certificate["facts"]["keys"]
    assert subject_of(row.id) in certificate["facts"]["subjects"]
    assert left.results["robustness"]["figures"] == row.results["robustness"]["figures"]
    [gone] = facts(plane, row)
    assert (gone["sha256"], gone["destroyed"] is None) == (kept["sha256"], False)
    assert opened(apart, other)
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


def test_no_rows_are_kept_of_a_holdout_that_somebody_was_taken_out_of(
    plane, made_subject, assessed, clients, learned_from, erase
) -> None:
    subject = learned_from(made_subject(threat=THREAT), clients)
    erase()
    row = assessed(subject)
    assert row.results["robustness"]["evidence"] == {"withheld": WITHHELD}
    assert row.results["robustness"]["figures"]["withstood"] < 1
    assert facts(plane, row) == []


def test_an_erasure_that_comes_between_leaves_no_rows(
    plane, cast, made_subject, assessed, clients, learned_from, erase, monkeypatch
) -> None:
    subject = learned_from(made_subject(threat=THREAT), clients)
    row = assessed(subject, {})
    look, looks = evidence.rows_are_gone, []

    def erasing(session, run):
        looks.append(look(session, run))
        if len(looks) == 1:
            erase()
        return looks[-1]

    monkeypatch.setattr(evidence, "rows_are_gone", erasing)
    objects = {p.name for p in plane.blobs.path(clients.digest).parents[1].rglob("*") if p.is_file()}
    found = {"evasions": pa.table({"n": [1]})}
    said = evidence.keep_evidence(plane, cast["scientist"], row.id, "robustness", found, "a cause")
    assert said == {"withheld": WITHHELD}
    assert looks == [False, True, True]
    assert facts(plane, row) == []
    with plane.database.read() as session:
        known = {d.removeprefix("sha256:")[2:] for d in session.scalars(select(VaultBlob.digest))}
    now = {p.name for p in plane.blobs.path(clients.digest).parents[1].rglob("*") if p.is_file()}
    assert now - objects <= known


def test_a_hold_keeps_the_rows(plane, cast, made_subject, assessed, opened, clients, learned_from, erase) -> None:
    subject = learned_from(made_subject(threat=THREAT), clients)
    row = assessed(subject)
    place_hold(plane, cast["data-steward"], "credit", "clients", "a claim")
    erase()
    assert read_evidence(opened(row, subject)).num_rows


def test_rows_do_not_outlive_what_they_were_taken_from(
    plane, made_subject, assessed, opened, clients, learned_from
) -> None:
    subject = learned_from(made_subject(threat=THREAT), clients)
    row = assessed(subject)
    assert expire_version(plane, PLANE_ACTOR, clients.id) is not None
    with pytest.raises(Unavailable) as told:
        opened(row, subject)
    assert told.value.code == "TP-ASSESS-027"
    assert assessed(subject).results["robustness"]["evidence"] == {"withheld": WITHHELD}
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


# --- showing


def test_only_what_changed_is_shown_and_by_the_fewest_digits() -> None:
    before = np.array([[0.1, 3.0, 1e-9], [0.25, -1.0, 5.0]])
    after = before + np.array([[0.2, 0.0, 0.0], [0.0, 0.0, 0.0]])
    made = changed_table(["a.b", "β", "c"], before, after, {"row": np.array([4, 9]), "cost": np.array([0.5, 0.0])})
    kept = io.BytesIO()
    pq.write_table(made, kept)
    rows = changes_of(read_evidence(kept.getvalue()))
    assert rows == [
        {"row": 4, "cost": 0.5, "changes": [{"feature": "a.b", "before": 0.1, "after": 0.3}]},
        {"row": 9, "cost": 0.0, "changes": []},
    ]
    assert changes_of(made, 1) == rows[:1]
    assert changes_of(made.slice(0, 0)) == []
    assert changes_of(pa.table({"before.x": [1], "n": [2]})) == [{"before.x": 1, "n": 2}]
