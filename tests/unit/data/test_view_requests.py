"""Asking for a view, and what is decided."""

from datetime import timedelta

import pytest

from trustplane.data.tables import View, ViewRequest
from trustplane.data.view_limits import Limits
from trustplane.data.view_requests import ask_for_view, grant_view, refuse_view
from trustplane.data.views import ViewSpec, open_view
from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.operation import AccessDenied
from trustplane.values.errors import BadInput, Conflict, Denied, NotFound, Refused

PURPOSE = "dpv:CustomerSolvencyMonitoring"
WISH = ViewSpec("ages", "clients", ("age",), PURPOSE, timedelta(days=9), limits=Limits(sample=30))


@pytest.fixture
def asked(plane, cast, clients):
    """The scientist asks for ages."""
    return ask_for_view(plane, cast["scientist"], "credit", WISH, "a chart")


def request(plane, made):
    with plane.database.read() as session:
        return session.get_one(ViewRequest, made)


def test_a_view_is_asked_for_and_granted(plane, cast, asked):
    made = grant_view(plane, cast["data-steward"], "credit", asked, "for the chart", days=2)
    row = request(plane, asked)
    assert (row.state, row.view_id, row.answer) == ("granted", made, "for the chart")
    with plane.database.read() as session:
        view = session.get_one(View, made)
    assert view.expires - view.created == timedelta(days=2)
    assert sum(b.num_rows for b in open_view(plane, cast["scientist"], "credit", "ages").batches) == 30
    with pytest.raises((Refused, Conflict)):
        grant_view(plane, cast["data-steward"], "credit", asked)
    verify(plane).require_sound()


def test_a_view_is_refused_for_a_reason(plane, cast, asked):
    with pytest.raises(BadInput):
        refuse_view(plane, cast["data-steward"], "credit", asked, " ")
    refuse_view(plane, cast["data-steward"], "credit", asked, "ages are not needed for this")
    assert request(plane, asked).state == "refused"
    for decide in (
        lambda: refuse_view(plane, cast["data-steward"], "credit", asked, "again"),
        lambda: grant_view(plane, cast["data-steward"], "credit", asked),
    ):
        with pytest.raises(Refused) as caught:
            decide()
        assert caught.value.code == "TP-DATA-047"
    with plane.database.read() as session:
        assert session.query(View).count() == 0, "a refused grant leaves no view"
    verify(plane).require_sound()


def test_nobody_decides_on_their_own_wish(plane, cast, owner, clients):
    both = people.create_principal(plane, owner, people.PrincipalSpec("user", "both"))
    with plane.database.read() as session:
        scope = project_target(find_project(session, "credit"))
    for role in ("scientist", "data-steward"):
        people.grant(plane, owner, both, role, scope)
    actor = plane.stand_in(both, ("*",))
    made = ask_for_view(plane, actor, "credit", WISH, "a chart")
    for decide in (
        lambda: grant_view(plane, actor, "credit", made),
        lambda: refuse_view(plane, actor, "credit", made, "no"),
    ):
        with pytest.raises(Denied) as caught:
            decide()
        assert caught.value.code == "TP-DATA-048"
    assert request(plane, made).state == "waiting"


def test_who_may_ask_and_decide(plane, cast, asked):
    for role in ("auditor", "operator", "consumer", "data-steward"):
        with pytest.raises(AccessDenied):
            ask_for_view(plane, cast[role], "credit", WISH, "please")
    for role in ("scientist", "reviewer", "owner"):
        with pytest.raises(AccessDenied):
            grant_view(plane, cast[role], "credit", asked)
        with pytest.raises(AccessDenied):
            refuse_view(plane, cast[role], "credit", asked, "no")


@pytest.mark.parametrize(
    ("wish", "reason", "error"),
    [
        (WISH, " ", BadInput),
        (ViewSpec("x", "clients", ("nothing",), PURPOSE, timedelta(days=1)), "y", BadInput),
        (ViewSpec("x", "clients", ("age",), "dpv:ServiceProvision", timedelta(days=1)), "y", AccessDenied),
        (ViewSpec("x", "nobody", ("age",), PURPOSE, timedelta(days=1)), "y", NotFound),
        (ViewSpec("x", "clients", ("age",), PURPOSE, timedelta(days=999)), "y", BadInput),
    ],
)
def test_wishes_that_are_refused_at_once(plane, cast, clients, wish, reason, error):
    with pytest.raises(error):
        ask_for_view(plane, cast["scientist"], "credit", wish, reason)


def test_a_request_that_is_not_there(plane, cast, clients):
    with pytest.raises(NotFound):
        grant_view(plane, cast["data-steward"], "credit", "nothing")
