"""Plug-ins are found by entry point, and what cannot be loaded is named."""

from importlib.metadata import EntryPoint

import pytest

from trustplane.kernel import plugins
from trustplane.values.errors import NotFound, Unavailable


def test_every_built_in_can_be_loaded():
    for kind in (
        "keystores",
        "sandboxes",
        "recognisers",
        "checks",
        "formats",
        "runtimes",
        "controls",
        "frameworks",
        "tables",
        "jobs",
        "mounts",
    ):
        assert plugins.group(kind), kind
        for entry in plugins.group(kind):
            assert plugins.load(entry) is not None


@pytest.mark.parametrize("value", ["no.such.module:Thing", "trustplane.kernel.plugins:NoSuchThing"])
def test_one_that_cannot_be_loaded_is_named(value):
    with pytest.raises(Unavailable) as told:
        plugins.load(EntryPoint("mine", value, "trustplane.checks"))
    assert told.value.code == "TP-PLANE-003"
    assert "'mine'" in told.value.what


def test_one_that_is_not_there_is_named():
    with pytest.raises(NotFound) as told:
        plugins.load_named("keystores", "key-fiel")
    assert told.value.code == "TP-PLANE-004"
    assert "'key-file'" in told.value.why
