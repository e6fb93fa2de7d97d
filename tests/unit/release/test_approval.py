"""Approving and rejecting: by somebody else than the author, with a reason, and through the gate as it is at that moment."""

import pytest
from sqlalchemy import select

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.operation import AccessDenied
from trustplane.release.approval import approve, reject
from trustplane.release.catalog import approvers_of
from trustplane.release.tables import Approval, ModelVersion
from trustplane.values.errors import BadInput, Conflict, Refused, Tampered


def decisions(plane, version) -> list[tuple[str, str, str]]:
    with plane.database.read() as session:
        rows = session.scalars(select(Approval).where(Approval.model_version_id == version.id).order_by(Approval.id))
        return [(r.reviewer_id, r.decision, r.reason) for r in rows]


@pytest.fixture
def also(plane, owner):
    """Give somebody who has a role in the project another one."""

    def grant(actor, role):
        with plane.database.read() as session:
            scope = project_target(find_project(session, "credit"))
        people.grant(plane, owner, actor.id, role, scope)
        return plane.stand_in(actor.id, ("*",))

    return grant


def test_somebody_else_than_the_author_approves(plane, cast, ready, fetch, newest):
    reviewer = cast["reviewer"]
    receipt = approve(plane, reviewer, ready, "  sound on every slice ")
    assert receipt.startswith("c2sp.org/tlog-proof@v1\n")
    assert f"\n{plane.workspace.origin}\n" in receipt
    assert fetch(ready).status == "approved"
    assert decisions(plane, ready) == [(reviewer.id, "approved", "sound on every slice")]
    with plane.database.read() as session:
        assert approvers_of(session, ready.id) == {reviewer.id}
    event = newest("model.approve")
    assert event.payload["refers"]["model"] == ready.sha256
    assert event.payload["decision"]["policies"] == ["role-reviewer"]
    assert "sound" not in str(event.payload)


def test_the_author_does_not_approve_whatever_their_role(plane, cast, ready, fetch, also, newest):
    author = also(cast["scientist"], "reviewer")
    for decide in (approve, reject):
        with pytest.raises(AccessDenied) as caught:
            decide(plane, author, ready, "mine is good")
        assert caught.value.policies == ("sod-judge-own-model",)
        assert caught.value.facts == {"policies": ["sod-judge-own-model"]}
        assert "ask a reviewer other than the author" in caught.value.why
        assert newest().payload["decision"]["policies"] == ["sod-judge-own-model"]
    assert (fetch(ready).status, decisions(plane, ready)) == ("candidate", [])


def test_a_service_of_the_author_does_not_approve_and_no_service_does(plane, cast, owner, ready, also):
    for answerable, expected in ((cast["scientist"], "sod-judge-own-model"), (cast["reviewer"], "judged-by-a-person")):
        spec = people.PrincipalSpec("service", f"robot-of-{answerable.name}", owner_id=answerable.id)
        robot = also(plane.stand_in(people.create_principal(plane, owner, spec), ("*",)), "reviewer")
        with pytest.raises(AccessDenied) as caught:
            approve(plane, robot, ready, "computed")
        assert expected in caught.value.policies


def test_a_role_without_the_right_does_not_approve(plane, cast, ready, fetch, newest):
    for role in cast.keys() - {"reviewer"}:
        with pytest.raises(AccessDenied) as caught:
            approve(plane, cast[role], ready, "fine")
        assert caught.value.code == "TP-POLICY-020"
        assert newest().leaf.outcome == "denied"
    assert (fetch(ready).status, decisions(plane, ready)) == ("candidate", [])


def test_a_token_without_the_scope_does_not_approve(plane, cast, ready):
    limited = plane.stand_in(cast["reviewer"].id, ("model.read",))
    with pytest.raises(AccessDenied) as caught:
        approve(plane, limited, ready, "fine")
    assert caught.value.policies == ("token-scope",)


