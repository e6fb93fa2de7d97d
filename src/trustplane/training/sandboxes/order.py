"""What the server says to its worker process and what the worker answers, as JSON; both are of the same version."""

from dataclasses import dataclass
from typing import Literal

from trustplane.training.sandboxes.contract import Ended, Limits

Confinement = Literal["sandlock", "none"]


@dataclass(frozen=True, slots=True)
class Order:
    """A job with nothing left to look up: absolute paths, the whole environment."""

    confinement: Confinement
    command: tuple[str, ...]
    readable: tuple[str, ...]
    output: str
    logs: str
    environment: dict[str, str]
    limits: Limits
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the command itself ended, as its confinement saw it: an exit code, a signal, or why it never started."""

    exit_code: int | None = None
    signal: int | None = None
    not_started: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The worker's answer, given when everything has ended; ``survivors`` counts what could not be killed."""

    ended: Ended
    reason: str
    outcome: Outcome
    logs_truncated: bool
    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    output_bytes: int
    survivors: int
