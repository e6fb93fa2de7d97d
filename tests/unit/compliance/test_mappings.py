"""Every clause that a framework names is one of the law or the standard, and every control is mapped."""

import json
import re
from pathlib import Path

import pytest

from trustplane.compliance.mappings import clauses_by_control, frameworks
from trustplane.kernel.controls.registry import registered

SOURCES = json.loads((Path(__file__).parents[2] / "vectors" / "frameworks.json").read_text("utf-8"))
EVERY = {framework.id: framework for framework in frameworks()}


def exists(framework, clause):
    """Whether the source has the clause: an article, a paragraph of it, a point of that."""
    held = SOURCES[framework]
    if isinstance(held, list):
        return clause in held
    form = re.fullmatch(r"([0-9]+)(?:\(([0-9]+)\))?(?:\(([a-z])\))?", clause)
    if form is None:
        return False
    article, paragraph, point = form.groups()
    if article not in held:
        return False
    if paragraph is not None and paragraph not in held[article]:
        return False
    return point is None or point in held[article].get(paragraph or "0", [])


def test_the_three_frameworks_are_there():
    assert set(EVERY) >= {"gdpr", "eu-ai-act", "nist-ai-rmf"}


@pytest.mark.parametrize("framework", ["gdpr", "eu-ai-act", "nist-ai-rmf"])
def test_every_clause_is_one_of_the_source(framework):
    assert [clause for clause in EVERY[framework].clauses if not exists(framework, clause)] == []
    assert not exists(framework, "999(9)")


@pytest.mark.parametrize("framework", ["gdpr", "eu-ai-act", "nist-ai-rmf"])
def test_every_mapping_names_a_registered_control_and_every_clause_has_one(framework):
    ids = {control.id for control in registered()}
    assert EVERY[framework].controls.keys() <= ids
    assert all(EVERY[framework].controls_of(clause) for clause in EVERY[framework].clauses)


def test_at_least_twelve_controls_each_answer_to_something():
    mapped = clauses_by_control()
    controls = registered()
    assert len(controls) >= 12
    assert [control.id for control in controls if control.id not in mapped] == []
    assert {control.stage for control in controls} >= {
        "kernel", "data", "training", "assessment", "release", "serving", "monitoring",
    }  # fmt: skip


@pytest.mark.parametrize("control", registered(), ids=lambda control: control.id)
def test_each_control_says_what_it_asks_and_what_to_do(control):
    assert re.fullmatch(r"TP-[A-Z]{3}-[0-9]{2}", control.id)
    assert control.question.endswith("?")
    assert control.remedy
