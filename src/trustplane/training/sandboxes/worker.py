"""The process between the server and a script: starts it, keeps its logs and limits, and ends all that is left of it.

Run as ``python -m trustplane.training.sandboxes.worker``. An order comes on standard input as one line of JSON,
a report goes to standard output when everything has ended. The server keeps its end of standard input open: when it
closes, by a crash or on purpose, nobody waits for the result any more and the script is ended. The worker has one
thread and runs nothing of the sandbox's library itself, so neither a hang nor a crash in there can keep it from ending
the script.
"""

import contextlib
import os
import resource
import selectors
import signal
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from trustplane.training.sandboxes import confined, privileges, processes
from trustplane.training.sandboxes.admission import SCRATCH
from trustplane.training.sandboxes.contract import Ended
from trustplane.training.sandboxes.logs import CappedLog
from trustplane.training.sandboxes.order import Confinement, Order, Outcome, Report
from trustplane.training.sandboxes.removal import discard
from trustplane.training.sandboxes.usage import Exceeded, Usage, judge, measure_output

_PERIOD = 0.05
_SHARE = 3  # a measurement is followed by at least so many times its own duration
_CLEANING_SECONDS = 10.0
_ABANDONED = Exceeded(Ended.ABANDONED, "the server stopped waiting for the script")


@dataclass(slots=True)
class Watch:
    """One job while it runs: its first process, the pipes from it, and what was measured so far."""

    order: Order
    started: float
    child: int
    outcome: int
    logs: tuple[CappedLog, CappedLog]
    status: int | None = None  # as waitpid(2) gives it, once the first process has ended
    answer: bytearray = field(default_factory=bytearray)
    peak_memory: int = 0


def main() -> None:
    """Read one order, carry it out, write its report."""
    line = sys.stdin.buffer.readline()
    order = msgspec.json.decode(line, type=Order)
    privileges.adopt_orphans()
    report = carry_out(order, control=sys.stdin.fileno())
    sys.stdout.buffer.write(msgspec.json.encode(report))
    sys.stdout.buffer.flush()


def carry_out(order: Order, control: int) -> Report:
    """Run ``order`` to its end, at the latest until ``control`` is closed from the other side."""
    scratch = Path(order.output, SCRATCH)
    scratch.mkdir(mode=0o700)
    watch = _start(order)
    try:
        exceeded = _follow(watch, control)
    finally:
        survivors = processes.end_all(lambda table: processes.descendants(os.getpid(), table), _CLEANING_SECONDS)
    _drain(watch, survivors)
    discard(scratch)
    return _report(watch, exceeded, _measured(watch), len(survivors))


def _start(order: Order) -> Watch:
    stdout_read, stdout_write = os.pipe()
    stderr_read, stderr_write = os.pipe()
    outcome_read, outcome_write = os.pipe()
    logs = Path(order.logs)
    stdout = CappedLog(stdout_read, logs / "stdout.log", order.limits.log_bytes)
    stderr = CappedLog(stderr_read, logs / "stderr.log", order.limits.log_bytes)
    started = time.monotonic()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        confined.become(order, parent, stdout_write, stderr_write, outcome_write)
    for descriptor in (stdout_write, stderr_write, outcome_write):
        os.close(descriptor)
    return Watch(order, started, child, outcome_read, (stdout, stderr))


def _follow(watch: Watch, control: int) -> Exceeded | None:
    """Wait for the script's end or for a limit, copying logs meanwhile."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        for log in watch.logs:
            selector.register(log.pipe, selectors.EVENT_READ, log)
        due = watch.started
        while watch.status is None:
            for key, _ in selector.select(max(0.0, due - time.monotonic())):
                if key.data is None:
                    return _ABANDONED
                if not key.data.pump():
                    selector.unregister(key.fd)
            if (now := time.monotonic()) < due:
                continue
            watch.status = processes.reap().get(watch.child, watch.status)
            if watch.status is None and (exceeded := judge(_measured(watch), watch.order.limits)) is not None:
                return exceeded
            due = now + max(_PERIOD, (time.monotonic() - now) * _SHARE)
    return None


def _measured(watch: Watch) -> Usage:
    limits = watch.order.limits
    family = processes.descendants(os.getpid(), processes.process_table())
    # The supervisor of the sandbox is not the script; without a sandbox the first process is the script itself.
    script = [
        one for one in family if one.state not in "ZX" and (one.pid != watch.child or watch.order.confinement == "none")
    ]
    memory = processes.resident_memory(script)
    if memory > limits.memory_bytes:
        memory = processes.proportional_memory(script)
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    watch.peak_memory = max(watch.peak_memory, memory)
    output = measure_output(Path(watch.order.output), (one.pid for one in script), limits)
    return replace(
        output,
        wall_seconds=time.monotonic() - watch.started,
        cpu_seconds=sum(one.cpu_seconds for one in family) + reaped.ru_utime + reaped.ru_stime,
        memory_bytes=memory,
        processes=len(script),
        threads=sum(one.threads for one in script),
    )


def _drain(watch: Watch, survivors: tuple[int, ...]) -> None:
    processes.reap()
    for log in watch.logs:
        if not survivors:  # every writer is gone, so the pipe has an end
            while log.pump():
                pass
        log.close()
    if not survivors:
        while data := os.read(watch.outcome, 65536):
            watch.answer += data
    os.close(watch.outcome)


def _report(watch: Watch, exceeded: Exceeded | None, usage: Usage, survivors: int) -> Report:
    # Of a script that was ended from here, the outcome is our own signal.
    outcome = Outcome() if exceeded else outcome_of(watch.order.confinement, bytes(watch.answer), watch.status or 0)
    left = Usage(output_bytes=usage.output_bytes, output_files=usage.output_files)
    end = exceeded or judge(left, watch.order.limits) or explain(outcome)
    return Report(
        ended=end.ended,
        reason=end.reason,
        outcome=outcome,
        logs_truncated=any(log.truncated for log in watch.logs),
        wall_seconds=usage.wall_seconds,
        cpu_seconds=usage.cpu_seconds,
        peak_memory_bytes=watch.peak_memory,
        output_bytes=usage.output_bytes,
        survivors=survivors,
    )


def outcome_of(confinement: Confinement, answer: bytes, status: int) -> Outcome:
    """How the script ended: what its confinement answered, or without a confinement what its wait status says."""
    if answer:
        return msgspec.json.decode(answer, type=Outcome)
    code = os.waitstatus_to_exitcode(status)
    if confinement != "none":
        return Outcome(not_started=f"the supervisor of the sandbox ended with status {code} and no answer")
    return Outcome(exit_code=code) if code >= 0 else Outcome(signal=-code)


def explain(outcome: Outcome) -> Exceeded:
    """The end of a script that passed no limit, in words."""
    if outcome.signal is not None:
        known = {number.value: number.name for number in signal.Signals}
        name = known.get(outcome.signal, f"signal {outcome.signal}")
        hint = ", its own or the kernel's, as when the machine runs out of memory" if name == "SIGKILL" else ""
        return Exceeded(Ended.KILLED, f"the script was ended by {name}{hint}")
    return Exceeded(Ended.COMPLETED, f"the script ended with exit code {outcome.exit_code}")


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # nobody is left to read the report
        main()
