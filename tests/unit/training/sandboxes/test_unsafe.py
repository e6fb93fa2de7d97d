"""The stand-in without a sandbox is loud, claims nothing, and still keeps limits and cleans up."""

import sys
from pathlib import Path

import pytest

from trustplane.training.sandboxes.contract import Ended, Isolation, Limits, SandboxJob
from trustplane.training.sandboxes.unsafe import UnsafeNoSandbox
from trustplane.values.unsafe import InsecureStandIn


@pytest.fixture
def sandbox() -> UnsafeNoSandbox:
    with pytest.warns(InsecureStandIn, match="without a sandbox"):
        return UnsafeNoSandbox()


def job(tmp_path: Path, script: str, **limits: float) -> SandboxJob:
    for name in ("output", "logs"):
        (tmp_path / name).mkdir()
    bounds = Limits(**{"wall_seconds": 20, **limits})  # type: ignore[arg-type]
    return SandboxJob((sys.executable, "-c", script), (), tmp_path / "output", tmp_path / "logs", limits=bounds)


def test_it_is_unsafe_and_claims_nothing(sandbox: UnsafeNoSandbox) -> None:
    assert sandbox.descriptor.unsafe
    assert sandbox.descriptor.name.startswith("unsafe")
    assert sandbox.descriptor.isolation == Isolation()


def test_a_script_runs_with_a_clean_environment(
    sandbox: UnsafeNoSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUSTPLANE_SECRET", "sesame")
    result = sandbox.run(job(tmp_path, "import os; print(sorted(os.environ)); open('made', 'w').close(); exit(4)"))
    assert (result.ended, result.exit_code) == (Ended.COMPLETED, 4)
    assert "TRUSTPLANE_SECRET" not in result.stdout.read_text()
    assert result.readable == ()
    assert (tmp_path / "output" / "made").exists()


@pytest.mark.parametrize(
    ("script", "limits", "ended"),
    [
        ("while True: pass", {"wall_seconds": 0.5}, Ended.TIMED_OUT),
        ("while True: pass", {"cpu_seconds": 0.5}, Ended.CPU),
        ("hoard = []\nwhile True: hoard.append(bytearray(1 << 20))", {"memory_bytes": 128 << 20}, Ended.MEMORY),
        ("import os, time\nwhile os.fork(): time.sleep(0.01)\ntime.sleep(9)", {"processes": 5}, Ended.PROCESSES),
        ("import os; os.abort()", {}, Ended.KILLED),
    ],
)
def test_limits_are_kept(
    sandbox: UnsafeNoSandbox, tmp_path: Path, script: str, limits: dict[str, float], ended: Ended
) -> None:
    assert sandbox.run(job(tmp_path, script, **limits)).ended is ended


def test_what_it_leaves_running_is_ended(sandbox: UnsafeNoSandbox, tmp_path: Path) -> None:
    script = "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while True: pass\n    os._exit(0)\nprint(os.getpid())"
    result = sandbox.run(job(tmp_path, script))
    assert result.succeeded
    outputs = str(tmp_path / "output")
    alive = [path for path in Path("/proc").glob("[0-9]*/cwd") if path.is_symlink() and _target(path) == outputs]
    assert alive == []


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
