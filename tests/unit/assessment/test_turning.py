"""What would turn a decision, told with its reasons: within the threat model, and on record without the rows."""

import json

import numpy as np
import pytest

from trustplane.assessment.explaining.advice import GAPS, NOTHING, OUTSIDE, Counterfactuals
from trustplane.assessment.explaining.reasons import Decided, basis, tell
from trustplane.assessment.service import start_assessment
from trustplane.assessment.telling import MOST_TURNED, explain_rows
from trustplane.assessment.turning import means_of, turned_by
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.vault.artifacts import seal
from trustplane.kernel.vault.keyring import release
from trustplane.training.runs import run_target
from trustplane.training.tables import Run
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.service import keep_threat
from trustplane.values.digests import sha256
from trustplane.values.errors import BadInput, Refused

POOR = {"income": -0.34375, "debt": 0.28125}
RICH = {"income": 2.0, "debt": -2.0}
THREAT = """
budget = { norm = "l2", distance = 2.0 }
features.income = { low = -5, high = 5, direction = "up", scale = 1 }
features.debt = { low = -5, high = 5, direction = "down", scale = 1, cost = 2 }
"""


def told(plane, cast, subject, *rows, who="scientist"):
    return explain_rows(plane, cast[who], subject, list(rows), counterfactual=True)


@pytest.fixture
def leave(plane, cast):
    """Let a run leave a further file."""

    def say(subject, name, content):
        with plane.database.read() as session:
            run = session.get_one(Run, subject.run_id)
        with plane.operation(cast["scientist"], "run.open", run_target(run)) as op:
            with plane.database.read() as session:
                key = release(op, session, plane.keystore, [run.key_id])[run.key_id]
            kept = seal(plane.blobs, key, [content], f"run:{run.id}", plane.clock.now())
            held = op.session.get_one(Run, run.id)
            held.outputs = {**held.outputs, name: {"digest": kept.digest}}
            op.session.add(kept.row)

    return say


def test_the_cheapest_changes_are_told_and_turn_the_decision(plane, cast, made_subject) -> None:
    subject = made_subject(threat=THREAT)
    answer = told(plane, cast, subject, POOR, RICH)
    poor, rich = answer["rows"]
    assert rich["counterfactuals"] is None
    found = poor["counterfactuals"]
    assert found["said"] == ""
    assert [[c["feature"] for c in o["changes"]] for o in found["options"]] == [["income"], ["debt"]]
    [income], [debt] = (o["changes"] for o in found["options"])
    assert (income["text"], debt["text"]) == ("income is too low", "debt is too high")
    assert (income["before"], debt["before"]) == (POOR["income"], POOR["debt"])
    for option in found["options"]:
        changed = POOR | {c["feature"]: c["after"] for c in option["changes"]}
        again = explain_rows(plane, cast["scientist"], subject, [changed])["rows"][0]
        assert again["favourable"]
        assert again["score"] == pytest.approx(option["score"], abs=1e-6)
    assert told(plane, cast, subject, POOR)["rows"] == [poor]
    plain = explain_rows(plane, cast["scientist"], subject, [POOR])
    assert plain["rows"][0] == {k: v for k, v in poor.items() if k != "counterfactuals"}
    assert (plain["basis"], "threat" in plain) == (answer["basis"], False)


def test_the_event_counts_and_names_the_threat_model(plane, cast, made_subject) -> None:
    answer = told(plane, cast, made_subject(threat=THREAT), POOR, RICH)
    [event] = [e for e in plane.ledger.feed(limit=5) if e.leaf.id == answer["event"]]
    assert event.payload["refers"]["threat"] == answer["threat"]
    assert event.payload["facts"]["with_counterfactuals"] == 1
    text = json.dumps(event.payload)
    assert "0.34" not in text
    for option in answer["rows"][0]["counterfactuals"]["options"]:
        assert all(str(c["after"])[:6] not in text for c in option["changes"])


def test_without_a_threat_model_that_people_stand_by_nothing_is_told(plane, cast, made_subject) -> None:
    for threat in (None, "draft = true\n" + THREAT):
        with pytest.raises(Refused) as refused:
            told(plane, cast, made_subject(threat=threat), POOR)
        assert refused.value.code == "TP-ASSESS-023"
    with pytest.raises(BadInput) as wrong:
        told(plane, cast, made_subject(threat=THREAT.replace("debt", "dept")), POOR)
    assert wrong.value.code == "TP-RUN-042"


