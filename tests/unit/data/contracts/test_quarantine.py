"""A version that breaks its contract is kept and not used, until somebody lets it out."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from trustplane.data.catalog import find_dataset, find_version
from trustplane.data.classification import confirm
from trustplane.data.contracts.controls import CONTROLS, collect_quarantine, datasets, judge_quarantine
from trustplane.data.contracts.service import contract_of, draft_for, quarantine_of, release_version, set_contract
from trustplane.data.ingestion import ingest
from trustplane.data.tables import DatasetVersion
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.kernel.controls.contract import Scope
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.operation import AccessDenied
from trustplane.values.errors import BadInput, Refused
from trustplane.values.outcomes import Failed, Passed

PURPOSE = "dpv:CustomerSolvencyMonitoring"
CONTRACT = "[columns.age]\nat_least = 18\nat_most = 40\n"
BAD = b"customer_id,email,age,amount\nC1,old@mail.example,99,1.5\nC2,young@mail.example,20,2.5\n"
GOOD = b"customer_id,email,age,amount\nC1,old@mail.example,39,1.5\n"


@pytest.fixture
def steward(cast):
    """The data steward."""
    return cast["data-steward"]


@pytest.fixture
def agreed(plane, steward, clients):
    """The clients, of whom nobody is older than forty from now on."""
    return set_contract(plane, steward, "credit", "clients", CONTRACT)


@pytest.fixture
def broken(plane, steward, spec, agreed):
    """A version that breaks the contract."""
    return ingest(plane, steward, "credit", spec, [BAD])


def usable(plane):
    with plane.database.read() as session:
        return find_version(session, find_dataset(session, find_project(session, "credit").id, "clients")).number


def test_a_version_that_breaks_the_contract_is_kept_and_not_used(plane, cast, steward, broken):
    assert broken.number == 2
    assert usable(plane) == 1
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, broken.version_id)
        report = quarantine_of(session, version).report
    assert report["breaches"] == [{"rule": "at_most 40", "column": "age", "rows": 1, "first": [1]}]
    event = plane.ledger.feed(limit=1)[0]
    assert event.payload["facts"]["quarantined"] is True
    assert "old@" not in json.dumps(event.payload)
    view = ViewSpec("all", "clients", ("age",), PURPOSE, timedelta(days=1))
    for refused in (
        lambda: create_view(plane, steward, "credit", replace(view, number=2)),
        lambda: confirm(plane, steward, "credit", "clients", {}, 2),
    ):
        with pytest.raises(Refused) as caught:
            refused()
        assert caught.value.code == "TP-DATA-121"
    create_view(plane, steward, "credit", view)
    assert sum(b.num_rows for b in open_view(plane, cast["scientist"], "credit", "all").batches) == 500
    verify(plane).require_sound()


def test_it_is_let_out_for_a_reason_once(plane, cast, steward, broken):
    with pytest.raises(AccessDenied):
        release_version(plane, cast["scientist"], "credit", "clients", 2, "please")
    with pytest.raises(BadInput):
        release_version(plane, steward, "credit", "clients", 2, "  ")
    release_version(plane, steward, "credit", "clients", 2, "the age is right: she is 99")
    assert usable(plane) == 2
    for number in (1, 2):
        with pytest.raises(Refused) as caught:
            release_version(plane, steward, "credit", "clients", number, "again")
        assert caught.value.code == "TP-DATA-123"
    verify(plane).require_sound()


def test_what_keeps_the_contract_is_in_use_at_once(plane, steward, spec, broken):
    made = ingest(plane, steward, "credit", spec, [GOOD])
    assert usable(plane) == made.number == 3


def test_what_is_appended_is_checked_with_all_before_it(plane, steward, spec, agreed):
    made = ingest(plane, steward, "credit", replace(spec, append=True), [GOOD])
    with plane.database.read() as session:
        report = quarantine_of(session, session.get_one(DatasetVersion, made.version_id)).report
    assert report["breaches"][0]["rows"] > 100
    again = ingest(plane, steward, "credit", replace(spec, append=True), [GOOD])
    with plane.database.read() as session:
        assert session.get_one(DatasetVersion, again.version_id).rows == 501, "appended to what is in use"


def test_the_draft_is_kept_by_its_version(plane, steward, clients, spec, csv):
    with plane.database.read() as session:
        text = draft_for(session, find_dataset(session, find_project(session, "credit").id, "clients"))
    set_contract(plane, steward, "credit", "clients", text)
    made = ingest(plane, steward, "credit", spec, [csv()])
    with plane.database.read() as session:
        assert quarantine_of(session, session.get_one(DatasetVersion, made.version_id)) is None
        assert contract_of(session, find_dataset(session, find_project(session, "credit").id, "clients")).text == text


def test_a_contract_is_written_by_those_who_answer_for_the_data(plane, cast, steward, agreed):
    for role in ("scientist", "auditor", "reviewer"):
        with pytest.raises(AccessDenied):
            set_contract(plane, cast[role], "credit", "clients", "")
    with pytest.raises(Refused):
        set_contract(plane, steward, "credit", "clients", CONTRACT)
    for wrong in ('[columns.age]\nmatches = "x"', '[[rules]]\nname = "a"\nwhere = "nothing > 1"'):
        with pytest.raises(BadInput):
            set_contract(plane, steward, "credit", "clients", wrong)


def test_the_control_tells_who_waits(plane, steward, clients, spec):
    [control] = CONTROLS
    assert control.id == "TP-DAT-09"

    def judged():
        with plane.database.read() as session:
            subjects = datasets(session, Scope(find_project(session, "credit").id, plane.clock.now()))
            return [judge_quarantine(collect_quarantine(session, s)) for s in subjects]

    assert judged() == []
    set_contract(plane, steward, "credit", "clients", CONTRACT)
    assert [type(v) for v in judged()] == [Passed]
    ingest(plane, steward, "credit", spec, [BAD])
    assert [type(v) for v in judged()] == [Failed]
    release_version(plane, steward, "credit", "clients", 2, "it is right")
    assert [type(v) for v in judged()] == [Passed]
