"""The reference is made from the code and leaves nothing out."""

import importlib.util
import re
from pathlib import Path

import pytest

from trustplane.cli.main import COMMANDS
from trustplane.compliance.mappings import frameworks
from trustplane.kernel.controls.registry import registered
from trustplane.kernel.policy.actions import ACTIONS
from trustplane.values.errors import catalogue

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page(maker):
    return "\n".join(maker())


def test_every_error_command_action_and_control_is_there(reference):
    assert all(f"## {code}\n" in page(reference.errors) for code in catalogue())
    assert all(f"### trustplane {name}\n" in page(reference.cli) for name in COMMANDS)
    assert all(f"| `{name}` |" in page(reference.actions) for name in ACTIONS)
    assert all(control.id in page(reference.controls) for control in registered())
    assert all(framework.title in page(reference.controls) for framework in frameworks())


def test_every_recogniser_is_there(reference):
    from trustplane.data.presets import GDPR_9, HIPAA
    from trustplane.data.recognisers.registry import installed_recognisers

    told = page(reference.recognisers)
    entities = {each.descriptor.entity for each in installed_recognisers()} - {"QUASI_IDENTIFIER", "SPECIAL_CATEGORY"}
    assert len(entities) > 80
    assert {entity for entity in entities if f"| `{entity}` |" not in told} == set()
    assert all(f"`hipaa-safe-harbor:{letter}`" in told for letter in HIPAA)
    assert all(f"`gdpr-art9:{name}`" in told for name in GDPR_9)


def test_every_variable_that_the_code_reads_is_there(reference):
    told = page(reference.settings)
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r"\bTRUSTPLANE_[A-Z][A-Z_]*[A-Z]\b", path.read_text("utf-8")))
    assert read
    assert {name for name in read if f"`{name}`" not in told} == set()


def test_every_route_is_there(reference):
    from trustplane.api.app import create_app

    told = page(reference.api)
    for path, methods in create_app(Path("none")).openapi()["paths"].items():
        for method in methods:
            assert f"| {method.upper()} | `{path}` |" in told


def test_every_page_is_in_the_navigation():
    listed = (ROOT / "mkdocs.yml").read_text("utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        name = str(path.relative_to(ROOT / "docs"))
        assert name in listed or name.startswith("decisions/0"), name
