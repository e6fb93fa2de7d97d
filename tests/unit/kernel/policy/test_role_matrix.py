"""The role matrix: what each role alone may do when nothing else stands in the way, as `role_matrix.csv` states it.

``yes`` everywhere, ``staging`` outside production only, ``-`` never.
"""

import csv
from pathlib import Path

import pytest

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.roles import ROLES
from trustplane.values.outcomes import Allowed

with Path(__file__).with_name("role_matrix.csv").open(encoding="utf-8", newline="") as _file:
    MATRIX = list(csv.DictReader(_file))


def test_the_matrix_has_every_action_and_every_role():
    assert [row["action"] for row in MATRIX] == list(ACTIONS)
    assert all(list(row) == ["action", *ROLES] for row in MATRIX)
    assert {row[role] for row in MATRIX for role in ROLES} == {"yes", "staging", "-"}


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row["action"])
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_matrix_says(row, role, ask, engine):
    action = ACTIONS[row["action"]]
    for kind in action.resources:
        for production in (False, True):
            at = {"production": production} if kind in {"Environment", "Deployment"} else {}
            decision = engine.decide(ask(action.name, role, on=kind, attrs=at))
            expected = row[role] == "yes" or (row[role] == "staging" and not at.get("production", False))
            assert isinstance(decision, Allowed) == expected, decision
            assert decision.policies == (f"role-{role}",) or not expected


def test_no_role_alone_may_both_make_a_model_and_judge_it():
    may = {role: {row["action"] for row in MATRIX if row[role] == "yes"} for role in ROLES}
    for role in ROLES:
        assert not {"model.register", "model.approve"} <= may[role]
        assert not {"model.approve", "deployment.create"} <= may[role]
        assert not {"waiver.request", "waiver.grant"} <= may[role]
