"""What a job uses, and when it is too much."""

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.sandboxes.contract import Ended, Limits
from trustplane.training.sandboxes.usage import Usage, judge, measure_output

LIMITS = Limits()
ENDS = {
    "memory_bytes": Ended.MEMORY,
    "output_bytes": Ended.DISK,
    "output_files": Ended.DISK,
    "processes": Ended.PROCESSES,
    "threads": Ended.PROCESSES,
    "cpu_seconds": Ended.CPU,
    "wall_seconds": Ended.TIMED_OUT,
}
FRACTIONS = st.fixed_dictionaries({field.name: st.floats(0, 1) for field in fields(Usage)})


def usage(fractions: dict[str, float]) -> Usage:
    return Usage(
        **{name: type(getattr(LIMITS, name))(getattr(LIMITS, name) * part) for name, part in fractions.items()}
    )


def test_every_measured_quantity_has_a_limit() -> None:
    assert {field.name for field in fields(Usage)} == set(ENDS)


@given(FRACTIONS)
def test_within_all_limits_nothing_is_ended(fractions: dict[str, float]) -> None:
    assert judge(usage(fractions), LIMITS) is None


@given(FRACTIONS, st.sampled_from(sorted(ENDS)))
def test_beyond_one_limit_the_end_names_it(fractions: dict[str, float], name: str) -> None:
    found = judge(replace(usage(fractions), **{name: getattr(LIMITS, name) + 1}), LIMITS)
    assert found is not None
    assert found.ended is ENDS[name]
    assert "the limit is" in found.reason


def test_files_count_with_length_or_blocks_and_links_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "dense").write_bytes(bytes(10_000))
    os.link(tmp_path / "deep" / "dense", tmp_path / "second name")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1_000_000)
    (tmp_path / "link").symlink_to(sys.executable)
    found = measure_output(tmp_path, (), LIMITS)
    assert found.output_files == 4
    assert 1_010_000 <= found.output_bytes < 1_100_000


def test_a_deleted_file_counts_while_it_is_open(tmp_path: Path) -> None:
    with tempfile.TemporaryFile(dir=tmp_path) as file:
        file.write(bytes(500_000))
        file.flush()
        assert measure_output(tmp_path, (os.getpid(),), LIMITS).output_bytes >= 500_000
    assert measure_output(tmp_path, (os.getpid(),), LIMITS).output_bytes == 0


def test_counting_stops_beyond_the_limit(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).touch()
    limits = replace(LIMITS, output_files=10)
    found = measure_output(tmp_path, (), limits)
    assert found.output_files == 11
    assert judge(found, limits) is not None


def test_a_process_that_has_ended_counts_nothing(tmp_path: Path) -> None:
    assert measure_output(tmp_path, (2**22 + 1,), LIMITS) == Usage()


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder of the user that the test runs as; root becomes an ordinary user meanwhile, as it may read everything."""
    nobody = 65534
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() != 0:
            yield Path(name)
            return
        os.chown(name, nobody, nobody)
        os.seteuid(nobody)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


def test_a_folder_that_cannot_be_read_is_beyond_the_limit(own_folder: Path) -> None:
    (own_folder / "shut").mkdir(mode=0)
    assert measure_output(own_folder, (), LIMITS).output_bytes > LIMITS.output_bytes
