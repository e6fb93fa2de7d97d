"""People, services and roles: who may make, give and take what, and what each leaves in the log."""

import pytest

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.operation import AccessDenied, Idempotency
from trustplane.kernel.target import PLANE
from trustplane.values.errors import BadInput, Conflict, NotFound


def scope(plane):
    with plane.database.read() as session:
        return project_target(find_project(session, "credit"))


def newest(plane, action):
    return next(e for e in plane.ledger.feed(limit=100) if e.leaf.action == action)


def test_making_somebody_is_on_record_without_the_name_or_the_password(plane, owner):
    made = people.create_principal(plane, owner, people.PrincipalSpec("user", "bo", password="correct-horse-bo"))
    event = newest(plane, "principal.create")
    assert made in event.leaf.resource
    assert "correct-horse" not in str(event)
    assert crosscheck.verify(plane).discrepancies == ()


def test_a_name_is_taken_once(plane, owner):
    people.create_principal(plane, owner, people.PrincipalSpec("user", "bo"))
    for kind in ("user", "service"):
        with pytest.raises(Conflict) as told:
            people.create_principal(plane, owner, people.PrincipalSpec(kind, "bo"))
        assert told.value.code == "TP-IDENTITY-006"


@pytest.mark.parametrize("spec", [("user", "Bo"), ("user", ""), ("user", "a/b"), ("robot", "bo"), ("user", "\u202eob")])
def test_bad_names_and_kinds_are_refused(plane, owner, spec):
    with pytest.raises(BadInput):
        people.create_principal(plane, owner, people.PrincipalSpec(*spec))


@pytest.mark.parametrize("role", ["data-steward", "scientist", "reviewer", "operator", "auditor", "consumer"])
def test_none_but_an_owner_governs(plane, cast, role):
    actor = cast[role]
    attempts = (
        lambda: people.create_project(plane, actor, "mine"),
        lambda: people.create_environment(plane, actor, "credit", "mine"),
        lambda: people.grant(plane, actor, actor.id, "owner", scope(plane)),
        lambda: people.grant(plane, actor, actor.id, "owner", PLANE),
        lambda: people.disable_principal(plane, actor, "ada"),
    )
    before = len(plane.ledger.feed(limit=500))
    for attempt in attempts:
        with pytest.raises(AccessDenied):
            attempt()
    denied = plane.ledger.feed(limit=500)[: len(plane.ledger.feed(limit=500)) - before]
    assert [e.leaf.outcome for e in denied] == ["denied"] * len(attempts)


def test_nobody_gives_a_role_to_oneself(plane, cast):
    with pytest.raises(AccessDenied) as told:
        people.grant(plane, cast["owner"], cast["owner"].id, "reviewer", scope(plane))
    assert told.value.policies


def test_a_service_counts_as_its_owner(plane, owner):
    """Who may not give oneself a role may not give it to a service of one's own."""
    people.create_project(plane, owner, "credit")
    app = people.create_principal(plane, owner, people.PrincipalSpec("service", "app"))
    with pytest.raises(AccessDenied):
        people.grant(plane, owner, app, "reviewer", scope(plane))


def test_a_role_is_given_once_and_taken_back(plane, cast, owner):
    bo = people.create_principal(plane, owner, people.PrincipalSpec("user", "bo"))
    binding = people.grant(plane, owner, bo, "auditor", scope(plane))
    with pytest.raises(Conflict):
        people.grant(plane, owner, bo, "auditor", scope(plane))
    assert [b.role for b in plane.stand_in(bo, ("*",)).bindings] == ["auditor"]
    people.revoke(plane, owner, binding)
    assert plane.stand_in(bo, ("*",)).bindings == ()
    with pytest.raises(NotFound):
        people.revoke(plane, owner, binding)
    assert crosscheck.verify(plane).discrepancies == ()


@pytest.mark.parametrize("role", ["admin", "", "Owner", "owner "])
def test_there_are_seven_roles_and_no_other(plane, cast, owner, role):
    with pytest.raises((BadInput, NotFound)):
        people.grant(plane, owner, cast["auditor"].id, role, scope(plane))


def test_a_role_in_one_project_is_none_in_another(plane, cast, owner):
    people.create_project(plane, owner, "other")
    with pytest.raises(AccessDenied):
        people.create_environment(plane, cast["scientist"], "other", "mine")


def test_a_repeated_request_makes_one(plane, owner):
    key = Idempotency("k", "request")
    made = people.create_project(plane, owner, "credit", idempotency=key)
    assert plane.replayed(owner, key) == made
    with pytest.raises(Conflict) as told:
        plane.replayed(owner, Idempotency("k", "another request"))
    assert told.value.code == "TP-IDENTITY-011"


def test_names_nearly_right_are_told(plane, cast):
    with plane.database.read() as session, pytest.raises(NotFound, match="did you mean 'some-auditor'"):
        people.find_principal(session, "some-auditr")


def test_a_job_goes_on_as_its_principal_and_not_once_it_is_disabled(plane, cast, owner):
    from trustplane.values.errors import Denied

    actor = plane.stand_in(cast["scientist"].id, ("run.*",))
    assert actor.scopes == ("run.*", "job.finish")
    people.disable_principal(plane, owner, cast["scientist"].id)
    for who in (cast["scientist"].id, "no-such-principal"):
        with pytest.raises(Denied) as told:
            plane.stand_in(who, ("*",))
        assert told.value.code == "TP-IDENTITY-012"
