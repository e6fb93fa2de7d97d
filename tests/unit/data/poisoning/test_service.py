"""Looks are kept with the version, and people settle what was found."""

from dataclasses import replace

import pytest

from trustplane.data.classification import confirm
from trustplane.data.ingestion import ingest
from trustplane.data.poisoning.controls import CONTROLS, collect_looks, datasets, judge_looks
from trustplane.data.poisoning.service import look_of, settle_look
from trustplane.data.tables import DatasetVersion
from trustplane.kernel.controls.contract import Scope
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.operation import AccessDenied
from trustplane.values.errors import BadInput, Refused
from trustplane.values.outcomes import Failed, Passed


@pytest.fixture
def steward(cast):
    return cast["data-steward"]


@pytest.fixture
def poisoned(csv):
    """The rows of ``csv``, of which some hundred in the middle have amounts that nobody has."""
    lines = csv(3000).decode().splitlines()
    lines[1001:1101] = [line.rsplit(",", 1)[0] + ",99999999.5" for line in lines[1001:1101]]
    return ("\n".join(lines) + "\n").encode()


def report_of(plane, made):
    with plane.database.read() as session:
        held = look_of(session, session.get_one(DatasetVersion, made.version_id))
        return None if held is None else held.report


def test_every_version_is_looked_at_and_the_event_counts_the_signs(plane, steward, clients, spec, poisoned):
    assert report_of(plane, clients)["found"] == 0
    made = ingest(plane, steward, "credit", spec, [poisoned])
    report = report_of(plane, made)
    assert {(s["look"], s["column"]) for s in report["signs"]} >= {("blocks", "amount")}
    event = next(e for e in plane.ledger.feed(limit=3) if e.leaf.action == "dataset.ingest")
    facts = plane.ledger.get(event.leaf.id).payload["facts"]
    assert facts["signs"]["blocks"] == 1
    assert "99999999" not in str(report) + str(facts)


def test_appended_rows_alone_are_looked_at(plane, steward, clients, spec, csv):
    made = ingest(plane, steward, "credit", replace(spec, append=True), [csv(200)])
    assert report_of(plane, made)["new_from"] == 501


def test_the_label_of_the_last_version_is_that_of_the_next(plane, steward, spec, csv):
    lines = csv(600).decode().splitlines()
    rows = [lines[0] + ",bad", *(f"{line},{'yes' if n % 3 else 'no'}" for n, line in enumerate(lines[1:]))]
    data = ("\n".join(rows) + "\n").encode()
    first = ingest(plane, steward, "credit", replace(spec, label="bad"), [data])
    again = ingest(plane, steward, "credit", spec, [data])
    assert report_of(plane, first)["label"] == report_of(plane, again)["label"] == "bad"
    assert report_of(plane, again)["figures"]["labels"]["rows"] == 600
    with pytest.raises(BadInput) as told:
        ingest(plane, steward, "credit", replace(spec, label="bat"), [data])
    assert told.value.code == "TP-DATA-033"
    assert "'bad'" in str(told.value)


def test_signs_are_settled_once_for_a_reason_by_who_answers_for_the_data(plane, cast, steward, spec, poisoned, csv):
    made = ingest(plane, steward, "credit", spec, [poisoned])
    with pytest.raises(BadInput):
        settle_look(plane, steward, "credit", "clients", 1, "  ")
    with pytest.raises(AccessDenied):
        settle_look(plane, cast["scientist"], "credit", "clients", 1, "they are right")
    settle_look(plane, steward, "credit", "clients", 1, "a merger of two books")
    with plane.database.read() as session:
        held = look_of(session, session.get_one(DatasetVersion, made.version_id))
    assert (held.settled_by, held.reason) == (steward.id, "a merger of two books")
    calm = ingest(plane, steward, "credit", replace(spec, name="calm"), [csv()])
    for dataset in ("clients", "calm"):
        with pytest.raises(Refused) as told:
            settle_look(plane, steward, "credit", dataset, 1, "again")
        assert told.value.code == "TP-DATA-125"
    assert calm.number == 1
    verify(plane).require_sound()


def test_the_control_fails_until_signs_are_settled(plane, steward, spec, poisoned):
    [control] = CONTROLS
    assert control.id == "TP-DAT-10"

    def judged():
        with plane.database.read() as session:
            subjects = datasets(session, Scope(find_project(session, "credit").id, plane.clock.now()))
            return [judge_looks(collect_looks(session, s)) for s in subjects]

    assert judged() == []
    ingest(plane, steward, "credit", spec, [poisoned])
    [told] = judged()
    assert isinstance(told, Failed)
    assert "version 1" in told.reason
    confirm(plane, steward, "credit", "clients", {"amount": "special"})
    assert [type(v) for v in judged()] == [Failed], "encrypting anew settles nothing"
    settle_look(plane, steward, "credit", "clients", 1, "they are right")
    assert [type(v) for v in judged()] == [Passed]
