"""Token scopes limit, and can only be narrowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.requests import account
from trustplane.kernel.policy.scopes import POLICY, actions_of, outside_scopes, parse_scopes
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Denial

SCOPES = st.lists(
    st.sampled_from(["*", "*.read", "dataset.*", "model.*", "token.*", "token.issue", "dataset.read", "run.start"]),
    min_size=1,
)


@pytest.mark.parametrize(
    ("scope", "some", "none"),
    [
        ("*", ["plane.read", "key.destroy"], []),
        ("dataset.*", ["dataset.read", "dataset.erase"], ["model.read"]),
        ("*.read", ["dataset.read", "decision.read"], ["run.open"]),
        ("run.start", ["run.start"], ["run.start-unsandboxed", "run.read"]),
        ("run.start*", ["run.start", "run.start-unsandboxed"], ["run.read"]),
    ],
)
def test_what_a_scope_reaches(scope, some, none):
    reached = actions_of((scope,))
    assert set(some) <= reached
    assert reached.isdisjoint(none)


def test_scopes_are_kept_sorted_and_once():
    assert parse_scopes(["model.read", "dataset.*", "model.read"]) == ("dataset.*", "model.read")


@pytest.mark.parametrize(
    "scope", ["dataset.raed", "", "DATASET.READ", "dataset.rea?", "[d]ataset.read", "dataset", "* "]
)
def test_a_scope_that_reaches_nothing_is_refused(scope):
    with pytest.raises(BadInput, match="TP-POLICY-007"):
        parse_scopes(["model.read", scope])


def test_a_misspelt_scope_names_the_nearest_and_no_scope_is_refused():
    with pytest.raises(BadInput, match=r"did you mean 'dataset\.read'"):
        parse_scopes(["dataset.raed"])
    with pytest.raises(BadInput, match="TP-POLICY-007"):
        parse_scopes([])


@given(SCOPES, st.sampled_from(sorted(ACTIONS)))
def test_what_a_scope_does_not_reach_is_denied_whatever_the_role(world, engine, scopes, action):
    decision = engine.decide(
        world.ask(action, "owner", "operator", "reviewer", "scientist", "data-steward", scopes=tuple(scopes))
    )
    if action not in actions_of(tuple(scopes)):
        assert decision.policies == (POLICY,)
    elif action != "token.issue":
        assert decision == engine.decide(
            world.ask(action, "owner", "operator", "reviewer", "scientist", "data-steward")
        )


@given(SCOPES, SCOPES)
def test_a_token_issues_only_what_it_could_do_itself(world, engine, held, asked):
    request = world.ask(
        "token.issue", attrs={"owner": account("kim")}, context={"scopes": tuple(asked)}, scopes=tuple(held)
    )
    decision = engine.decide(request)
    narrower = actions_of(tuple(asked)) <= actions_of(tuple(held))
    assert (decision.policies == ("own-account",)) == (narrower and "token.issue" in actions_of(tuple(held)))
    assert (decision.policies == (POLICY,)) == (not narrower or "token.issue" not in actions_of(tuple(held)))


def test_a_session_is_not_limited(ask):
    assert outside_scopes(ask("key.rotate")) is None
    assert isinstance(outside_scopes(ask("key.rotate", scopes=())), Denial)
