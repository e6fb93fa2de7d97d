"""Scanning files, folders and bytes: what is there is opened here, and judged in another process.

A path is never followed through a link, and nothing but a regular file is opened.
"""

import atexit
import os
import select
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import msgspec

from trustplane.release.scanning.contract import Judgement, Objection, Rule
from trustplane.release.scanning.worker import LENGTH, Scan, refused
from trustplane.values.errors import BadInput, Unavailable
from trustplane.values.outcomes import Failed, Inconclusive, Passed

_WORKER = "trustplane.release.scanning.worker"
_DEEPEST = 64
_KEEPING = threading.Lock()
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


@dataclass(frozen=True, slots=True)
class Scanned:
    """One file: where it was, and what was found."""

    path: str
    size: int
    digest: str
    judgement: Judgement


def verdict(scanned: Scanned) -> Passed | Failed | Inconclusive:
    """Whether a file may pass. What could not be checked does not."""
    objections = scanned.judgement.objections
    against = [each for each in objections if each.rule is not Rule.NOT_CHECKED]
    if against:
        return Failed(told(against[0]), "see 'trustplane explain TP-RELEASE-020'")
    if objections:
        return Inconclusive(told(objections[0]), "install what is missing, or have the model in another format")
    return Passed(f"nothing speaks against this {scanned.judgement.format} file")


def told(objection: Objection) -> str:
    """An objection in one line, with where it is."""
    place = " in ".join(reversed(objection.place))
    at = f" at byte {objection.offset:,}" if objection.offset >= 0 else ""
    return f"{objection.message}{at}{f' of {place}' if place else ''}"


def scan_paths(paths: Iterable[Path]) -> Iterator[Scanned]:
    """Every regular file at and below these paths, in the order of their names; each judged as soon as it is asked for."""
    with Judge() as judge:
        for path in paths:
            if not path.exists() and not path.is_symlink():
                raise BadInput("TP-RELEASE-021", "there is no such file or folder", why=str(path))
            # What was named is meant, also through a link; what is found below a folder is not.
            yield from _below(judge, str(path.resolve() if path.is_symlink() and path.exists() else path), str(path), 0)


def scan_chunks(chunks: Iterable[bytes], name: str) -> Scanned:
    """Judge bytes as the file that they would be. They lie in memory meanwhile: what was opened by a key goes to no disk."""
    with os.fdopen(os.memfd_create("scan", os.MFD_CLOEXEC), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        with _judge() as judge:
            return _scanned(name, judge.of(file.fileno(), name))


class Judge:
    """The other process; it starts with the first file, and again after one that it did not survive."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def of(self, descriptor: int, name: str) -> Scan:
        """What it says of an open file."""
        size = os.fstat(descriptor).st_size
        deadline = time.monotonic() + 120 + size / (5 << 20)
        for _ in range(2):  # the process may have been gone before it was asked
            try:
                return self._asked(descriptor, name, deadline)
            except TimeoutError:
                self.end()
                break
            except (OSError, EOFError):
                self.end()
        why = "judging it takes more time than a scan may use, or ends its process"
        return msgspec.json.decode(refused(size, Objection(Rule.TOO_MUCH, why)), type=Scan)

    def _asked(self, descriptor: int, name: str, deadline: float) -> Scan:
        line = self._started()
        socket.send_fds(line, [name.encode("utf-8", "surrogateescape")[:4096] or b"?"], [descriptor])
        length = LENGTH.unpack(_exactly(line, LENGTH.size, deadline))[0]
        return msgspec.json.decode(_exactly(line, length, deadline), type=Scan)

    def _started(self) -> socket.socket:
        if self._line is not None:
            return self._line
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a module of this package
                    [sys.executable, "-I", "-m", _WORKER],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        except OSError as error:
            ours.close()
            raise Unavailable(
                "TP-RELEASE-022", "the process that scans cannot be started", why=error.strerror or ""
            ) from None
        self._line = ours
        return ours

    def end(self) -> None:
        """End the process."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None


@contextmanager
def _judge() -> Iterator[Judge]:
    """The process that this one keeps for small questions, or one more while it is busy."""
    if not _KEEPING.acquire(blocking=False):
        with Judge() as judge:
            yield judge
        return
    try:
        yield _kept(os.getpid())
    finally:
        _KEEPING.release()


@lru_cache(maxsize=1)
def _kept(_process: int) -> Judge:
    """By process: what a fork inherits is its parent's."""
    judge = Judge()
    atexit.register(judge.end)
    return judge


def _exactly(line: socket.socket, size: int, deadline: float) -> bytes:
    parts, missing = [], size
    while missing:
        ready, _, _ = select.select([line], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            raise TimeoutError
        got = line.recv(min(missing, 1 << 20))
        if not got:
            raise EOFError
        parts.append(got)
        missing -= len(got)
    return b"".join(parts)


def _below(judge: Judge, path: str, shown: str, depth: int) -> Iterator[Scanned]:
    try:
        found = os.lstat(path)
        if stat.S_ISDIR(found.st_mode):
            names = sorted(os.listdir(path))  # noqa: PTH208 - names may be no text
            if depth > _DEEPEST:
                yield _objected(shown, Rule.TOO_DEEP, f"folders are nested more than {_DEEPEST} deep")
                return
            for name in names:
                yield from _below(judge, os.path.join(path, name), os.path.join(shown, name), depth + 1)  # noqa: PTH118 - names may be no text
            return
        if stat.S_ISLNK(found.st_mode):
            yield _objected(shown, Rule.OUTSIDE, "it is a symbolic link, which is not followed")
            return
        if not stat.S_ISREG(found.st_mode):
            yield _objected(shown, Rule.UNREADABLE, "it is no regular file")
            return
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        yield _objected(shown, Rule.UNREADABLE, f"it cannot be read: {error.strerror}")
        return
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            yield _objected(shown, Rule.UNREADABLE, "it is no regular file")
            return
        with suppress(OSError, AttributeError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        yield _scanned(shown, judge.of(descriptor, os.path.basename(shown)))  # noqa: PTH119 - names may be no text
    finally:
        os.close(descriptor)


def _scanned(path: str, scan: Scan) -> Scanned:
    return Scanned(_text(path), scan.size, scan.digest, scan.judgement)


def _objected(path: str, rule: Rule, message: str) -> Scanned:
    return Scanned(_text(path), 0, "", Judgement("unknown", (Objection(rule, message),)))


def _text(path: str) -> str:
    """A path as text: bytes that are none are written out."""
    return path.encode("utf-8", "backslashreplace").decode()