def test_a_closed_gate_refuses_and_names_every_control_that_holds_back(plane, cast, made_version, fetch, newest):
    version = made_version()
    with pytest.raises(Refused) as caught:
        approve(plane, cast["reviewer"], version, "fine")
    assert caught.value.code == "TP-GATE-001"
    blocking = {b["control"]: b for b in caught.value.facts["blocking"]}
    assert blocking.keys() == {"TP-REL-01", "TP-ASM-01", "TP-ASM-02"}
    for control, held in blocking.items():
        assert control in caught.value.why
        assert held["reason"]
        assert held["remedy"] in caught.value.fix
    event = newest("model.approve")
    assert (event.leaf.outcome, event.payload["facts"]["code"]) == ("refused", "TP-GATE-001")
    assert set(event.payload["facts"]["blocking"]) == blocking.keys()
    assert (fetch(version).status, decisions(plane, version)) == ("candidate", [])


def test_what_the_gate_said_before_does_not_count(plane, cast, ready, assessed, fetch):
    assessed(ready, "failed")
    with pytest.raises(Refused) as caught:
        approve(plane, cast["reviewer"], ready, "it was open an hour ago")
    assert {b["control"] for b in caught.value.facts["blocking"]} == {"TP-ASM-01", "TP-ASM-02"}


def test_a_forged_signature_stops_the_approval(plane, cast, ready, made_version, fetch):
    changes = (
        {"sha256": "sha256:" + "3" * 64},
        {"interface": {**ready.interface, "features": []}},
        {"signature": {**ready.signature, "signatures": []}},
    )
    for change in changes:
        kept = {name: getattr(ready, name) for name in change}
        for columns, expected in ((change, Tampered), (kept, None)):
            with plane.database.write() as session:
                row = session.get_one(ModelVersion, ready.id)
                for name, value in columns.items():
                    setattr(row, name, value)
            if expected is not None:
                with pytest.raises(expected) as caught:
                    approve(plane, cast["reviewer"], ready, "fine")
                assert caught.value.code == "TP-RELEASE-008"
    assert fetch(ready).status == "candidate"
    approve(plane, cast["reviewer"], ready, "fine")


def test_a_decision_needs_its_reason(plane, cast, ready, fetch):
    for decide in (approve, reject):
        for reason in ("", " ", "\n\t", "\u2003"):
            with pytest.raises(BadInput) as caught:
                decide(plane, cast["reviewer"], ready, reason)
            assert caught.value.code == "TP-GATE-003"
    assert (fetch(ready).status, decisions(plane, ready)) == ("candidate", [])


def test_a_reason_of_any_script_and_length_is_kept_up_to_its_bound(plane, cast, ready):
    approve(plane, cast["reviewer"], ready, "審査済み\U0001f9ee" * 500)
    ((_, _, kept),) = decisions(plane, ready)
    assert len(kept) == 2000
    assert kept.startswith("審査済み\U0001f9ee")


def test_a_rejection_is_final(plane, cast, ready, fetch, person):
    reject(plane, cast["reviewer"], ready, "unfair in a slice")
    assert fetch(ready).status == "rejected"
    for actor in (cast["reviewer"], person("second", "reviewer")):
        with pytest.raises(Refused) as caught:
            approve(plane, actor, ready, "on second thought")
        assert caught.value.code == "TP-GATE-002"
    assert fetch(ready).status == "rejected"


def test_an_approved_version_can_still_be_rejected_and_its_approver_counts_no_more(plane, cast, ready, fetch):
    approve(plane, cast["reviewer"], ready, "fine")
    reject(plane, cast["reviewer"], ready, "a defect came to light")
    assert fetch(ready).status == "rejected"
    assert decisions(plane, ready) == [(cast["reviewer"].id, "rejected", "a defect came to light")]
    with plane.database.read() as session:
        assert approvers_of(session, ready.id) == set()


def test_nobody_approves_twice_and_two_reviewers_both_count(plane, cast, ready, person):
    second = person("second", "reviewer")
    approve(plane, cast["reviewer"], ready, "fine")
    with pytest.raises(Conflict) as caught:
        approve(plane, cast["reviewer"], ready, "fine again")
    assert caught.value.code == "TP-GATE-004"
    approve(plane, second, ready, "fine by me too")
    with plane.database.read() as session:
        assert approvers_of(session, ready.id) == {cast["reviewer"].id, second.id}
