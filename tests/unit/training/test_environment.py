"""What is recorded of the interpreter and of the working tree."""

import hashlib
import platform
from importlib.metadata import version

import pytest

from trustplane.training.environment import checked_git, environment_facts, installed
from trustplane.values.errors import BadInput

COMMIT = "0123456789abcdef" * 2 + "01234567"


def test_every_installed_distribution_is_named_once_in_its_normal_form() -> None:
    found = installed()
    assert list(found) == sorted(set(found))
    assert f"sqlalchemy=={version('SQLAlchemy')}" in found
    assert not any("_" in line.partition("==")[0] for line in found)


def test_the_lock_is_the_digest_over_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = environment_facts()
    assert facts["lock"] == f"sha256:{hashlib.sha256(chr(10).join(installed()).encode()).hexdigest()}"
    assert facts["packages"] == len(installed())
    assert facts["python"] == platform.python_version()
    monkeypatch.setattr("trustplane.training.environment.distributions", list)
    assert environment_facts()["lock"] != facts["lock"]


@pytest.mark.parametrize("commit", [COMMIT, COMMIT + "0" * 24])
def test_a_commit_and_whether_it_is_dirty_are_kept(commit: str) -> None:
    assert checked_git({"commit": commit, "dirty": True}) == {"commit": commit, "dirty": True}
    assert checked_git({}) == {}


@pytest.mark.parametrize(
    "state",
    [
        {"commit": COMMIT},
        {"commit": COMMIT[:12], "dirty": False},
        {"commit": COMMIT.upper(), "dirty": False},
        {"commit": COMMIT + "\n", "dirty": False},
        {"commit": COMMIT, "dirty": "no"},
        {"commit": COMMIT, "dirty": 0},
        {"commit": None, "dirty": False},
        {"commit": COMMIT, "dirty": False, "remote": "https://user:sesame@example.org/x"},
    ],
)
def test_anything_else_of_the_working_tree_is_refused_and_not_repeated(state: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        checked_git(state)
    assert caught.value.code == "TP-RUN-012"
    assert "sesame" not in str(caught.value.problem())
