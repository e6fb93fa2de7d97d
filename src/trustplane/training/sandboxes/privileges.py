"""What a process gives up before it starts a script, by prctl(2) and capset(2)."""

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_LINUX_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def prctl(option: int, *arguments: int) -> int:
    """Call prctl(2); raise ``OSError`` when it fails."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    result: int = _libc.prctl(option, *(ctypes.c_ulong(argument) for argument in padded))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}): {os.strerror(error)}")
    return result


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own, so that none can slip away by daemonising."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Be killed when the process ``parent``, which must be this one's parent, is gone."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before the call
        os.kill(os.getpid(), signal.SIGKILL)


def forbid_new_privileges() -> None:
    """No later execve grants anything: set-user-id and file capabilities are ignored."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Give up every capability for good, also those that an execve by uid 0 would bring back (capabilities(7)).

    Without this a script started by root could change the root of its file system, the clock and its own limits.
    """
    if os.geteuid() != 0 and not _permitted():
        return
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_capability_count()):
        if prctl(_PR_CAPBSET_READ, capability):
            prctl(_PR_CAPBSET_DROP, capability)
    header = _CapabilityHeader(_LINUX_CAPABILITY_VERSION_3, 0)
    nothing = (_CapabilitySets * 2)()
    if _libc.capset(ctypes.byref(header), nothing) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"capset: {os.strerror(error)}")


def prefer_for_oom() -> None:
    """Let the kernel choose this process and its children first when the machine runs out of memory."""
    Path("/proc/self/oom_score_adj").write_text("1000")


def _capability_count() -> int:
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1


def _permitted() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0