def test_what_nobody_can_change_and_what_is_protected_stays(plane, cast, made_subject, leave) -> None:
    subject = made_subject(threat=THREAT)
    leave(subject, "reasons.toml", b'immutable = ["income"]\n[features.debt]\nhigh = "You owe much"\n')
    [option] = told(plane, cast, subject, POOR)["rows"][0]["counterfactuals"]["options"]
    assert [(c["feature"], c["text"]) for c in option["changes"]] == [("debt", "You owe much")]
    asked = start_assessment(plane, cast["scientist"], subject, 0, {"protected": ["debt"]})
    plane.jobs.wait(asked, 60).returned()
    found = told(plane, cast, subject, POOR)["rows"][0]["counterfactuals"]
    assert found == {"options": (), "said": NOTHING}


def test_the_suite_of_the_newest_assessment_says_what_can_change(plane, cast, made_subject) -> None:
    subject = made_subject(threat=THREAT)
    tight = THREAT.replace("distance = 2.0", "distance = 0.01")
    asked = start_assessment(plane, cast["scientist"], subject, 0, {"threat": tight})
    plane.jobs.wait(asked, 60).returned()
    answer = told(plane, cast, subject, POOR)
    assert answer["rows"][0]["counterfactuals"] == {"options": (), "said": NOTHING}
    other = start_assessment(plane, cast["scientist"], subject, 0, {"favourable": 1})
    plane.jobs.wait(other, 60).returned()
    poor, rich = told(plane, cast, subject, POOR, RICH)["rows"]
    assert poor["counterfactuals"] is None
    assert rich["counterfactuals"]["said"] == NOTHING  # income goes up alone, and debt down alone


def test_a_threat_model_that_the_project_keeps_may_say_what_can_change(plane, cast, made_subject) -> None:
    subject = made_subject()
    keep_threat(plane, cast["scientist"], "credit", "clients", THREAT)
    asked = start_assessment(plane, cast["scientist"], subject, 0, {"threat": "clients@1"})
    plane.jobs.wait(asked, 60).returned()
    answer = told(plane, cast, subject, POOR)
    assert answer["rows"][0]["counterfactuals"]["options"]
    assert answer["threat"] == sha256(THREAT.encode())


def test_rows_with_gaps_and_rows_that_cannot_exist_are_told_apart() -> None:
    related = THREAT + '[[relations]]\nname = "poor"\nholds = "income <= 0.5"\n'

    def score(rows):
        return 1 / (1 + np.exp(np.nan_to_num(rows[:, 0].astype(np.float64)) - np.nan_to_num(rows[:, 1])))

    known = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    on = basis(Decided(b"", score, ("income", "debt")), known)
    rows = np.array([[-0.5, 0.5], [np.nan, 2.0], [0.75, 3.0], [0.0, -2.0]], np.float32)
    one, gaps, outside, rich = turned_by(on, means_of(on, parse_threat(related), sha256(b""), ()), rows, tell(on, rows))
    assert one.options
    assert (gaps, outside, rich) == (Counterfactuals((), GAPS), Counterfactuals((), OUTSIDE), None)


def test_only_so_many_rows_are_turned_at_a_time(plane, cast, made_subject) -> None:
    subject = made_subject(threat=THREAT)
    with pytest.raises(BadInput) as refused:
        told(plane, cast, subject, *[POOR] * (MOST_TURNED + 1))
    assert refused.value.code == "TP-ASSESS-024"
    assert len(told(plane, cast, subject, *[POOR] * MOST_TURNED)["rows"]) == MOST_TURNED
    for wrong in ([], [{"income": 1.0}], [{**POOR, "debt": 1e300}]):
        with pytest.raises(BadInput):
            told(plane, cast, subject, *wrong)


def test_who_may_not_open_the_model_is_told_nothing(plane, cast, made_subject) -> None:
    subject = made_subject(threat=THREAT)
    for who in ("operator", "owner", "data-steward", "auditor"):
        with pytest.raises(AccessDenied):
            told(plane, cast, subject, POOR, who=who)
