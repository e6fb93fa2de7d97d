"""Policy tests: the built-in cases hold, and a case can fail."""

from dataclasses import replace

import pytest

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.cases import builtin_cases, parse_cases, run_cases
from trustplane.kernel.policy.requests import Principal, Ref
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Passed

CASE = '[[cases]]\nname = "n"\nactions = ["plane.read"]\nexpect = "allow"\nby = ["role-owner"]\nroles = ["owner"]\n'


def test_the_built_in_policies_pass_their_cases(engine):
    failed = [(r.case.name, r.verdict) for r in run_cases(engine, builtin_cases()) if isinstance(r.verdict, Failed)]
    assert failed == []


def test_the_cases_reach_every_action_and_every_policy(engine):
    cases = builtin_cases()
    assert {case.request.action for case in cases} == set(ACTIONS)
    assert {policy for case in cases for policy in case.policies} == {n.id for n in engine.loaded.whole.notes} | {
        "token-scope"
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"allowed": False}, "allowed by role-owner where denied by role-owner was expected"),
        ({"policies": frozenset()}, "allowed by role-owner where allowed by no policy was expected"),
        (
            {"policies": frozenset({"role-owner", "other"})},
            "allowed by role-owner where allowed by other, role-owner was expected",
        ),
    ],
)
def test_a_case_fails_when_the_decision_or_its_policies_differ(engine, change, said):
    (case,) = parse_cases(CASE)
    (good,) = run_cases(engine, [case])
    assert good.verdict == Passed("allowed by role-owner, as expected")
    (bad,) = run_cases(engine, [replace(case, **change)])
    assert isinstance(bad.verdict, Failed)
    assert bad.verdict.reason == said


def test_an_entry_stands_for_each_of_its_actions_over_the_files_defaults():
    text = (
        '[resources.View]\npurpose = "a"\nexpires = 5\ndataset = { Dataset = "d" }\n[contexts."view.open"]\npurpose = "a"\n'
        '[[cases]]\nname = "n"\nkind = "service"\nid = "bot"\nowner = "ann"\nactions = ["view.read", "view.open"]\n'
        'attrs = { expires = 6 }\ncontext = {}\nscopes = ["view.*"]\nnow = 3\nexpect = "deny"\nby = []\n'
    )
    read, opened = parse_cases(text)
    assert [read.name, opened.name] == ["n: view.read", "n: view.open"]
    assert opened.request.principal == Principal("service", "bot", frozenset(), "ann")
    assert opened.request.resource.attrs == {"purpose": "a", "expires": 6, "dataset": Ref("Dataset", "d")}
    assert (opened.request.context, read.request.context) == ({"purpose": "a"}, {})
    assert (opened.request.now, opened.request.scopes) == (3, ("view.*",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[cases", "is not a file of policy cases"),
        ("x = 1", "unknown field `x`"),
        ("", "missing required field `cases`"),
        (CASE + "rolls = []", "unknown field `rolls` - at `$.cases"),
        (CASE.replace("allow", "perhaps"), "perhaps"),
        (CASE.replace("plane.read", "plane.raed"), "did you mean 'plane.read'"),
        (CASE + "attrs = { expires = 1.5 }", "a value of the type float"),
        (CASE + "attrs = { owner = {} }", "a value of the type dict"),
    ],
)
def test_a_file_that_is_not_one_of_cases_is_refused(text, said):
    with pytest.raises(BadInput) as caught:
        parse_cases(text, "mine")
    assert caught.value.code == "TP-POLICY-004"
    assert said in str(caught.value)
