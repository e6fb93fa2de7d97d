"""Reasons of a version's decisions: on record, without the rows, and the same when they are told anew."""

import json
from dataclasses import replace

import numpy as np
import pytest

from trustplane.assessment.service import start_assessment
from trustplane.assessment.telling import MOST_ROWS, explain_rows
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.ledger.tables import LedgerEvent
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.vault.artifacts import seal
from trustplane.kernel.vault.keyring import release
from trustplane.training.runs import run_target
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput, Tampered

POOR = {"income": -1.73125, "debt": 2.0}


def told(plane, cast, subject, *rows, who="scientist"):
    return explain_rows(plane, cast[who], subject, list(rows))


def test_an_unfavourable_decision_is_told_with_reasons(plane, cast, made_subject) -> None:
    subject = made_subject()
    answer = told(plane, cast, subject, POOR, {"income": 2.0, "debt": -2.0})
    poor, rich = answer["rows"]
    assert (answer["way"], answer["exact"], answer["scale"]) == ("linear", True, "log-odds")
    assert [r["text"] for r in poor["reasons"]] in (
        ["debt is too high", "income is too low"],
        ["income is too low", "debt is too high"],
    )
    assert rich["favourable"]
    assert rich["reasons"] == ()
    total = answer["base"] + sum(poor["contributions"].values())
    assert 1 / (1 + np.exp(-total)) == pytest.approx(poor["score"], abs=1e-6)
    again = told(plane, cast, subject, POOR)
    assert again["rows"][0] == poor
    assert again["basis"] == answer["basis"]
    assert again["event"] != answer["event"]


def test_the_event_names_the_basis_and_holds_no_row(plane, cast, made_subject) -> None:
    subject = made_subject()
    answer = told(plane, cast, subject, POOR)
    with plane.database.read() as session:
        [event] = events_about(session, f"ModelVersion::{subject.model_version_id}")
        payload = session.get_one(LedgerEvent, event).payload
    assert event == answer["event"]
    text = payload.decode() if isinstance(payload, bytes) else json.dumps(payload)
    assert answer["basis"] in text
    assert "1.73" not in text


def test_the_newest_assessment_says_what_is_favourable(plane, cast, made_subject) -> None:
    subject = made_subject()
    assert not told(plane, cast, subject, POOR)["rows"][0]["favourable"]
    asked = start_assessment(plane, cast["scientist"], subject, 0, {"favourable": 1, "threshold": 0.6})
    plane.jobs.wait(asked, 60).returned()
    answer = told(plane, cast, subject, POOR)
    assert (answer["favourable"], answer["threshold"]) == (1, 0.6)
    assert answer["rows"][0]["favourable"]


def test_the_words_are_those_that_the_run_left(plane, cast, made_subject) -> None:
    subject = made_subject()
    words = b'immutable = ["debt"]\n[features.debt]\nhigh = "You owe much"\n'
    with plane.database.read() as session:
        run = session.get_one(Run, subject.run_id)
    with plane.operation(cast["scientist"], "run.open", run_target(run)) as op:
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [run.key_id])[run.key_id]
        kept = seal(plane.blobs, key, [words], f"run:{run.id}", plane.clock.now())
        held = op.session.get_one(Run, run.id)
        held.outputs = {**held.outputs, "reasons.toml": {"digest": kept.digest}}
        op.session.add(kept.row)
    reasons = told(plane, cast, subject, POOR)["rows"][0]["reasons"]
    assert ("You owe much", True) in [(r["text"], r["immutable"]) for r in reasons]


def test_who_may_not_open_the_model_is_told_nothing(plane, cast, made_subject) -> None:
    subject = made_subject()
    for who in ("operator", "owner", "data-steward"):
        with pytest.raises(AccessDenied):
            told(plane, cast, subject, POOR, who=who)


def test_rows_that_do_not_fit_are_refused(plane, cast, made_subject) -> None:
    subject = made_subject()
    wrong = ([], [POOR] * (MOST_ROWS + 1), [{"income": 1.0}], [{**POOR, "wealth": 1.0}], [{**POOR, "debt": 1e300}])
    for rows in wrong:
        with pytest.raises(BadInput) as refused:
            told(plane, cast, subject, *rows)
        assert refused.value.code == "TP-ASSESS-022"
        assert "1e+300" not in str(refused.value)


def test_another_model_than_the_registered_one_is_not_explained(plane, cast, made_subject) -> None:
    with pytest.raises(Tampered):
        told(plane, cast, replace(made_subject(), model_sha256="sha256:" + "0" * 64), POOR)
