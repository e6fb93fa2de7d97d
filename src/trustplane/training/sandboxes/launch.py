"""From the server's side: start a worker for one job, wait for its report, and leave nothing behind whatever happens.

The server may have many threads; the worker is a fresh interpreter, so nothing forks here.
"""

import contextlib
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from trustplane.training.sandboxes.admission import environment_of
from trustplane.training.sandboxes.contract import SandboxJob, SandboxResult
from trustplane.training.sandboxes.order import Confinement, Order, Report
from trustplane.training.sandboxes.processes import end_all, session_members
from trustplane.values.errors import Unavailable

GRACE_SECONDS = 30.0
"""How long beyond the job's own time the worker may take to start, to clean up and to report."""

PULSE_SECONDS = 0.5
"""How often whoever waits for a script looks at what it said, and whether it is to go on."""

Pulse = Callable[[], None]

_LARGEST_REPORT = 1 << 20


def run_in_worker(job: SandboxJob, confinement: Confinement, readable: tuple[Path, ...]) -> SandboxResult:
    """Run an admitted job in a worker process of its own; no process of it is left when this returns or raises."""
    order = Order(
        confinement=confinement,
        command=job.command,
        readable=tuple(str(path) for path in (*readable, *job.inputs)),
        output=str(job.output),
        logs=str(job.logs),
        environment=environment_of(job),
        limits=job.limits,
        devices=tuple(map(str, job.devices)),
    )
    return _result(job, readable, _reported(order, job.pulse))


def _reported(order: Order, pulse: Pulse | None) -> Report:
    with tempfile.TemporaryFile() as errors, _worker(errors) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it died at its start; the missing report says so
            worker.stdin.write(msgspec.json.encode(order) + b"\n")
            worker.stdin.flush()
        answer = _read_all(worker.stdout, time.monotonic() + order.limits.wall_seconds + GRACE_SECONDS, pulse)
        if answer is None:
            raise Unavailable("TP-RUN-003", "the sandbox's worker did not report in time; the script was ended")
        try:
            return msgspec.json.decode(answer, type=Report)
        except msgspec.DecodeError as error:
            raise Unavailable(
                "TP-RUN-003", "the sandbox's worker ended without a report", why=_last_line(errors)
            ) from error


@contextlib.contextmanager
def _worker(errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    worker = subprocess.Popen(
        (sys.executable, "-P", "-s", "-B", "-m", "trustplane.training.sandboxes.worker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd="/",
        env={
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if Path(entry).is_absolute()),
            "LANG": "C.UTF-8",
        },
        start_new_session=True,
    )
    try:
        yield worker
    finally:
        _end(worker)


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Close its standard input, on which it ends everything; what is left of its session afterwards is killed.

    The worker is reaped last: until then no other session can get its number.
    """
    if worker.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.close()
    handle = os.pidfd_open(worker.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            selector.select(GRACE_SECONDS)
    finally:
        os.close(handle)
    end_all(lambda table: session_members(worker.pid, table), GRACE_SECONDS)
    worker.wait()
    if worker.stdout is not None:
        worker.stdout.close()


def _read_all(pipe: IO[bytes], deadline: float, pulse: Pulse | None = None) -> bytes | None:
    """Everything until the end of the pipe, calling ``pulse`` meanwhile; ``None`` if it does not end before the deadline."""
    data = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(data) <= _LARGEST_REPORT:
            left = deadline - time.monotonic()
            if not selector.select(max(0.0, left if pulse is None else min(left, PULSE_SECONDS))):
                if time.monotonic() >= deadline:
                    return None
                if pulse is not None:
                    pulse()
                continue
            chunk = os.read(pipe.fileno(), 65536)
            if not chunk:
                break
            data += chunk
    return bytes(data)


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read(1 << 16).decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def _result(job: SandboxJob, readable: tuple[Path, ...], report: Report) -> SandboxResult:
    if report.outcome.not_started:
        raise Unavailable(
            "TP-RUN-002",
            "the sandbox could not be set up, the script was not run to its end",
            why=report.outcome.not_started,
        )
    if report.survivors:
        raise Unavailable("TP-RUN-003", f"{report.survivors} processes of the script could not be ended")
    return SandboxResult(
        ended=report.ended,
        reason=report.reason,
        exit_code=report.outcome.exit_code,
        signal=report.outcome.signal,
        stdout=job.logs / "stdout.log",
        stderr=job.logs / "stderr.log",
        logs_truncated=report.logs_truncated,
        wall_seconds=report.wall_seconds,
        cpu_seconds=report.cpu_seconds,
        peak_memory_bytes=report.peak_memory_bytes,
        output_bytes=report.output_bytes,
        readable=(*readable, *job.inputs),
    )
