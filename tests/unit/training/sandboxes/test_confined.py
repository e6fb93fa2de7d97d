"""What the innermost process gives up before it starts a script, seen from a process that gave it up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trustplane.training.sandboxes import privileges
from trustplane.training.sandboxes.contract import GIB, MIB

PRELUDE = """
import json, os, subprocess, sys
from trustplane.training.sandboxes import confined, privileges, syscalls
from trustplane.training.sandboxes.contract import Limits
"""
SHOW_STATUS = "[print(line, end='') for line in open('/proc/self/status') if line.startswith(('Cap', 'NoNewPrivs'))]"


def in_a_process_of_its_own(script: str) -> str:
    return subprocess.run([sys.executable, "-c", PRELUDE + script], capture_output=True, text=True, check=True).stdout


def test_the_kernel_keeps_the_limits_of_each_process() -> None:
    told = in_a_process_of_its_own(
        """
import resource
confined.set_limits(Limits(memory_bytes=1 << 30, output_bytes=1 << 20, cpu_seconds=5.5))
print(json.dumps({name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}))
"""
    )
    limits = json.loads(told)
    assert limits["RLIMIT_CORE"] == [0, 0]
    assert limits["RLIMIT_CPU"] == [6, 6]
    assert limits["RLIMIT_DATA"] == [2 * GIB, 2 * GIB]
    assert limits["RLIMIT_FSIZE"] == [2 * MIB, 2 * MIB]


def test_a_limit_is_never_raised() -> None:
    told = in_a_process_of_its_own(
        """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
confined.set_limits(Limits())
print(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
"""
    )
    assert int(told) == 1000


def test_no_capability_is_left_or_comes_back_by_execve() -> None:
    told = in_a_process_of_its_own(
        f"""
privileges.forbid_new_privileges()
privileges.drop_capabilities()
os.execv(sys.executable, [sys.executable, "-c", {SHOW_STATUS!r}])
"""
    )
    status = dict(line.split(":\t") for line in told.splitlines())
    assert status.pop("NoNewPrivs") == "1"
    assert (
        int(status["CapPrm"], 16)
        == int(status["CapEff"], 16)
        == int(status["CapInh"], 16)
        == int(status["CapAmb"], 16)
        == 0
    )
    if os.geteuid() == 0:
        assert int(status["CapBnd"], 16) == 0


def test_a_process_is_killed_with_its_parent() -> None:
    script = """
child = os.fork()
if child == 0:
    import time
    privileges.die_with_parent(os.getppid())
    print(os.getpid(), flush=True)
    time.sleep(60)
os.waitpid(child, 0)
"""
    with subprocess.Popen([sys.executable, "-c", PRELUDE + script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and ") Z " not in Path(f"/proc/{child}/stat").read_text():
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.01)


def test_a_process_whose_parent_is_gone_already_ends_at_once() -> None:
    ran = subprocess.run([sys.executable, "-c", PRELUDE + "privileges.die_with_parent(1 << 22)"])
    assert ran.returncode == -signal.SIGKILL


def test_orphans_come_to_who_adopts_them() -> None:
    told = in_a_process_of_its_own(
        """
privileges.adopt_orphans()
reader, writer = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.read(reader, 1)
        os.write(1, str(os.getppid()).encode())
    os._exit(0)
os.wait()
os.write(writer, b"x")
os.wait()
os.write(1, b" " + str(os.getpid()).encode())
"""
    )
    parent, adopter = told.split()
    assert parent == adopter


def test_a_call_that_the_kernel_refuses_raises() -> None:
    with pytest.raises(OSError, match="prctl"):
        privileges.prctl(0x7FFFFFFF)


def test_changing_a_mode_does_nothing_and_other_calls_fail(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch(mode=0o600)
    told = in_a_process_of_its_own(
        f"""
import resource, socket
privileges.forbid_new_privileges()
syscalls.install()
os.chmod({str(victim)!r}, 0o777)
os.utime({str(victim)!r}, (1, 1))
resource.getrlimit(resource.RLIMIT_NOFILE)
os.nice(1)
socket.socketpair()
socket.socket(socket.AF_UNIX)
refused = []
for name, action in {{
    "socket": lambda: socket.socket(),
    "prlimit": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE),
    "affinity": lambda: os.sched_setaffinity(os.getppid(), [0]),
    "priority": lambda: os.setpriority(os.PRIO_USER, 0, 5),
    "session": os.setsid,
}}.items():
    try:
        action()
    except PermissionError:
        refused.append(name)
print(json.dumps(refused))
"""
    )
    assert json.loads(told) == ["socket", "prlimit", "affinity", "priority", "session"]
    assert victim.stat().st_mode & 0o777 == 0o600
    assert victim.stat().st_mtime > 1
