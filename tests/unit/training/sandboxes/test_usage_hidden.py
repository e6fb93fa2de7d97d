"""A process that cannot be looked into: for a moment that is no fault of its script, for longer it is."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trustplane.training.sandboxes import usage
from trustplane.training.sandboxes.contract import Limits

LIMITS = Limits()
NOBODY = 65534
SCRIPT = """
import ctypes, os, sys
hide = lambda readable: ctypes.CDLL(None).prctl(4, readable)  # PR_SET_DUMPABLE
file = open(sys.argv[1] + "/gone", "wb", buffering=0)
file.write(bytes(500_000))
os.unlink(file.name)
if os.geteuid() == 0:
    os.setuid(65534)
hide(0)
print("hidden", flush=True)
sys.stdin.readline()
hide(1)
print("seen", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of an ordinary user."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@pytest.fixture
def hidden(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of an ordinary user that holds a deleted file and has made itself unreadable; root looks on as that user."""
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hidden\n"
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(NOBODY)
        try:
            with pytest.raises(PermissionError):
                list(Path(f"/proc/{process.pid}/fd").iterdir())
            yield process
        finally:
            if was_root:
                os.seteuid(0)
            process.kill()


def showing(process: subprocess.Popen[str]) -> Callable[[float], None]:
    """A pause in which the process shows itself."""

    def pause(_seconds: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "seen\n"

    return pause


def test_who_is_hidden_for_a_moment_is_counted_afterwards(
    folder: Path, hidden: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage.time, "sleep", showing(hidden))
    found = usage.measure_output(folder, (hidden.pid,), LIMITS)
    assert 500_000 <= found.output_bytes < 600_000
    assert usage.judge(found, LIMITS) is None


def test_who_stays_hidden_is_beyond_the_limit(
    folder: Path, hidden: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage.time, "sleep", lambda _seconds: None)
    assert usage.measure_output(folder, (hidden.pid,), LIMITS).output_bytes > LIMITS.output_bytes
