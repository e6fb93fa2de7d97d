"""Why, and who could."""

from trustplane.kernel.policy.explain import explain
from trustplane.kernel.policy.requests import Principal
from trustplane.values.outcomes import Allowed, Denial


def test_an_author_learns_that_no_role_of_theirs_would_do_and_whose_would(ask, engine):
    ann = Principal("user", "ann", frozenset({"reviewer"}))
    explanation = explain(engine, ask("model.approve", who=ann))
    assert isinstance(explanation.decision, Denial)
    assert [note.id for note in explanation.deciding] == ["sod-judge-own-model"]
    assert explanation.own_roles == ()
    assert explanation.other_roles == ("reviewer",)
    assert explanation.lines() == (
        "model.approve on ModelVersion it: denied, model.approve is forbidden by sod-judge-own-model: ask a reviewer other than the author",
        f"forbid sod-judge-own-model (rules/separation.cedar line {explanation.deciding[0].line})",
        "roles that would let this user do it: none",
        "roles that would let another person do it: reviewer",
    )


def test_a_missing_role_is_found(ask, engine):
    explanation = explain(engine, ask("waiver.grant", "scientist"))
    assert explanation.deciding == ()
    assert explanation.own_roles == explanation.other_roles == ("owner", "reviewer")


def test_the_roles_depend_on_the_resource(ask, engine):
    staging, production = (
        explain(engine, ask("decision.read", attrs={"production": p})).own_roles for p in (False, True)
    )
    assert staging == ("scientist", "reviewer", "operator", "auditor")
    assert production == ("reviewer", "operator", "auditor")


def test_a_service_learns_that_people_judge(ask, engine):
    explanation = explain(engine, ask("policy.accept", who=Principal("service", "bot", frozenset({"owner"}))))
    assert explanation.own_roles == ()
    assert explanation.other_roles == ("owner", "reviewer")


def test_an_allowed_request_names_its_permits_and_a_narrow_token_hides_no_role(ask, engine):
    explanation = explain(engine, ask("model.read", "reviewer"))
    assert isinstance(explanation.decision, Allowed)
    assert explanation.lines()[:2] == (
        "model.read on ModelVersion it: allowed",
        f"permit role-reviewer (rules/roles/reviewer.cedar line {explanation.deciding[0].line})",
    )
    narrow = explain(engine, ask("model.read", "reviewer", scopes=("dataset.read",)))
    assert narrow.decision.policies == ("token-scope",)
    assert narrow.own_roles == explanation.own_roles
