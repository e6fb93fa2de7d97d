"""The sandlock plug-in: when it refuses, what it survives, and that an ordinary user has the same protection as root."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path

import pytest

import trustplane
from trustplane.training.sandboxes import processes, sandlock
from trustplane.training.sandboxes.contract import Limits, SandboxJob
from trustplane.training.sandboxes.sandlock import SandlockSandbox, machine_capability
from trustplane.values.errors import Unavailable
from trustplane.values.outcomes import Failed, Passed


@pytest.fixture
def job(tmp_path: Path) -> SandboxJob:
    for name in ("output", "logs"):
        (tmp_path / name).mkdir()
    script = "open('begun', 'w').close()\nimport os\nos.fork()\nwhile True: pass"
    return SandboxJob(
        (sys.executable, "-c", script), (), tmp_path / "output", tmp_path / "logs", limits=Limits(wall_seconds=30)
    )


@pytest.mark.parametrize(
    ("system", "machine", "kernel"),
    [
        ("Linux", "x86_64", -1),
        ("Linux", "x86_64", 0),
        ("Linux", "aarch64", 5),
        ("Darwin", "x86_64", 7),
        ("Linux", "riscv64", 7),
    ],
)
def test_a_machine_that_cannot_hold_a_script_is_told_why_and_what_to_do(system: str, machine: str, kernel: int) -> None:
    found = machine_capability(system, machine, kernel, 6)
    assert isinstance(found, Failed)
    assert found.reason
    assert found.remedy


@pytest.mark.parametrize("kernel", [6, 7, 12])
def test_a_kernel_new_enough_passes(kernel: int) -> None:
    assert isinstance(machine_capability("Linux", "x86_64", kernel, 6), Passed)


@pytest.mark.parametrize("kernel", [-1, 5])
def test_without_the_needed_landlock_the_run_is_refused(
    job: SandboxJob, monkeypatch: pytest.MonkeyPatch, kernel: int
) -> None:
    monkeypatch.setattr(sandlock, "kernel_abi", lambda: kernel)
    assert isinstance(SandlockSandbox().capability(), Failed)
    with pytest.raises(Unavailable, match="Landlock") as caught:
        SandlockSandbox().run(job)
    assert caught.value.code == "TP-RUN-001"
    assert "6.12" in caught.value.fix
    assert list(job.output.iterdir()) == [], "nothing was run"


def test_a_sandbox_that_cannot_be_set_up_is_no_run(job: SandboxJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandlock, "readable_paths", lambda: (Path("/no/such/place"),))
    with pytest.raises(Unavailable) as caught:
        SandlockSandbox().run(job)
    assert caught.value.code == "TP-RUN-002"
    assert not (job.output / "begun").exists()


@pytest.mark.parametrize(("victim", "code"), [("worker", "TP-RUN-003"), ("supervisor", "TP-RUN-002")])
def test_nothing_runs_on_when_the_worker_or_the_supervisor_is_killed(job: SandboxJob, victim: str, code: str) -> None:
    sessions: list[int] = []

    def kill() -> None:
        deadline = time.monotonic() + 20
        while not (job.output / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        table = processes.process_table()
        family = {one.pid: one for one in processes.descendants(os.getpid(), table)}
        (worker,) = (one for one in family.values() if one.parent == os.getpid() and one.session == one.pid)
        (supervisor,) = (one for one in family.values() if one.parent == worker.pid)
        sessions.append(worker.pid)
        os.kill({"worker": worker.pid, "supervisor": supervisor.pid}[victim], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(Unavailable) as caught:
        SandlockSandbox().run(job)
    killer.join()
    assert caught.value.code == code
    left = [one for one in processes.session_members(sessions[0], processes.process_table()) if one.state not in "ZX"]
    assert left == []


def test_jobs_run_side_by_side_from_many_threads(tmp_path: Path) -> None:
    codes: dict[int, int | None] = {}

    def run(number: int) -> None:
        output, logs = tmp_path / f"o{number}", tmp_path / f"l{number}"
        output.mkdir()
        logs.mkdir()
        codes[number] = (
            SandlockSandbox()
            .run(SandboxJob((sys.executable, "-S", "-c", f"raise SystemExit({number})"), (), output, logs))
            .exit_code
        )

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {number: number for number in range(4)}


AS_ORDINARY_USER = """
import json, os, sys
from pathlib import Path
from trustplane.training.sandboxes.contract import Limits, SandboxJob
from trustplane.training.sandboxes.sandlock import SandlockSandbox
root = Path(sys.argv[1])
for name in ("output", "logs"):
    (root / name).mkdir()
(root / "secret").write_text("sesame")
(root / "secret").chmod(0o600)
(root / "input").write_text("given")
script = '''
import json, os, sys
from pathlib import Path
root = Path(sys.argv[1])
told = {"uid": os.getuid(), "input": (root / "input").read_text()}
for name, action in {
    "read": lambda: (root / "secret").read_text(),
    "kill": lambda: os.kill(int(sys.argv[2]), 9),
    "home": lambda: os.listdir(root),
}.items():
    try:
        told[name] = repr(action())
    except PermissionError:
        told[name] = "refused"
os.chmod(root / "secret", 0o666)
children = 0
if os.fork() == 0:
    os._exit(0)
Path("zombie").write_text("was here")
print(json.dumps(told))
'''
command = (sys.executable, "-c", script, str(root), str(os.getpid()))
result = SandlockSandbox().run(SandboxJob(command, (root / "input",), root / "output", root / "logs", limits=Limits(wall_seconds=30)))
print(json.dumps({
    "capability": type(SandlockSandbox().capability()).__name__,
    "ended": result.ended, "code": result.exit_code, "told": json.loads(result.stdout.read_text() or "{}"),
    "errors": result.stderr.read_text()[-500:], "mode": oct((root / "secret").stat().st_mode & 0o777),
}))
"""


def interpreter_for(uid: int) -> str:
    """A Python of this version that an ordinary user can execute, as the tests' own may lie in root's home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        if (
            candidate
            and subprocess.run(["/bin/sh", "-c", f"test -x {os.path.realpath(candidate)}"], user=uid).returncode == 0
        ):
            return candidate
    pytest.skip(f"no {version} that an ordinary user can execute")


@pytest.mark.skipif(os.geteuid() != 0, reason="all tests run as an ordinary user already")
def test_an_ordinary_user_is_held_in_as_well() -> None:
    nobody = 65534
    interpreter = interpreter_for(nobody)
    source = str(Path(trustplane.__path__[0]).parent)
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody, nobody)
        ran = subprocess.run(
            [interpreter, "-c", AS_ORDINARY_USER, folder],
            user=nobody,
            group=nobody,
            extra_groups=[],
            cwd=folder,
            env={"PYTHONPATH": f"{source}:{sysconfig.get_path('purelib')}"},
            capture_output=True,
            text=True,
        )
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["capability"] == "Passed"
    assert (report["ended"], report["code"]) == ("completed", 0), report["errors"]
    assert report["told"] == {"uid": nobody, "input": "given", "read": "refused", "kill": "refused", "home": "refused"}
    assert report["mode"] == "0o600"
