"""Waivers: asked by one person, granted by another, for one control of one version, until a date."""

from datetime import timedelta

import pytest

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.operation import AccessDenied
from trustplane.release.approval import approve
from trustplane.release.gate import look, waived_controls
from trustplane.release.signing import sign_version
from trustplane.release.waivers import LONGEST, find_waiver, grant_waiver, request_waiver
from trustplane.values.clock import FixedClock
from trustplane.values.errors import BadInput, Conflict, NotFound, Refused
from trustplane.values.findings import Status
from trustplane.values.outcomes import Failed, Passed

CONTROLS = ("TP-ASM-01", "TP-ASM-02")
WEEK = timedelta(days=7)


@pytest.fixture
def clock(plane):
    """The plane's clock, which stands still from now on."""
    plane.clock = FixedClock(plane.clock.now())
    return plane.clock


@pytest.fixture
def signed(plane, cast, made_version, fetch):
    """A version that only lacks its assessment."""
    version = made_version()
    sign_version(plane, cast["scientist"], version)
    return fetch(version)


def gate(plane, version):
    with plane.database.read() as session:
        return look(session, version, plane.clock.now())


def waived(plane, version):
    with plane.database.read() as session:
        return waived_controls(session, version.id, plane.clock.now())


def test_granted_waivers_open_the_gate_until_they_expire(plane, cast, clock, signed):
    asked = [request_waiver(plane, cast["scientist"], signed, c, "labels come in May", WEEK) for c in CONTROLS]
    assert waived(plane, signed) == set()
    assert isinstance(gate(plane, signed).verdict, Failed)
    for waiver in asked:
        assert grant_waiver(plane, cast["reviewer"], waiver).startswith("c2sp.org/tlog-proof@v1\n")
    result = gate(plane, signed)
    assert isinstance(result.verdict, Passed)
    assert {f.control for f in result.findings if f.status is Status.WAIVED} == set(CONTROLS)
    assert all(c in result.verdict.reason for c in CONTROLS)
    clock.advance(seconds=WEEK.total_seconds() - 1)
    assert waived(plane, signed) == set(CONTROLS)
    clock.advance(seconds=1)
    assert waived(plane, signed) == set()
    with pytest.raises(Refused) as caught:
        approve(plane, cast["reviewer"], signed, "it was waived once")
    assert {b["control"] for b in caught.value.facts["blocking"]} == set(CONTROLS)


def test_a_waived_gate_lets_a_reviewer_approve_and_the_record_says_what_was_waived(plane, cast, signed, newest):
    for control in CONTROLS:
        grant_waiver(plane, cast["owner"], request_waiver(plane, cast["scientist"], signed, control, "pilot", WEEK))
    approve(plane, cast["reviewer"], signed, "for the pilot")
    assert all(c in newest("model.approve").payload["facts"]["gate"] for c in CONTROLS)


def test_a_waiver_excuses_one_control_of_one_version(plane, cast, signed, made_version):
    other = made_version()
    grant_waiver(plane, cast["reviewer"], request_waiver(plane, cast["scientist"], signed, "TP-ASM-01", "pilot", WEEK))
    assert {f.control for f in gate(plane, signed).blocking} == {"TP-ASM-02"}
    assert waived(plane, other) == set()


def test_who_asked_or_made_the_model_does_not_grant(plane, cast, owner, signed, person):
    with plane.database.read() as session:
        scope = project_target(find_project(session, "credit"))
    author, asker = cast["scientist"], person("asker", "scientist")
    for actor in (author, asker):
        people.grant(plane, owner, actor.id, "reviewer", scope)
    author, asker = (plane.stand_in(a.id, ("*",)) for a in (author, asker))
    waiver = request_waiver(plane, asker, signed, "TP-ASM-01", "pilot", WEEK)
    for actor in (author, asker):
        with pytest.raises(AccessDenied) as caught:
            grant_waiver(plane, actor, waiver)
        assert caught.value.policies == ("sod-waive-own",)
    assert waived(plane, signed) == set()


