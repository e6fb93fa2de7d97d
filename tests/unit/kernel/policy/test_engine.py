"""The decision point: decisions name their policies, forbids win, and whatever cannot be evaluated is denied."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.engine import FAILED, build, builtin
from trustplane.kernel.policy.loading import schema
from trustplane.kernel.policy.requests import Principal, Ref, account, entities_of, query_of
from trustplane.kernel.policy.roles import ROLES
from trustplane.kernel.policy.sources import Source, builtin_sources
from trustplane.values.outcomes import Allowed, Denial

EVERYTHING = '@id("everything") permit (principal, action, resource);'


def test_an_allowed_request_names_every_permit(ask, engine):
    assert engine.decide(ask("model.read", "owner", "reviewer")) == Allowed(("role-owner", "role-reviewer"))


def test_a_forbidden_request_names_the_forbids_and_what_would_be_accepted(ask, engine):
    denial = engine.decide(ask("model.approve", who=Principal("user", "ann", frozenset({"reviewer"}))))
    assert denial == Denial(
        "model.approve is forbidden by sod-judge-own-model: ask a reviewer other than the author",
        ("sod-judge-own-model",),
    )


def test_a_request_that_no_policy_permits_says_so(ask, engine):
    assert engine.decide(ask("model.approve", "scientist", "consumer")) == Denial(
        "no policy permits model.approve on a ModelVersion to a user with the role consumer or scientist there"
    )
    assert "with no role there" in engine.decide(ask("model.approve")).reason


@pytest.mark.parametrize(
    ("action", "attrs", "context", "said"),
    [
        ("view.open", {"expires": "soon"}, {}, "wrong type of value in 'expires'"),
        ("view.open", {"expires": 1.5}, {}, "value of the type float"),
        ("view.open", {"expires": 1 << 70}, {}, "not what the schema says"),
        ("view.open", {"dataset": Ref("View", "v")}, {}, "wrong type of value in 'dataset'"),
        ("view.open", {"more": True}, {}, "unknown attribute 'more'"),
        ("view.open", {}, {"more": True}, "unknown attribute 'more'"),
        ("view.open", {}, {"purpose": 5}, "not what the schema says"),
        ("view.open", {"purpose": "\ud800"}, {}, "not what the schema says"),
        ("deployment.create", {}, {"approvers": (account("rob"), "rob")}, "not what the schema says"),
        ("deployment.create", {}, {"approved": "yes"}, "not what the schema says"),
    ],
)
def test_a_request_that_does_not_fit_the_schema_is_denied_even_to_a_role_that_may(
    ask, engine, action, attrs, context, said
):
    denial = engine.decide(ask(action, "scientist", "operator", "data-steward", attrs=attrs, context=context))
    assert isinstance(denial, Denial)
    assert denial.policies == (FAILED,)
    assert said in denial.reason


@pytest.mark.parametrize("missing", ["purpose", "expires", "dataset"])
def test_a_missing_attribute_is_denied_and_named(ask, engine, missing):
    request = ask("view.open", "scientist")
    request.resource.attrs.pop(missing)
    assert engine.decide(request) == Denial(
        f"the request does not fit the policy schema: missing attribute '{missing}'", (FAILED,)
    )


@pytest.mark.parametrize(
    "who",
    [
        Principal("robot", "r"),
        Principal("user", "kim", frozenset({"king"})),
        Principal("Role", "owner", frozenset({"owner"})),
    ],
)
def test_an_unknown_kind_of_principal_or_role_is_denied(ask, engine, who):
    assert engine.decide(ask("model.read", who=who)).policies == (FAILED,)


def test_an_id_that_is_not_unicode_is_denied(ask, engine):
    denial = engine.decide(ask("model.read", who=Principal("user", "\ud800", frozenset({"owner"}))))
    assert denial == Denial("the request does not fit the policy schema: text that is not Unicode", (FAILED,))


def test_an_unknown_action_is_denied_and_the_nearest_named(ask, engine):
    request = ask("dataset.read", "owner")
    object.__setattr__(request, "action", "dataset.reed")
    denial = engine.decide(request)
    assert denial.policies == (FAILED,)
    assert "did you mean 'dataset.read'" in denial.reason


def test_a_refusal_repeats_no_value_of_the_request(ask, engine):
    secret = "kim@example.org"
    for attrs, context in (({"dataset": secret}, {}), ({"expires": secret}, {}), ({}, {"purpose": (secret,)})):
        assert secret not in engine.decide(ask("view.open", "scientist", attrs=attrs, context=context)).reason


def test_an_error_in_any_policy_denies_even_where_others_permit(ask, engine):
    overflowing = '@id("adds") forbid (principal, action == Action::"view.open", resource) when { context.now + resource.expires < 0 };'
    extended = engine.with_extra(overflowing)
    request = ask("view.open", "scientist", attrs={"expires": (1 << 63) - 1})
    assert isinstance(engine.decide(request), Allowed)
    assert extended.decide(request) == Denial("the request cannot be decided: evaluating adds failed", (FAILED,))


def test_ids_are_never_read_as_policy(ask, engine):
    who = Principal("user", 'kim", Role::"owner"] // \n', frozenset({"scientist"}))
    assert engine.decide(ask("plane.configure", who=who)).policies == ()
    assert engine.decide(ask("model.read", who=who)) == Allowed(("role-scientist",))


def test_a_workspaces_own_policies_add_permits_and_forbids(ask, engine):
    extended = engine.with_extra(
        '@id("ours") permit (principal, action == Action::"model.open", resource) when { principal in Role::"auditor" };\n'
        '@id("freeze") @advice("wait for the thaw") forbid (principal, action in Action::"write", resource is Environment);'
    )
    assert extended.decide(ask("model.open", "auditor")) == Allowed(("ours",))
    assert (
        extended.decide(ask("deployment.create", "operator")).reason
        == "deployment.create is forbidden by freeze: wait for the thaw"
    )
    assert engine.decide(ask("model.open", "auditor")).policies == ()


def test_a_policy_that_permits_everything_gives_back_nothing_that_a_forbid_takes(ask, engine):
    extended = engine.with_extra(EVERYTHING)
    ann = Principal("user", "ann", frozenset(ROLES) - {"auditor"})
    production = {"production": True}
    for request, policy in (
        (ask("model.approve", who=ann), "sod-judge-own-model"),
        (ask("waiver.grant", who=ann), "sod-waive-own"),
        (ask("deployment.create", who=ann, attrs=production), "sod-deploy-own"),
        (ask("policy.accept", who=ann), "sod-accept-own-policy"),
        (ask("binding.grant", who=ann), "sod-grant-self"),
        (ask("view.open", "owner", context={"purpose": "Marketing"}), "purpose-view-open"),
        (ask("view.create", "owner", context={"purpose": "Marketing"}), "purpose-view-create"),
        (ask("dataset.erase", "owner", attrs={"held": True}), "legal-hold"),
        (ask("deployment.create", "owner", attrs=production), "production-operator-creates"),
        (ask("deployment.load", "owner", attrs=production), "production-operator-loads"),
        (ask("deployment.infer", "owner", attrs=production), "production-inference"),
        (ask("run.start-unsandboxed", "scientist"), "unsandboxed-owner"),
        (ask("project.create", "auditor"), "sod-auditor-changes-nothing"),
    ):
        assert extended.decide(request).policies == (policy,)
        assert isinstance(extended.decide(request), Denial)


def test_who_may_use_which_profile_is_a_planes_own_policy(ask):
    """The policy of docs/how-to/runs.md."""
    page = (Path(__file__).parents[4] / "docs/how-to/runs.md").read_text("utf-8")
    own = page.partition("```text\n")[2].partition("```")[0]
    engine = build((*builtin_sources(), Source("own", own)))
    for profile, role, allowed in (
        ("strict", "scientist", True),
        ("research", "scientist", False),
        ("gpu", "scientist", False),
        ("gpu", "owner", True),
    ):
        decision = engine.decide(ask("run.start", role, context={"profile": profile}))
        assert isinstance(decision, Allowed) == allowed, (profile, role)


def test_without_policies_everything_is_denied(ask):
    nothing = build((Source("empty", "// nothing\n"),))
    assert all(isinstance(nothing.decide(ask(action, *ROLES)), Denial) for action in ACTIONS)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(ACTIONS)),
    st.frozensets(st.sampled_from(ROLES)),
    st.sampled_from(["user", "service"]),
    st.sampled_from(["kim", "ann", "rob"]),
    st.booleans(),
    st.sampled_from(["", "CreditChecking", "Marketing"]),
)
def test_the_policies_chosen_for_an_action_decide_as_the_whole_set_does(
    world, engine, action, roles, kind, who, flag, text
):
    flags = {"production": flag} if ACTIONS[action].resource in {"Environment", "Deployment"} else {}
    words = {
        "view.create": "purpose",
        "view.request": "purpose",
        "view.open": "purpose",
        "view.measure": "purpose",
        "run.start-unsandboxed": "reason",
    }
    context = {words[action]: text} if action in words else {}
    request = world.ask(action, who=Principal(kind, who, roles), attrs=flags, context=context)
    whole = cedarpy.is_authorized(query_of(request), engine.loaded.whole.policies, entities_of(request), schema())
    decision = engine.decide(request)
    assert isinstance(decision, Allowed) == whole.allowed
    assert sorted(whole.diagnostics.id_annotations_by_reason.values()) == list(decision.policies)


def test_threads_share_an_engine(ask, engine):
    requests = [
        ask(action, role) for action in ("model.read", "model.approve", "view.open", "dataset.erase") for role in ROLES
    ] * 5
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(engine.decide, requests)) == [engine.decide(request) for request in requests]


def test_the_built_in_engine_is_parsed_once():
    assert builtin() is builtin()
