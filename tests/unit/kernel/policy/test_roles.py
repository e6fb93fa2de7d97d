"""Effective roles: a binding holds at its scope and below, never above or beside."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.policy.roles import ROLES, check_role, effective_roles
from trustplane.values.errors import BadInput


@dataclass(frozen=True)
class Bound:
    role: str
    scope_kind: str
    scope_id: str


IDS = st.sampled_from(["a", "b", "plane"])
BINDINGS = st.lists(
    st.builds(Bound, st.sampled_from(ROLES), st.sampled_from(["plane", "project", "environment"]), IDS), max_size=6
)
PLACES = st.fixed_dictionaries({"project": st.none() | IDS, "environment": st.none() | IDS})


@pytest.mark.parametrize(
    ("kind", "where", "project", "environment", "holds"),
    [
        ("plane", "plane", None, None, True),
        ("plane", "plane", "p", "e", True),
        ("project", "p", "p", None, True),
        ("project", "p", "p", "e", True),
        ("project", "p", "q", "e", False),
        ("project", "p", None, None, False),
        ("environment", "e", "p", "e", True),
        ("environment", "e", "p", "f", False),
        ("environment", "e", "p", None, False),
        ("environment", "p", "p", None, False),
        ("project", "e", "p", "e", False),
    ],
)
def test_where_a_binding_holds(kind, where, project, environment, holds):
    assert effective_roles([Bound("owner", kind, where)], project=project, environment=environment) == (
        {"owner"} if holds else set()
    )


@given(BINDINGS, BINDINGS, PLACES)
def test_bindings_add_up(some, others, place):
    assert effective_roles(some + others, **place) == effective_roles(some, **place) | effective_roles(others, **place)


@given(BINDINGS, IDS, IDS)
def test_what_holds_above_holds_below(bindings, project, environment):
    plane = effective_roles(bindings, project=None, environment=None)
    within = effective_roles(bindings, project=project, environment=None)
    assert plane <= within <= effective_roles(bindings, project=project, environment=environment)


@given(BINDINGS)
def test_on_the_plane_only_the_planes_bindings_hold(bindings):
    assert effective_roles(bindings, project=None, environment=None) == {
        b.role for b in bindings if b.scope_kind == "plane"
    }


def test_an_unknown_role_names_the_nearest():
    with pytest.raises(BadInput, match="TP-POLICY-005 there is no role 'reviwer': did you mean 'reviewer'"):
        check_role("reviwer")
    with pytest.raises(BadInput, match="TP-POLICY-005"):
        effective_roles([Bound("king", "plane", "plane")], project=None, environment=None)


def test_an_unknown_scope_is_refused_and_not_passed_over():
    with pytest.raises(BadInput, match="TP-POLICY-006 there is no scope of the kind 'projct': did you mean 'project'"):
        effective_roles([Bound("owner", "projct", "p")], project="p", environment=None)
