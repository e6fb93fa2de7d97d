"""The form that a request takes for Cedar."""

import json

import pytest

from trustplane.kernel.policy.requests import Principal, Ref, account, entities_of, query_of


def test_the_slice_is_the_principal_and_the_resource_alone(ask):
    principal, resource = entities_of(ask("model.read", "reviewer", "auditor"))
    assert principal == {
        "uid": {"type": "User", "id": "kim"},
        "attrs": {},
        "parents": [
            {"type": "Role", "id": "auditor"},
            {"type": "Role", "id": "reviewer"},
            {"type": "Account", "id": "kim"},
        ],
    }
    assert resource["uid"] == {"type": "ModelVersion", "id": "it"}
    assert resource["attrs"]["author"] == {"type": "Account", "id": "ann"}


def test_a_service_is_in_its_account_and_in_that_of_who_answers_for_it(ask):
    principal, _ = entities_of(ask("model.read", who=Principal("service", "bot", owner="kim")))
    assert principal["uid"] == {"type": "Service", "id": "bot"}
    assert principal["parents"] == [{"type": "Account", "id": "bot"}, {"type": "Account", "id": "kim"}]


@pytest.mark.parametrize(
    ("principal", "answerable"),
    [
        (Principal("user", "kim"), "kim"),
        (Principal("service", "bot"), "bot"),
        (Principal("service", "bot", owner="kim"), "kim"),
    ],
)
def test_who_answers_for_what_a_principal_does(principal, answerable):
    assert principal.answerable == account(answerable) == Ref("Account", answerable)


def test_sets_are_written_in_one_order_so_that_equal_slices_are_equal_texts(ask):
    attrs = [{"approvers": tuple(account(n) for n in names)} for names in ("abc", "cba")]
    one, other = (json.dumps(entities_of(ask("model.read", attrs=a))) for a in attrs)
    assert one == other


def test_the_context_always_carries_the_moment_of_the_request(ask, world):
    assert json.loads(query_of(ask("model.read", context={"now": 5}))["context"]) == {"now": world.now}


def test_a_value_that_policy_cannot_read_is_refused(ask):
    with pytest.raises(TypeError, match="type float"):
        entities_of(ask("view.open", attrs={"expires": 1.5}))
