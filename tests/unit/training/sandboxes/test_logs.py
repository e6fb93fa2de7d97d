"""Logs keep their beginning and never block the script."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustplane.training.sandboxes.logs import CappedLog


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(1, 600))
def test_the_first_bytes_are_kept_and_the_rest_is_read(tmp_path: Path, parts: list[bytes], limit: int) -> None:
    read, write = os.pipe()
    log = CappedLog(read, tmp_path / "log", limit)
    for part in parts:
        os.write(write, part)
        assert log.pump()
    os.close(write)
    assert not log.pump()
    log.close()
    whole = b"".join(parts)
    assert (tmp_path / "log").read_bytes() == whole[:limit]
    assert log.truncated is (len(whole) > limit)


def test_a_log_is_for_its_owner_only_and_never_written_through_a_link(tmp_path: Path) -> None:
    read, write = os.pipe()
    CappedLog(read, tmp_path / "log", 1).close()
    os.close(write)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        CappedLog(0, tmp_path / "link", 1)
    assert not (tmp_path / "victim").exists()
