"""A seccomp filter for what Landlock leaves open between processes and files of one user.

Landlock decides who may open, change and remove files, but not who may change their mode, owner and times, nor who
may re-limit or re-schedule another process of the same user (landlock(7), "Current limitations"). The kernel runs this
filter by itself (seccomp(2)), so it holds also when the supervisor of the sandbox is gone, and no second thread can
change an argument after it was looked at.

Changing modes and times does nothing and says that it worked, so that copying a file into the output folder with its
mode is no error; everything else fails with EPERM.
"""

import ctypes
import errno
import platform
import socket
import struct
from dataclasses import dataclass

from trustplane.training.sandboxes.privileges import prctl

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_RET_ALLOW = 0x7FFF0000
_RET_ERRNO = 0x00050000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE, _OFFSET_ARGUMENTS = 0, 4, 16  # struct seccomp_data
_X32_BIT = 0x40000000
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class Condition:
    """A 32-bit argument that equals a value, or differs from it."""

    argument: int
    value: int
    equals: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Answer a system call with ``error`` instead of doing it, always or on a condition; error 0 says it worked."""

    call: str
    error: int = errno.EPERM
    when: Condition | None = None


def _other_than(argument: int, value: int) -> Condition:
    return Condition(argument, value, equals=False)


RULES: tuple[Rule, ...] = (
    *(
        Rule(call, 0)
        for call in ("chmod", "fchmod", "fchmodat", "fchmodat2", "utime", "utimes", "futimesat", "utimensat")
    ),
    *(
        Rule(call, when=_other_than(0, 0))  # pid 0 is the caller
        for call in (
            "prlimit64",
            "sched_setaffinity",
            "sched_setscheduler",
            "sched_setparam",
            "sched_setattr",
            "setpriority",
        )
    ),
    Rule("setpriority", when=_other_than(1, 0)),
    Rule("ioprio_set"),
    # Memory that is in no account, and that sandlock does not know yet; it denies memfd_create.
    Rule("memfd_secret"),
    # The server finds by the session what is left if the worker itself was killed.
    Rule("setsid"),
    # A process that is not dumpable hides its memory and open files from the supervisor of the same user.
    Rule("prctl", when=Condition(0, _PR_SET_DUMPABLE, equals=True)),
    Rule("socket", when=_other_than(0, socket.AF_UNIX)),
)


@dataclass(frozen=True, slots=True)
class Architecture:
    """A kernel architecture: its number for auditing and its system call numbers."""

    audit: int
    numbers: dict[str, int]


ARCHITECTURES: dict[str, Architecture] = {
    "x86_64": Architecture(
        0xC000003E,
        {
            "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "utime": 132, "utimes": 235,
            "futimesat": 261, "utimensat": 280, "prlimit64": 302, "sched_setaffinity": 203,
            "sched_setscheduler": 144, "sched_setparam": 142, "sched_setattr": 314, "setpriority": 141,
            "ioprio_set": 251, "memfd_secret": 447, "prctl": 157, "socket": 41, "setsid": 112,
        },
    ),
    "aarch64": Architecture(
        0xC00000B7,
        {
            "fchmod": 52, "fchmodat": 53, "fchmodat2": 452, "utimensat": 88, "prlimit64": 261,
            "sched_setaffinity": 122, "sched_setscheduler": 119, "sched_setparam": 118, "sched_setattr": 274,
            "setpriority": 140, "ioprio_set": 30, "memfd_secret": 447, "prctl": 167, "socket": 198, "setsid": 157,
        },
    ),
}  # fmt: skip


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _block(rule: Rule, number: int) -> bytes:
    answer = _instruction(_RETURN, _RET_ERRNO | rule.error)
    if rule.when is None:
        body = answer
    else:
        skip = (0, 1) if rule.when.equals else (1, 0)
        body = (
            _instruction(
                _LOAD, _OFFSET_ARGUMENTS + 8 * rule.when.argument
            )  # the low half: both architectures are little-endian
            + _instruction(_JUMP_EQUAL, rule.when.value, *skip)
            + answer
        )
    return _instruction(_LOAD, _OFFSET_NUMBER) + _instruction(_JUMP_EQUAL, number, 0, len(body) // 8) + body


def program(architecture: Architecture, rules: tuple[Rule, ...] = RULES) -> bytes:
    """The filter as classic BPF: 8 bytes an instruction. Calls of another architecture get ENOSYS."""
    blocks = (_block(rule, architecture.numbers[rule.call]) for rule in rules if rule.call in architecture.numbers)
    return b"".join(
        (
            _instruction(_LOAD, _OFFSET_ARCHITECTURE),
            _instruction(_JUMP_EQUAL, architecture.audit, 1, 0),
            _instruction(_RETURN, _RET_ERRNO | errno.ENOSYS),
            _instruction(_LOAD, _OFFSET_NUMBER),
            _instruction(_JUMP_AT_LEAST, _X32_BIT, 0, 1),
            _instruction(_RETURN, _RET_ERRNO | errno.ENOSYS),
            *blocks,
            _instruction(_RETURN, _RET_ALLOW),
        )
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install() -> None:
    """Put the filter on this process and all that it starts, for good; ``no_new_privs`` must be set.

    Raises ``KeyError`` on a machine that is not in ``ARCHITECTURES`` and ``OSError`` if the kernel refuses.
    """
    install_program(program(ARCHITECTURES[platform.machine()]))


def install_program(code: bytes) -> None:
    """Put a filter that :func:`program` made on this process."""
    filter_program = _Program(len(code) // 8, code)
    prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filter_program))
