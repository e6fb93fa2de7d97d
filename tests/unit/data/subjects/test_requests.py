"""Requests: their states, their clocks, and what is kept of the person."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from trustplane.data.blind_index import Identifier
from trustplane.data.subjects.erasure import search
from trustplane.data.subjects.law import months_after
from trustplane.data.subjects.requests import (
    RequestSpec,
    answer_request,
    extend_time,
    open_request,
    refuse_request,
    verify_identity,
)
from trustplane.data.tables import SubjectRequest
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.tables import LedgerEvent
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.clock import FixedClock
from trustplane.values.errors import BadInput, Denied, NotFound, Refused


def row_of(plane, request):
    with plane.database.read() as session:
        return session.get_one(SubjectRequest, request)


def test_a_request_goes_its_way_and_forgets_the_person(plane, steward, asked):
    request = asked("access", "person7@mail.example")
    row = row_of(plane, request)
    assert (row.state, row.kind, row.law) == ("verified", "access", "eu-gdpr")
    assert row.due == months_after(row.received, 1)
    assert b"person7" not in row.sealed
    answer_request(plane, steward, "credit", request, "sent by registered mail")
    row = row_of(plane, request)
    assert (row.state, row.sealed) == ("answered", None)
    with plane.database.read() as session:
        assert session.get_one(VaultKey, row.key_id).wrapped is None
        told = b"".join(e for row in session.execute(select(LedgerEvent.leaf, LedgerEvent.payload)) for e in row if e)
    assert b"person7" not in told
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


def test_nothing_happens_before_the_person_is_identified(plane, steward, asked):
    request = asked(verified=False)
    for attempt in (
        lambda: search(plane, steward, "credit", request),
        lambda: answer_request(plane, steward, "credit", request, "done"),
    ):
        with pytest.raises(Refused) as told:
            attempt()
        assert told.value.code == "TP-DATA-073"


def test_the_time_is_extended_once_within_the_month_on_a_ground(plane, steward, asked):
    request = asked()
    received = row_of(plane, request).received
    with pytest.raises(BadInput):
        extend_time(plane, steward, "credit", request, "because")
    due = extend_time(plane, steward, "credit", request, "JustificationA12Complexity")
    assert due == months_after(received, 3)
    with pytest.raises(Refused):
        extend_time(plane, steward, "credit", request, "JustificationA12Complexity")
    late = asked()
    plane.clock = FixedClock(plane.clock.now() + timedelta(days=40))
    with pytest.raises(Refused, match="month is over"):
        extend_time(plane, steward, "credit", late, "JustificationA12Complexity")


def test_a_refusal_names_its_ground_and_ends_it(plane, steward, asked):
    request = asked("erasure")
    with pytest.raises(BadInput):
        refuse_request(plane, steward, "credit", request, "we do not want to", "no")
    refuse_request(plane, steward, "credit", request, "JustificationA17LegalClaims", "the claim is in court")
    row = row_of(plane, request)
    assert (row.state, row.ground, row.sealed) == ("refused", "eu-gdpr:JustificationA17LegalClaims", None)
    with pytest.raises(Refused):
        verify_identity(plane, steward, "credit", request, "again")


@pytest.mark.parametrize("values", [(), ("",), ("  ", "-"), ("x" * 501,), tuple(str(n) for n in range(101))])
def test_a_request_without_a_usable_name_is_refused(plane, steward, clients, values):
    with pytest.raises(BadInput) as told:
        open_request(plane, steward, "credit", RequestSpec("access", tuple(Identifier(v) for v in values)))
    assert told.value.code == "TP-DATA-072"


@pytest.mark.parametrize("days", [-400, 1])
def test_when_it_was_received_is_plausible(plane, steward, clients, days):
    received = plane.clock.now() + timedelta(days=days)
    with pytest.raises(BadInput):
        open_request(plane, steward, "credit", RequestSpec("access", (Identifier("C00001"),), received))


@pytest.mark.parametrize("role", ["scientist", "reviewer", "operator", "auditor", "consumer"])
def test_others_take_no_requests(plane, cast, clients, role):
    with pytest.raises(Denied):
        open_request(plane, cast[role], "credit", RequestSpec("access", (Identifier("C00001"),)))


def test_a_request_of_another_project_is_not_found(plane, owner, steward, asked):
    from trustplane.kernel.identity.principals import create_project

    create_project(plane, owner, "other")
    with pytest.raises(NotFound):
        verify_identity(plane, owner, "other", asked(verified=False), "x")


def test_a_search_counts_rows_and_leaves_an_event(plane, steward, asked, clients):
    found = search(plane, steward, "credit", asked("access", "C00007", "person8@mail.example")).datasets
    assert found == {clients.dataset_id: {"versions": {clients.version_id: 2}}}
    event = next(e for e in plane.ledger.feed(limit=5) if e.leaf.action == "request.search")
    assert event.leaf.outcome == "done"
    assert search(plane, steward, "credit", asked("access", "nobody@mail.example")).datasets == {}
