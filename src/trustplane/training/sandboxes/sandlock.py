"""The sandbox on sandlock: Landlock and seccomp, from user space, without root, namespaces or a daemon.

What holds a script in: Landlock for paths, abstract sockets and signals; sandlock's supervisor over seccomp for path
sockets and the number of processes; our own filter (``syscalls.py``) for all other sockets and what both leave open;
rlimits for single processes; and the worker, which measures the sums and ends everything.

Known limits: names, sizes and times of files anywhere can be asked for (Landlock does not guard stat(2)), and a limit
on sums may be passed for the time between two measurements, usually 50 ms.
"""

import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from trustplane.training.sandboxes.admission import admitted, check_hidden
from trustplane.training.sandboxes.contract import (
    Capability,
    Isolation,
    Limits,
    SandboxDescriptor,
    SandboxJob,
    SandboxResult,
)
from trustplane.training.sandboxes.launch import run_in_worker
from trustplane.training.sandboxes.readable import readable_paths
from trustplane.training.sandboxes.syscalls import ARCHITECTURES
from trustplane.values.errors import TrustplaneError, Unavailable, missing_extra
from trustplane.values.outcomes import Failed, Passed

DESCRIPTOR = SandboxDescriptor(
    name="sandlock",
    title="sandlock (Landlock and seccomp)",
    isolation=Isolation(
        network="no TCP, UDP, netlink or abstract socket, no name resolution; refused by the kernel",
        filesystem="reads its inputs, the interpreter and system libraries; writes its output folder; Landlock",
        processes="cannot signal, trace, re-limit or outlive; bounded in number; all ended with the job",
        memory="bounded for each process by the kernel, together by measurement every 50 ms",
    ),
)

_PROBE = """
import socket, sys
def refused(attempt):
    try:
        attempt()
    except PermissionError:
        return True
    return False
held = refused(lambda: open(sys.argv[1], "rb")) and refused(lambda: socket.socket(socket.AF_INET))
open("written", "wb").close()
sys.exit(0 if held else 3)
"""


def kernel_abi() -> int:
    """The version of Landlock in this kernel; not positive when it has none."""
    import sandlock

    return int(sandlock.landlock_abi_version())


def needed_abi() -> int:
    """The version of Landlock that sandlock needs."""
    import sandlock

    return int(sandlock.min_landlock_abi())


def machine_capability(system: str, machine: str, kernel: int, needed: int) -> Capability:
    """Whether such a machine can hold a script in, by what it says of itself."""
    if system != "Linux" or machine not in ARCHITECTURES:
        return Failed(
            f"the sandbox runs on Linux on {' or '.join(ARCHITECTURES)}, this is {system} on {machine}",
            "use such a machine",
        )
    if kernel < needed:
        has = f"has version {kernel}" if kernel > 0 else "has none"
        return Failed(
            f"the sandbox needs Landlock version {needed} or later, this kernel {has}",
            "use Linux 6.12 or later with 'landlock' in /sys/kernel/security/lsm",
        )
    return Passed(f"the kernel has Landlock version {kernel}", {"landlock_abi": float(kernel)})


@dataclass(frozen=True, slots=True)
class SandlockSandbox:
    """Runs each job in a worker process that confines it with sandlock."""

    @property
    def descriptor(self) -> SandboxDescriptor:
        """What this sandbox is and claims."""
        return DESCRIPTOR

    def capability(self) -> Capability:
        """What the machine says of itself, then a script that tries to open a hidden file and a socket."""
        by_name = _by_name()
        return _tried(self) if isinstance(by_name, Passed) else by_name

    def run(self, job: SandboxJob) -> SandboxResult:
        """Run ``job``; raises ``BadInput`` and ``Unavailable`` as the contract says."""
        by_name = _by_name()
        if isinstance(by_name, Failed):
            raise Unavailable(
                "TP-RUN-001",
                "scripts cannot be held in a sandbox on this machine",
                why=by_name.reason,
                fix=by_name.remedy,
            )
        ready = admitted(job)
        readable = readable_paths()
        check_hidden(ready, readable)
        return run_in_worker(ready, "sandlock", readable)


def _by_name() -> Capability:
    try:
        kernel, needed = kernel_abi(), needed_abi()
    except ImportError as error:
        raise missing_extra("sandlock", "plane", "running scripts in a sandbox") from error
    return machine_capability(platform.system(), platform.machine(), kernel, needed)


def _tried(sandbox: SandlockSandbox) -> Capability:
    with tempfile.TemporaryDirectory(prefix="trustplane-probe-") as folder:
        output, logs, hidden = Path(folder, "output"), Path(folder, "logs"), Path(folder, "hidden")
        output.mkdir()
        logs.mkdir()
        hidden.write_bytes(b"hidden")
        job = SandboxJob(
            (sys.executable, "-I", "-S", "-c", _PROBE, str(hidden)), (), output, logs, limits=Limits(wall_seconds=20)
        )
        try:
            result = sandbox.run(job)
        except TrustplaneError as error:
            return Failed(f"a trial did not start: {error.why or error.what}", _REMEDY)
        if not result.succeeded:
            return Failed(f"a trial did not hold a script in: {result.reason}", _REMEDY)
        return Passed("a trial script was refused a hidden file and a socket, and could write its output")


_REMEDY = (
    "in a container, allow the sandbox's supervisor its system calls (add SYS_PTRACE) or let the pod be the boundary; "
    "see 'trustplane doctor'"
)
