"""``trustplane threat``: drafts from a file, and what is wrong with one."""

import random

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
