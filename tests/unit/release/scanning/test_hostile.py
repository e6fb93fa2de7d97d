"""Every hostile file of the corpus is refused, and each pickle in it really fires."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.corpora import hostile

from trustplane.release.scanning.report import PASSED, facts
from trustplane.release.scanning.scan import scan_paths

SLOW = {"hash-bomb.pkl"}
"""Stopped by its time alone."""
CORPUS = [each for each in hostile.corpus() if each.name not in SLOW]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for each in CORPUS:
        (folder / each.name).write_bytes(each.data)
    found = {Path(s.path).name: facts(s) for s in scan_paths([folder])}
    assert not list(folder.glob("fired*"))
    return found


def test_the_corpus_is_large_and_its_names_are_its_own():
    assert len(CORPUS) >= 150
    assert len({each.name for each in CORPUS}) == len(CORPUS)
    assert sum(bool(each.reader) for each in CORPUS) >= 80


@pytest.mark.parametrize("each", CORPUS, ids=lambda each: each.name)
def test_it_does_not_pass(each, outcomes):
    assert outcomes[each.name]["verdict"] != PASSED
    assert outcomes[each.name]["objections"]


@pytest.mark.parametrize(
    "each", [c for c in CORPUS if c.name.startswith(("calls-", "asks-"))], ids=lambda each: each.name
)
def test_the_name_and_where_it_stands_are_told(each, outcomes):
    first = outcomes[each.name]["objections"][0]
    assert first["subject"].replace(".", "-") in each.name
    assert each.data[first["offset"] :][:1] in (b"c", b"\x93")


@pytest.mark.slow
def test_what_has_a_reader_fires(tmp_path):
    done = subprocess.run(
        [sys.executable, hostile.__file__, str(tmp_path), "--fire"],
        capture_output=True,
        text=True,
        check=True,
        timeout=500,
    )
    fired = dict(line.split("\t") for line in done.stdout.splitlines())
    assert set(fired) == {each.name for each in hostile.corpus() if each.reader}
    assert [name for name, did in fired.items() if did != "True"] == []


@pytest.mark.slow
def test_a_pickle_that_hashes_without_end_is_stopped(tmp_path):
    (bomb,) = [each for each in hostile.corpus() if each.name in SLOW]
    (tmp_path / bomb.name).write_bytes(bomb.data)
    (scanned,) = scan_paths([tmp_path])
    assert [str(o.rule) for o in scanned.judgement.objections] == ["too-much"]
