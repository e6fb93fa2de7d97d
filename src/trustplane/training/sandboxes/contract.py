"""What a sandbox is: a job goes in, a result with its reason comes out.

A sandbox gives the script no network at all, its inputs read-only, one output folder, and limits on memory, processes,
time and disk; whatever the script started has ended when :meth:`Sandbox.run` returns. The suite in
``tests/conformance/test_sandboxes.py`` states this contract as attacks, and every installed plug-in must pass it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from trustplane.values.outcomes import Failed, Passed

MIB = 1 << 20
GIB = 1 << 30

Capability = Passed | Failed
"""Whether a sandbox can be used on this machine; ``Failed`` says what to do about it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use, over all of its processes together; ``open_files`` is for each process.

    ``output_bytes`` and ``output_files`` count what lies in the output folder, its folders too, and what is held open
    after deletion. Of each of the two logs the first ``log_bytes`` are kept.
    """

    memory_bytes: int = 2 * GIB
    processes: int = 64
    threads: int = 1024
    wall_seconds: float = 3600.0
    cpu_seconds: float = 7200.0
    open_files: int = 1024
    output_bytes: int = 2 * GIB
    output_files: int = 10_000
    log_bytes: int = 8 * MIB


@dataclass(frozen=True, slots=True)
class SandboxJob:
    """A command to run, with all that it may see.

    The working directory is ``output``, empty at the start and the only folder that the script can write to; its logs
    are written to ``logs`` as ``stdout.log`` and ``stderr.log``, from outside. ``environment`` is the whole environment
    besides the few variables of :func:`trustplane.training.sandboxes.admission.environment_of`. ``hidden`` are paths
    that must never be readable, such as the workspace's keys: a job that would show one of them is not run. ``devices``
    are device files that the script may read and write, such as those of a graphics card.

    ``pulse`` is called about twice a second while the script runs. What it raises ends the script at once and comes out
    of :meth:`Sandbox.run`: that is how a run is cancelled.
    """

    command: tuple[str, ...]
    inputs: tuple[Path, ...]
    output: Path
    logs: Path
    hidden: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = field(default_factory=Limits)
    devices: tuple[Path, ...] = ()
    pulse: Callable[[], None] | None = field(default=None, repr=False)


class Ended(StrEnum):
    """How a job ended. Only ``completed`` with exit code 0 is a success."""

    COMPLETED = "completed"
    KILLED = "killed"
    TIMED_OUT = "timed-out"
    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    PROCESSES = "processes"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """What came of a job. ``readable`` is every path that the script could read, for the run's record.

    ``exit_code`` is ``None`` unless the script ended by itself; ``signal`` is ``None`` unless a signal ended it that
    did not come from the sandbox. ``peak_memory_bytes`` is sampled and may miss what came and went between two samples.
    """

    ended: Ended
    reason: str
    exit_code: int | None
    signal: int | None
    stdout: Path
    stderr: Path
    logs_truncated: bool
    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    output_bytes: int
    readable: tuple[Path, ...]

    @property
    def succeeded(self) -> bool:
        """Whether the script ended by itself with exit code 0."""
        return self.ended is Ended.COMPLETED and self.exit_code == 0


@dataclass(frozen=True, slots=True)
class Isolation:
    """What a sandbox claims to hold back, in words for the run's record; an empty claim is no claim."""

    network: str = ""
    filesystem: str = ""
    processes: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class SandboxDescriptor:
    """A plug-in's name (as in its entry point), what it claims, and whether it is an unsafe stand-in."""

    name: str
    title: str
    isolation: Isolation
    unsafe: bool = False


class Sandbox(Protocol):
    """A place to run a script that is not trusted."""

    @property
    def descriptor(self) -> SandboxDescriptor:
        """What this sandbox is and claims."""
        ...

    def capability(self) -> Capability:
        """Whether this machine can hold a script in; tried, not assumed."""
        ...

    def run(self, job: SandboxJob) -> SandboxResult:
        """Run ``job`` to its end; when this returns, no process of it is left.

        Raises ``BadInput`` when the job cannot be run as asked and ``Unavailable`` when it could not be run here; a
        script that fails or is ended is a result.
        """
        ...
