"""The list of actions and the Cedar schema say the same."""

import json

import cedarpy
import pytest

from trustplane.kernel.policy.actions import ACTIONS, Kind
from trustplane.kernel.policy.engine import FAILED
from trustplane.kernel.policy.loading import schema
from trustplane.kernel.policy.sources import schema_text

TYPES = sorted({kind for action in ACTIONS.values() for kind in action.resources})


def test_the_schema_has_exactly_these_actions_each_in_the_group_of_its_kind():
    entities = json.loads(str(cedarpy.Entities.from_json_str("[]", schema())))
    groups = {e["uid"]["id"]: [p["id"] for p in e["parents"]] for e in entities}
    kinds = [kind.value for kind in Kind]
    assert {name: found for name, found in groups.items() if name not in kinds} == {
        name: [action.kind.value] for name, action in ACTIONS.items()
    }
    assert all(groups[kind] == [] for kind in kinds)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_done_to_the_types_it_names_and_to_no_other(name, ask, engine):
    for kind in TYPES:
        denial = engine.decide(ask(name, on=kind))
        fits = denial.policies != (FAILED,)
        assert fits == (kind in ACTIONS[name].resources), (kind, denial)


def test_names_are_a_noun_and_a_verb():
    for name, action in ACTIONS.items():
        assert name == action.name
        noun, dot, verb = name.partition(".")
        assert noun.isalpha()
        assert dot
        assert verb.replace("-", "").isalpha()


def test_only_changes_of_state_wait_for_a_receipt():
    assert {a.kind for a in ACTIONS.values() if a.assured} == {Kind.WRITE}
    assert {a.name for a in ACTIONS.values() if a.assured} == {
        "key.destroy", "policy.accept", "dataset.erase", "decision.erase", "model.approve", "waiver.grant", "deployment.create", "deployment.retire",
    }  # fmt: skip


def test_a_verb_that_reads_metadata_is_not_recorded_and_every_other_is():
    for name, action in ACTIONS.items():
        if name in {"decision.read", "report.read"}:
            assert action.kind is Kind.OPEN  # it opens the inputs of decisions about people, or an encrypted report
        elif name.endswith(".read"):
            assert action.kind is Kind.READ
        else:
            assert action.kind is not Kind.READ


def test_every_context_carries_the_moment():
    declared = [line for line in schema_text().splitlines() if line.startswith("type ")]
    assert len(declared) == 9
    assert all("{ now: Long" in line for line in declared)
    used = {line.rpartition("context: ")[2].strip(" };") for line in schema_text().splitlines() if "appliesTo" in line}
    assert used <= {line.split()[1] for line in declared}
