"""``trustplane threat``: drafts from a file, and what is wrong with one."""

import json
import random
import tomllib
from contextlib import nullcontext
from types import SimpleNamespace

import pytest


@pytest.fixture
def loans(tmp_path):
    dice = random.Random(1)
    lines = [(p := dice.randrange(0, 50), p + dice.randrange(0, 5), dice.random() < 0.3) for _ in range(200)]
    file = tmp_path / "loans.csv"
    text = "\n".join(f"{p},{o},{p + o},{int(bad)}" for p, o, bad in lines)
    file.write_text(f"paid,owed,all of it,bad\n{text}\n")
    return file


def test_a_draft_is_a_file_to_own(call, loans, tmp_path) -> None:
    drafted = call("threat", "draft", loans, "--label", "bad", "--fixed", "owed", "--knowledge", "labels")
    assert drafted.code == 0
    assert "paid <= owed" in drafted.out
    assert "draft = true" in drafted.out
    (tmp_path / "t.toml").write_text(drafted.out)
    checked = call("threat", "check", tmp_path / "t.toml", "--table", loans)
    assert checked.code == 0
    assert "a draft of 3 features, 2 of them mutable" in checked.out
    loans.write_text(loans.read_text() + "9,2,11,0\n")
    ruled_out = call("threat", "check", tmp_path / "t.toml", "--table", loans)
    assert ruled_out.code == 1
    assert "1 of 201 rows" in ruled_out.out


def test_what_is_wrong_is_said(call, loans, tmp_path) -> None:
    (tmp_path / "t.toml").write_text("budget = { distance = -1 }\nfeatures = { a = { kind = 1 } }\n")
    wrong = call("threat", "check", tmp_path / "t.toml")
    assert wrong.code == 2
    assert "TP-RUN-040" in wrong.err
    assert call("threat", "draft", tmp_path / "none.csv").code == 2
    assert call("threat", "draft", loans, "--knowledge", "all").code == 2
    assert call("threat", "draft", loans, "--label", "worse").code == 2


def test_a_draft_may_be_for_the_features_of_a_model(call, loans, monkeypatch) -> None:
    class Project:
        class models:
            @staticmethod
            def version(name):
                said = {"default-risk": [{"name": "owed"}, {"name": "paid"}], "foreign": [{"name": "age"}], "bare": []}
                return SimpleNamespace(interface={"features": said[name]})

    monkeypatch.setattr("trustplane.cli.threat.working", lambda: nullcontext((None, Project)))
    drafted = call("threat", "draft", loans, "--model", "default-risk")
    assert drafted.code == 0
    assert list(tomllib.loads(drafted.out)["features"]) == ["owed", "paid"]
    assert "paid <= owed" in drafted.out
    other = call("threat", "draft", loans, "--model", "foreign")
    assert other.code == 2
    assert "TP-RUN-042" in other.err
    assert "does not name its features" in call("threat", "draft", loans, "--model", "bare").err


THREAT = """
name = "what a client can say otherwise"
budget = { distance = 0.5 }
features.income = { mutable = false }
features.debt = { low = 0, high = 10, direction = "down" }
"""


@pytest.fixture
def as_scientist(call, steward):
    """``eve`` trains in the project ``credit``, and is logged in."""
    assert call("-u", "ada", "user", "create", "eve", "--password", TRUSTPLANE_NEW_PASSWORD="correct-horse").code == 0
    assert call("-u", "ada", "-p", "credit", "user", "grant", "eve", "scientist").code == 0
    assert call("login", "eve", TRUSTPLANE_PASSWORD="correct-horse").code == 0


def test_a_project_keeps_versions_that_can_be_listed_shown_and_compared(call, as_scientist, tmp_path) -> None:
    file = tmp_path / "threat.toml"
    assert "the project keeps no threat model" in call("threat", "list").out
    file.write_text(THREAT)
    first = call("threat", "keep", file, "--name", "credit")
    assert first.code == 0
    assert "credit@1: a threat model of 2 features, 1 of them mutable" in first.out
    assert "it was kept before" in call("threat", "keep", file, "-n", "credit").out
    file.write_text(THREAT.replace("0.5", "0.7").replace('direction = "down"', "cost = 2"))
    second = json.loads(call("threat", "keep", file, "-n", "credit", "--json").out)
    assert (second["number"], second["new"]) == (2, True)
    assert "credit@2" in call("threat", "list").out
    assert [t["name"] for t in json.loads(call("threat", "list", "--json").out)["items"]] == ["credit"]
    assert call("threat", "show", "credit@1").out.strip() == THREAT.strip()
    assert json.loads(call("threat", "show", "credit", "--json").out)["text"] == file.read_text()
    compared = call("threat", "compare", "credit@1", "credit@2")
    assert compared.code == 0
    rows = [" ".join(line.split()) for line in compared.out.splitlines()]
    assert rows[0] == "what of it credit@1 credit@2 the attacker can do"
    assert "budget distance 0.5 0.7 more" in rows
    assert "feature debt direction down any more" in rows
    assert "feature debt cost 1 2 less" in rows
    assert len(json.loads(call("threat", "compare", "credit@1", "credit@2", "--json").out)["differences"]) == 3
    assert "credit@1 and credit@1 mean the same" in call("threat", "compare", "credit@1", "credit@1").out
    shown = call("threat", "show", "credit@1")
    (tmp_path / "again.toml").write_text(shown.out)
    assert call("threat", "check", tmp_path / "again.toml").code == 0


def test_what_is_wrong_with_keeping_is_said(call, as_scientist, tmp_path) -> None:
    file = tmp_path / "threat.toml"
    file.write_text(THREAT)
    assert call("threat", "keep", file).code == 2
    assert "TP-VALUE-001" in call("threat", "keep", file, "-n", "No Name").err
    assert call("-u", "ada", "threat", "keep", file, "-n", "credit").code == 4
    missing = call("threat", "show", "credit")
    assert missing.code == 2
    assert "TP-RUN-055" in missing.err
    assert "TP-RUN-054" in call("threat", "compare", "credit@one", "credit").err
    file.write_bytes(b"\xff\xfe")
    assert "is no UTF-8 text" in call("threat", "keep", file, "-n", "credit").err
    none = call("assess", "risk", "--threat", tmp_path / "none.toml")
    assert none.code == 2
    assert "there is no file" in none.err
    assert call("threat", "list", "--json").out.count("credit") == 0
