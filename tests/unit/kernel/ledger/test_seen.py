"""The file of seen checkpoints keeps what was put in, and says so where it was damaged."""

import json
import os
import stat

import pytest

from trustplane.kernel.ledger import seen
from trustplane.values.errors import BadInput, Unavailable


def test_notes_come_back_in_order_and_once_each(tmp_path):
    file = tmp_path / "new" / "seen.jsonl"
    assert seen.load(file) == []
    for note in ("one\n\n\u2014 a b\n", "two", "one\n\n\u2014 a b\n"):
        seen.save(file, note)
    assert seen.load(file) == ["one\n\n\u2014 a b\n", "two"]
    assert [json.loads(line) for line in file.read_text().splitlines()] == seen.load(file)


def test_the_file_is_its_owners_alone(tmp_path):
    before = os.umask(0)
    try:
        seen.save(tmp_path / "seen", "one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "seen").stat().st_mode) == 0o600


def test_a_line_that_a_crash_cut_short_is_passed_over_and_replaced(tmp_path):
    file = tmp_path / "seen"
    seen.save(file, "one")
    for cut in (b'"tw', b'"'):
        file.write_bytes(b'"one"\n' + cut)
        assert seen.load(file) == ["one"]
    seen.save(file, "two")
    assert file.read_bytes() == b'"one"\n"two"\n'


@pytest.mark.parametrize("line", [b"no json", b"17", b"\xff"])
def test_a_damaged_line_is_named(tmp_path, line):
    file = tmp_path / "seen"
    file.write_bytes(b'"one"\n' + line + b"\n")
    with pytest.raises(BadInput, match="TP-LEDGER-030 line 2 of"):
        seen.load(file)
    with pytest.raises(BadInput, match="TP-LEDGER-030"):
        seen.save(file, "two")


def test_a_place_that_cannot_be_used_is_said(tmp_path):
    with pytest.raises(Unavailable, match="TP-LEDGER-031"):
        seen.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="TP-LEDGER-031"):
        seen.save(tmp_path / "file" / "seen", "one")
