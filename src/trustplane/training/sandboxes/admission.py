"""Whether a job can be run as asked: paths, limits and environment, checked before anything starts."""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import astuple, replace
from pathlib import Path

from trustplane.training.sandboxes.contract import Limits, SandboxJob
from trustplane.values.errors import BadInput

SCRATCH = ".scratch"
STARTUP = Path(__file__).parent / "startup"
"""What every Python of a script imports first lies here."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SMALLEST_MEMORY = 64 << 20


def admitted(job: SandboxJob) -> SandboxJob:
    """``job`` with every path absolute and free of links; raise :class:`BadInput` if it cannot be run as asked."""
    check_limits(job.limits)
    check_environment(job)
    resolved = replace(
        job,
        command=(_program(job.command), *job.command[1:]),
        inputs=tuple(dict.fromkeys(_existing(path, "input") for path in job.inputs)),
        output=_folder(job.output, "output folder"),
        logs=_folder(job.logs, "log folder"),
        devices=tuple(dict.fromkeys(map(_device, job.devices))),
    )
    if any(resolved.output.iterdir()):
        raise BadInput("TP-RUN-004", "the output folder is not empty")
    check_apart(resolved)
    return resolved


def check_limits(limits: Limits) -> None:
    """Every limit is positive, and memory is enough for an interpreter to start."""
    if any(value <= 0 for value in astuple(limits)):
        raise BadInput("TP-RUN-005", "a limit of the sandbox is zero or negative")
    if limits.memory_bytes < _SMALLEST_MEMORY:
        raise BadInput(
            "TP-RUN-005",
            f"{limits.memory_bytes:,} bytes of memory are too few, an interpreter needs {_SMALLEST_MEMORY:,}",
        )


def check_environment(job: SandboxJob) -> None:
    """Names are those of a shell, values hold no NUL. The message names the variable and never its value."""
    for name, value in job.environment.items():
        if not _VARIABLE.match(name) or "\0" in value:
            raise BadInput("TP-RUN-007", f"the environment variable {name[:80]!r} cannot be set")
    if any("\0" in part for part in job.command):
        raise BadInput("TP-RUN-004", "the command holds a NUL character")


def check_apart(job: SandboxJob) -> None:
    """The output folder, the logs and the inputs lie apart: no input can be written to and no log read."""
    for path in job.inputs:
        if _overlap(path, job.output):
            raise BadInput("TP-RUN-004", "an input and the output folder lie within each other")
        if _overlap(path, job.logs):
            raise BadInput("TP-RUN-004", "an input and the log folder lie within each other")
    if _overlap(job.output, job.logs):
        raise BadInput("TP-RUN-004", "the output folder and the log folder lie within each other")


def check_hidden(job: SandboxJob, readable: Iterable[Path]) -> None:
    """Nothing that the script could read shows a hidden path."""
    shown = (*readable, *job.inputs, job.output)
    for secret in (path.resolve() for path in job.hidden):
        if any(_overlap(secret, path) for path in shown):
            raise BadInput(
                "TP-RUN-004", "a path that must stay hidden lies within what the script could read, or contains it"
            )


def environment_of(job: SandboxJob) -> dict[str, str]:
    """The whole environment of the script. What the job sets wins; nothing is inherited."""
    scratch = str(job.output / SCRATCH)
    return {
        "HOME": scratch,
        "JOBLIB_MULTIPROCESSING": "0",  # semaphores need /dev/shm, which is shared with the machine
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(STARTUP),
        "TMPDIR": scratch,
        **job.environment,
    }


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _program(command: Iterable[str]) -> str:
    program = next(iter(command), "")
    if not Path(program).is_absolute():
        raise BadInput("TP-RUN-004", "the command does not start with the absolute path of a program")
    if not (Path(program).is_file() and os.access(program, os.X_OK)):
        raise BadInput("TP-RUN-004", f"{Path(program).name!r} is not a program that can be executed")
    return program  # not resolved: a virtual environment is found through the link


def _existing(path: Path, what: str) -> Path:
    try:
        return path.resolve(strict=True)
    except OSError as error:
        raise BadInput("TP-RUN-004", f"the {what} {path.name!r} cannot be used", why=error.strerror or "") from error


def _device(path: Path) -> Path:
    resolved = _existing(path, "device")
    if not resolved.is_relative_to("/dev") or not stat.S_ISCHR(resolved.stat().st_mode):
        raise BadInput("TP-RUN-004", f"{path.name!r} is not a character device below /dev")
    return resolved


def _folder(path: Path, what: str) -> Path:
    resolved = _existing(path, what)
    if not resolved.is_dir():
        raise BadInput("TP-RUN-004", f"the {what} {path.name!r} is not a folder")
    return resolved
