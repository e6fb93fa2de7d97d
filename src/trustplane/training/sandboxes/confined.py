"""The innermost process of the worker: gives up what the script must not have, then starts it and tells how it ended.

:func:`become` is called in a child of the worker and does not return.
"""

import fcntl
import os
import platform
import resource
import signal
from typing import NoReturn

import msgspec

from trustplane.training.sandboxes import privileges, syscalls
from trustplane.training.sandboxes.contract import GIB, MIB, Limits
from trustplane.training.sandboxes.order import Order, Outcome

DENIED_CALLS = (
    # Owners and attributes of files of the same user, which Landlock does not guard.
    "fchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr",
    # Memory that belongs to no process and so escapes every account.
    "memfd_create",
    # Watching what other processes do to files that the script may not open.
    "inotify_add_watch", "fanotify_init",
    # Mounting through file descriptors, and other roots.
    "fsopen", "fspick", "fsconfig", "fsmount", "open_tree", "move_mount", "chroot",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex",
)  # fmt: skip
DENIED_CALLS_X86_64 = ("chown", "lchown")
_OUTCOME = 3


def become(order: Order, parent: int, stdout: int, stderr: int, outcome: int) -> NoReturn:
    """Turn this fresh child of ``parent`` into the confinement of ``order``; write the script's end to ``outcome``."""
    try:
        privileges.die_with_parent(parent)
        _keep_only(stdout, stderr, outcome)
        os.write(_OUTCOME, msgspec.json.encode(_outcome_of(order)))
    finally:  # whatever happens, this process never goes on as a second worker
        os._exit(0)


def _outcome_of(order: Order) -> Outcome:
    try:
        os.umask(0o077)
        privileges.prefer_for_oom()
        set_limits(order.limits)
        if order.confinement == "none":
            _execute(order)
        privileges.forbid_new_privileges()
        privileges.drop_capabilities()
        syscalls.install()
        return _run_in_sandlock(order)
    except (OSError, RuntimeError, ValueError, KeyError, ImportError) as error:
        return Outcome(not_started=f"{type(error).__name__}: {error}")


def _keep_only(stdout: int, stderr: int, outcome: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _OUTCOME + 1) for descriptor in (nothing, stdout, stderr, outcome)]
    for target, descriptor in enumerate(high):
        os.dup2(descriptor, target, inheritable=target != _OUTCOME)
    os.closerange(_OUTCOME + 1, os.sysconf("SC_OPEN_MAX"))


def set_limits(limits: Limits) -> None:
    """The limits that the kernel keeps for each process by itself; the worker measures the sums.

    A file may grow just beyond the output's limit, so that the worker sees it pass. Address space that is only
    reserved counts as data, hence the gibibyte on top: a larger allocation fails in the script with its own error.
    """
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int(limits.cpu_seconds) + 1,
        resource.RLIMIT_DATA: limits.memory_bytes + GIB,
        resource.RLIMIT_FSIZE: limits.output_bytes + MIB,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for which, value in wanted.items():
        _, ceiling = resource.getrlimit(which)
        lowered = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        resource.setrlimit(which, (lowered, lowered))


def _execute(order: Order) -> NoReturn:
    _, ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = min(order.limits.open_files, ceiling)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.chdir(order.output)
    # This interpreter ignores them, and an ignored signal stays ignored over execve.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(order.command[0], list(order.command), order.environment)  # noqa: S606 - the command is the job


def _run_in_sandlock(order: Order) -> Outcome:
    import sandlock

    sandbox = sandlock.Sandbox(
        fs_readable=list(order.readable),
        fs_writable=[order.output, os.devnull, *order.devices],
        clean_env=True,
        env=order.environment,
        cwd=order.output,
        max_processes=order.limits.processes,
        max_open_files=order.limits.open_files,
        extra_deny_syscalls=[*DENIED_CALLS, *(DENIED_CALLS_X86_64 if platform.machine() == "x86_64" else ())],
    )
    process = sandbox.popen(list(order.command), stdin=sandlock.StdioMode.NULL)
    result = process.wait()
    match result.reason:
        case sandlock.ExitReason.EXITED:
            return Outcome(exit_code=int(result.exit_code))
        case sandlock.ExitReason.SIGNALED:
            return Outcome(signal=int(result.signal))
        case sandlock.ExitReason.KILLED:
            return Outcome(signal=signal.SIGKILL)
        case _:
            return Outcome(not_started=f"sandlock gave no reason for the end: {result.error or 'no error'}")
