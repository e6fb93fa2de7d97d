"""Sample jobs, and a process that executes them: ``worker.py URL FOLDER SCHEMA`` until its standard input ends.

It tells on standard output ``waiting`` or ``executing`` whenever that changes.
"""

import os
import sys
import threading
import time
from pathlib import Path

from trustplane.kernel.jobs import JobContext, Jobs, job
from trustplane.values.clock import SystemClock
from trustplane.values.errors import Refused


def mark(folder: str, name: str) -> int:
    """Leave a trace that a step ran, and in which process."""
    with (Path(folder) / name).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return os.getpid()


def hold(folder: str, name: str) -> int:
    """Leave a trace, then stay until the file ``go`` is there."""
    mark(folder, name)
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    return os.getpid()


@job("sample.five-steps")
def five_steps(ctx: JobContext, *, folder: str, hold_at: int = 0) -> list[int]:
    return [ctx.step(f"step {n}", hold if n == hold_at else mark, folder, f"step-{n}") for n in range(1, 6)]


@job("sample.long-step")
def long_step(ctx: JobContext, *, folder: str) -> str:
    def count() -> str:
        mark(folder, "count")
        n = 0
        while not (Path(folder) / "go").exists():
            n += 1
            ctx.progress(n)
            time.sleep(0.01)
        return "counted"

    ctx.step("before", mark, folder, "before")
    return ctx.step("count", count)


@job("sample.where")
def where(ctx: JobContext) -> dict[str, object]:
    return {"pid": os.getpid(), "id": ctx.job_id, "plane": ctx.plane, "due": str(ctx.due)}


@job("sample.progress")
def progress(ctx: JobContext, *, steps: int) -> int:
    for n in range(steps):
        ctx.step("work", lambda: None)
        ctx.progress(n + 1, steps, f"part {n + 1}")
    return steps


@job("sample.refused")
def refused(ctx: JobContext, *, in_step: bool) -> None:
    def refuse() -> None:
        raise Refused(
            "TP-VALUE-001", "the name is not usable", why="it is too loud", fix="whisper", facts={"volume": 11}
        )

    if in_step:
        ctx.step("refuse", refuse)
    refuse()


@job("sample.faulty")
def faulty(ctx: JobContext, *, in_step: bool) -> None:
    def fault() -> None:
        raise KeyError("4929-SECRET-OF-A-ROW")

    if in_step:
        ctx.step("fault", fault)
    fault()


@job("sample.returns")
def returns(ctx: JobContext, *, what: str) -> object:
    values = {"tuple": (1, {2: "two"}), "bytes": b"x", "nan": float("nan"), "nothing": None}
    return {"step": ctx.step("value", lambda: values[what])}


@job("sample.submits")
def submits(ctx: JobContext) -> str:
    """A job of a job; its id makes it one, however often the step runs."""
    return ctx.step("submit", lambda: ctx.plane.submit("sample.progress", {"steps": 1}, f"{ctx.job_id}:child"))


STEPS = ["first"]


@job("sample.changing")
def changing(ctx: JobContext, *, folder: str) -> None:
    ctx.step(STEPS[0], mark, folder, "changing")
    while True:
        ctx.progress(1)
        time.sleep(0.01)


def main(url: str, folder: str, schema: str) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with Jobs(url, Path(folder), "the plane", SystemClock(), schema=schema) as jobs:
        jobs.launch()
        told = None
        while not ended.wait(0.02):
            if (now := jobs.executing) != told:
                sys.stdout.write("executing\n" if now else "waiting\n")
                sys.stdout.flush()
                told = now


if __name__ == "__main__":
    main(*sys.argv[1:])
