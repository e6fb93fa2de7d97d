"""Sandboxes are found by entry point and checked when they are loaded."""

from importlib.metadata import EntryPoint

import pytest

from trustplane.training.sandboxes import registry
from trustplane.training.sandboxes.registry import GROUP, loaded, open_sandbox
from trustplane.training.sandboxes.sandlock import SandlockSandbox
from trustplane.values.errors import NotFound, Unavailable

HERE = "trustplane.training.sandboxes.sandlock"


def test_a_sandbox_is_built_from_its_entry_point() -> None:
    assert loaded(EntryPoint("sandlock", f"{HERE}:SandlockSandbox", GROUP)) == SandlockSandbox()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sandlock", "trustplane.no_such_module:Thing"),
        ("sandlock", f"{HERE}:NoSuchClass"),
        ("other-name", f"{HERE}:SandlockSandbox"),
        ("dict", "builtins:dict"),
    ],
)
def test_a_plug_in_that_does_not_keep_the_contract_is_named(name: str, value: str) -> None:
    with pytest.raises(Unavailable, match=name) as caught:
        loaded(EntryPoint(name, value, GROUP))
    assert caught.value.code == "TP-RUN-009"


def test_an_unknown_name_gets_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("sandlock", f"{HERE}:SandlockSandbox", GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    with pytest.raises(NotFound) as caught:
        open_sandbox("sandlok")
    assert caught.value.code == "TP-RUN-008"
    assert "'sandlock'" in caught.value.fix
    assert open_sandbox("sandlock").descriptor.name == "sandlock"
