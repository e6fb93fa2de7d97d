"""What the process that judges a file gives up before it looks at it.

It keeps its open files and may read the libraries that it needs. It can start no program, open no connection, send no signal, change no
file and no other process, and it dies with whoever asked.
"""

import errno
import os
import platform
import resource
from contextlib import suppress

from trustplane.training.sandboxes import privileges, syscalls
from trustplane.training.sandboxes.syscalls import Architecture, Rule

ADDRESSES = 2 << 30
"""Bytes of address space beside the file's own size: large arrays take addresses, and no memory."""
_NUMBERS = {
    "x86_64": {
        "execve": 59, "execveat": 322, "fork": 57, "vfork": 58, "socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46, "bind": 49,
        "kill": 62, "tkill": 200, "ptrace": 101, "process_vm_writev": 311, "unlink": 87, "unlinkat": 263, "rename": 82,
        "renameat": 264, "renameat2": 316, "mkdir": 83, "mkdirat": 258, "rmdir": 84, "link": 86, "linkat": 265, "symlink": 88,
        "symlinkat": 266, "truncate": 76, "ftruncate": 77, "creat": 85, "chmod": 90, "fchmod": 91, "fchmodat": 268, "mknodat": 259, "mount": 165,
        "io_uring_setup": 425, "bpf": 321, "setsid": 112,
    },
    "aarch64": {
        "execve": 221, "execveat": 281, "socket": 198, "connect": 203, "sendto": 206, "sendmsg": 211, "bind": 200, "kill": 129,
        "tkill": 130, "ptrace": 117, "process_vm_writev": 271, "unlinkat": 35, "renameat": 38, "renameat2": 276, "mkdirat": 34,
        "linkat": 37, "symlinkat": 36, "truncate": 45, "ftruncate": 46, "fchmod": 52, "fchmodat": 53, "mknodat": 33, "mount": 40,
        "io_uring_setup": 425, "bpf": 280, "setsid": 157,
    },
}  # fmt: skip


def confine(size: int, parent: int) -> None:
    """Take from this process what judging a file of ``size`` bytes does not need; raise ``OSError`` where the kernel refuses."""
    privileges.die_with_parent(parent)
    os.umask(0o777)
    seconds = 10 + size // (5 << 20)
    for limit, most in (
        (resource.RLIMIT_AS, ADDRESSES + size),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, ceiling = resource.getrlimit(limit)
        lowered = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(limit, (lowered, lowered))
    if platform.system() == "Linux":
        privileges.forbid_new_privileges()
        with suppress(OSError):  # who has none to give up may not be let ask
            privileges.drop_capabilities()
        _forbid_calls()


def _forbid_calls() -> None:
    machine = platform.machine()
    if machine not in _NUMBERS:
        return
    known = Architecture(syscalls.ARCHITECTURES[machine].audit, _NUMBERS[machine])
    syscalls.install_program(syscalls.program(known, tuple(Rule(call, errno.EPERM) for call in _NUMBERS[machine])))
