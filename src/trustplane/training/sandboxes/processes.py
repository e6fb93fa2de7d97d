"""The processes of a job: who they are, what they use, and how to end them all (proc(5))."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PAUSE = 0.01

Choice = Callable[[Mapping[int, "Process"]], tuple["Process", ...]]
"""Which processes of a table are meant."""


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table.

    CPU time includes that of children that the process has waited for; ``started`` is in clock ticks since boot and
    with the pid names the process for good.
    """

    pid: int
    parent: int
    session: int
    state: str
    threads: int
    cpu_seconds: float
    started: int
    resident_bytes: int


def parse_stat(text: str) -> Process:
    """Read ``/proc/<pid>/stat``. The command in parentheses is the process's own choice and may hold anything."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()  # from field 3, the state
    return Process(
        pid=int(head.split(" ", 1)[0]),
        parent=int(fields[1]),
        session=int(fields[3]),
        state=fields[0],
        threads=int(fields[17]),
        cpu_seconds=sum(map(int, fields[11:15])) / _TICKS,
        started=int(fields[19]),
        resident_bytes=int(fields[21]) * _PAGE,
    )


def process_table() -> dict[int, Process]:
    """Every process that can be seen, by pid."""
    table: dict[int, Process] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (process := _read(int(folder.name))) is not None:
            table[process.pid] = process
    return table


def _read(pid: int) -> Process | None:
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text(errors="replace"))
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return None


def descendants(root: int, table: Mapping[int, Process]) -> tuple[Process, ...]:
    """The processes of ``table`` that descend from ``root``, without it."""
    children: dict[int, list[Process]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process)
    found: dict[int, Process] = {}
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child.pid != root and child.pid not in found:
                found[child.pid] = child
                waiting.append(child.pid)
    return tuple(found.values())


def session_members(session: int, table: Mapping[int, Process]) -> tuple[Process, ...]:
    """The processes of ``table`` in one session, its leader included."""
    return tuple(process for process in table.values() if process.session == session)


def resident_memory(processes: Iterable[Process]) -> int:
    """Bytes of memory that the processes hold, shared pages counted once for each of them."""
    return sum(process.resident_bytes for process in processes)


def proportional_memory(processes: Iterable[Process]) -> int:
    """Bytes of memory that the processes hold, each shared page divided among its holders; slower to read."""
    return sum(_proportional(process) for process in processes)


def _proportional(process: Process) -> int:
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except PermissionError:
        return process.resident_bytes
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def reap() -> dict[int, int]:
    """Collect the children that have ended: pid to wait status."""
    ended: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while (result := os.waitpid(-1, os.WNOHANG))[0]:
            ended[result[0]] = result[1]
    return ended


def end_all(choose: Choice, seconds: float) -> tuple[int, ...]:
    """Kill the processes that ``choose`` finds until none lives; return the pids still alive after ``seconds``.

    Repeated, because a process may fork between the listing and the signal.
    """
    deadline = time.monotonic() + seconds
    while alive := [process for process in choose(process_table()) if process.state not in "ZX"]:
        if time.monotonic() >= deadline:
            break
        for process in alive:
            _kill(process)
        time.sleep(_PAUSE)
    return tuple(process.pid for process in alive)


def _kill(process: Process) -> None:
    # By pidfd, checked again after opening: the pid may have gone to a process that is none of ours.
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(process.pid)
        try:
            found = _read(process.pid)
            if found is not None and found.started == process.started:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)
