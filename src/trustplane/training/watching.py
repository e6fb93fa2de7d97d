"""While a script runs: how far it says that it is, and whether it is still wanted."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from trustplane.kernel.jobs.context import Interrupted, JobContext
from trustplane.training.log import FILE
from trustplane.training.logged import Logged, Progress, regular, take_lines

WHOLE = 100
"""The progress of a run is told in parts of this."""
BEGUN, ENDED = 5, 95
_WINDOW = 64 << 10


def pulse(ctx: JobContext, output: Path, what: str) -> Callable[[], None]:
    """What the sandbox calls meanwhile: tells the progress of the script, and raises once the job was cancelled."""
    told: Progress | None = None

    def beat() -> None:
        nonlocal told
        ctx.require_wanted()
        said = latest_progress(output / FILE)
        if said is not None and said != told:
            told = said
            # A server that closes waits for the end of the step: what the script has done so far is not thrown away for that.
            with contextlib.suppress(Interrupted):
                ctx.progress(share(said), WHOLE, worded(said, what))

    return beat


def share(said: Progress) -> int:
    """How far the run is, of ``WHOLE``."""
    if not said.total or said.total <= 0:
        return BEGUN
    part = min(max(said.done / said.total, 0.0), 1.0)
    return BEGUN + round((ENDED - BEGUN - 1) * part)


def worded(said: Progress, what: str) -> str:
    """The script's own words on how far it is, or ours."""
    of = f"{said.done:g}" if said.total is None else f"{said.done:g} of {said.total:g}"
    return f"{said.message or what} ({of})"


def latest_progress(path: Path) -> Progress | None:
    """The last progress in the end of a log that a script is writing; None where there is none."""
    lines = [line for line in _end_of(path).split(b"\n") if b'"progress"' in line]
    for line in reversed(lines):
        logged = Logged()
        take_lines(logged, [line])
        if logged.progress is not None:
            return logged.progress
    return None


def _end_of(path: Path) -> bytes:
    with regular(path) as file:
        if file is None:
            return b""
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _WINDOW))
        return file.read(_WINDOW)
