"""What a job uses, measured from outside, and the judgement of it."""

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trustplane.training.sandboxes.contract import Ended, Limits

_LOOKS = 50
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Usage:
    """What all the processes of a job use together at one moment."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    processes: int = 0
    threads: int = 0
    output_bytes: int = 0
    output_files: int = 0


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that was passed, and the words for the user."""

    ended: Ended
    reason: str


def judge(usage: Usage, limits: Limits) -> Exceeded | None:
    """The first limit that ``usage`` is beyond, or ``None``."""
    if usage.memory_bytes > limits.memory_bytes:
        used, allowed = f"{usage.memory_bytes:,} bytes of memory", f"{limits.memory_bytes:,}"
        ended = Ended.MEMORY
    elif usage.output_bytes > limits.output_bytes:
        used, allowed = f"{usage.output_bytes:,} bytes of disk", f"{limits.output_bytes:,}"
        ended = Ended.DISK
    elif usage.output_files > limits.output_files:
        used, allowed = f"{usage.output_files:,} files", f"{limits.output_files:,}"
        ended = Ended.DISK
    elif usage.processes > limits.processes:
        used, allowed = f"{usage.processes:,} processes", f"{limits.processes:,}"
        ended = Ended.PROCESSES
    elif usage.threads > limits.threads:
        used, allowed = f"{usage.threads:,} threads", f"{limits.threads:,}"
        ended = Ended.PROCESSES
    elif usage.cpu_seconds > limits.cpu_seconds:
        used, allowed = f"{usage.cpu_seconds:.1f} s of CPU time", f"{limits.cpu_seconds:g} s"
        ended = Ended.CPU
    elif usage.wall_seconds > limits.wall_seconds:
        used, allowed = f"{usage.wall_seconds:.1f} s", f"{limits.wall_seconds:g} s"
        ended = Ended.TIMED_OUT
    else:
        return None
    return Exceeded(ended, f"the script used {used}, the limit is {allowed}")


def measure_output(folder: Path, pids: Iterable[int], limits: Limits) -> Usage:
    """Bytes and number of the files in ``folder``, and of deleted files beside them that the processes hold open.

    A file counts with the larger of its length and its blocks, so that a sparse file cannot surprise who copies it.
    Counting stops beyond a limit. A folder that cannot be read, or lies deeper than a path can say, is measured as beyond:
    what cannot be counted is not allowed.
    """
    device = folder.stat().st_dev
    seen: set[int] = set()
    total = 0
    try:
        for entry in _entries(folder, pids, device):
            if entry.st_ino not in seen:
                seen.add(entry.st_ino)
                total += max(entry.st_size, entry.st_blocks * 512)
            if total > limits.output_bytes or len(seen) > limits.output_files:
                break
    except OSError:
        total = max(total, limits.output_bytes + 1)
    return Usage(output_bytes=total, output_files=len(seen))


def _entries(folder: Path, pids: Iterable[int], device: int) -> Iterator[os.stat_result]:
    waiting = [str(folder)]
    while waiting:
        # What is gone, or no folder any more, was replaced meanwhile.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    for pid in pids:
        yield from _deleted_files(pid, device)


def _deleted_files(pid: int, device: int) -> list[os.stat_result]:
    """The deleted files that a process holds open; raise ``PermissionError`` if it stays closed to us.

    An ordinary user cannot look into a process for the moment in which it becomes another program (ptrace(2), PTRACE_MODE_READ). One
    that makes itself unreadable for longer may hide anything.
    """
    for _ in range(_LOOKS - 1):
        with contextlib.suppress(PermissionError):
            return list(_seen_deleted(pid, device))
        time.sleep(_PAUSE)
    return list(_seen_deleted(pid, device))


def _seen_deleted(pid: int, device: int) -> Iterator[os.stat_result]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found = descriptor.stat()
                if found.st_nlink == 0 and found.st_dev == device and stat.S_ISREG(found.st_mode):
                    yield found