def test_roles_without_the_right_neither_ask_nor_grant(plane, cast, signed, newest):
    waiver = request_waiver(plane, cast["scientist"], signed, "TP-ASM-01", "pilot", WEEK)
    for role in cast.keys() - {"scientist"}:
        with pytest.raises(AccessDenied):
            request_waiver(plane, cast[role], signed, "TP-ASM-01", "pilot", WEEK)
        assert newest().leaf.outcome == "denied"
    for role in cast.keys() - {"owner", "reviewer"}:
        with pytest.raises(AccessDenied):
            grant_waiver(plane, cast[role], waiver)
    assert waived(plane, signed) == set()


def test_a_waiver_needs_a_reason_a_control_of_the_gate_and_a_life_within_bounds(plane, cast, signed):
    moment = timedelta(microseconds=1)
    wrong = (
        ("TP-ASM-01", " \n", WEEK, "TP-GATE-003"),
        ("TP-ASM-1", "pilot", WEEK, "TP-GATE-006"),
        ("TP-REL-02", "pilot", WEEK, "TP-GATE-006"),
        ("", "pilot", WEEK, "TP-GATE-006"),
        ("TP-ASM-01", "pilot", timedelta(0), "TP-GATE-007"),
        ("TP-ASM-01", "pilot", -WEEK, "TP-GATE-007"),
        ("TP-ASM-01", "pilot", timedelta(hours=1) - moment, "TP-GATE-007"),
        ("TP-ASM-01", "pilot", LONGEST + moment, "TP-GATE-007"),
    )
    for control, reason, life, code in wrong:
        with pytest.raises(BadInput) as caught:
            request_waiver(plane, cast["scientist"], signed, control, reason, life)
        assert caught.value.code == code
    for life in (timedelta(hours=1), LONGEST):
        assert request_waiver(plane, cast["scientist"], signed, "TP-ASM-01", "pilot", life)


def test_a_control_that_is_misspelt_is_answered_with_the_nearest(plane, cast, signed):
    with pytest.raises(BadInput) as caught:
        request_waiver(plane, cast["scientist"], signed, "TP-ASM-001", "pilot", WEEK)
    assert "TP-ASM-01" in caught.value.why


def test_a_waiver_is_granted_once(plane, cast, signed):
    waiver = request_waiver(plane, cast["scientist"], signed, "TP-ASM-01", "pilot", WEEK)
    grant_waiver(plane, cast["reviewer"], waiver)
    with pytest.raises(Conflict) as caught:
        grant_waiver(plane, cast["owner"], waiver)
    assert caught.value.code == "TP-GATE-004"
    with plane.database.read() as session:
        assert find_waiver(session, waiver).granted_by == cast["reviewer"].id


def test_an_unknown_waiver_is_not_granted(plane, cast):
    for unknown in ("", "no-such-waiver", "x" * 10_000):
        with pytest.raises(NotFound) as caught:
            grant_waiver(plane, cast["reviewer"], unknown)
        assert caught.value.code == "TP-GATE-005"
        assert len(str(caught.value)) < 200


def test_the_reason_stays_out_of_the_log(plane, cast, signed, newest):
    waiver = request_waiver(plane, cast["scientist"], signed, "TP-ASM-01", "Erika asked for it", WEEK)
    grant_waiver(plane, cast["reviewer"], waiver)
    for action in ("waiver.request", "waiver.grant"):
        assert "Erika" not in str(newest(action).payload)


def test_granting_after_the_end_opens_nothing(plane, cast, clock, signed):
    waiver = request_waiver(plane, cast["scientist"], signed, "TP-ASM-01", "pilot", timedelta(hours=1))
    clock.advance(hours=2)
    grant_waiver(plane, cast["reviewer"], waiver)
    assert waived(plane, signed) == set()
