"""The process that judges files: it is sent one open file after another, and judges each in a confined child of its own.

Run as ``python -m trustplane.release.scanning.worker``; its standard input is a socket, on which each message is a file descriptor with
the file's name, and each answer the JSON of a :class:`Scan`, behind its length.
"""

import os
import signal
import socket
import struct
import sys
from dataclasses import replace
from typing import NoReturn

import msgspec

from trustplane.release.scanning.content import File, Reader
from trustplane.release.scanning.contract import Judgement, Objection, Rejected, Rule
from trustplane.release.scanning.frame import installed, judge

LENGTH = struct.Struct("<I")
LONGEST_NAME = 1 << 16


class Scan(msgspec.Struct, frozen=True):
    """What came of one file; without a digest where it could not be read to its end."""

    size: int
    digest: str
    judgement: Judgement


def main() -> int:
    """Answer until the other side is done."""
    installed()  # before the first fork, so that each child has them
    line = socket.socket(fileno=os.dup(0))
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, LONGEST_NAME, 1)
        if not message or not descriptors:
            return 0
        answer = _in_child(descriptors[0], message.decode("utf-8", "surrogateescape"))
        os.close(descriptors[0])
        line.sendall(LENGTH.pack(len(answer)) + answer)


def _in_child(descriptor: int, name: str) -> bytes:
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if not child:
        _become(descriptor, name, parent, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and answer:
        return answer
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}
    why = (
        "judging it takes more time or memory than a scan may use"
        if killed
        else "the process that judged it ended before its time"
    )
    return refused(os.fstat(descriptor).st_size, Objection(Rule.TOO_MUCH, why))


def refused(size: int, objection: Objection) -> bytes:
    """The answer for a file that nobody judged."""
    return msgspec.json.encode(Scan(size, "", Judgement("unknown", (objection,))))


def _become(descriptor: int, name: str, parent: int, writing: int) -> NoReturn:
    status = 1
    try:
        from trustplane.release.scanning.confinement import confine

        file = File(descriptor)
        confine(file.size, parent)
        answer = memoryview(msgspec.json.encode(_scan(file, name)))
        while answer:
            answer = answer[os.write(writing, answer) :]
        status = 0
    finally:  # whatever happens, the child never goes on as a second worker
        os._exit(status)


def _scan(file: File, name: str) -> Scan:
    judgement = judge(Reader(file, name))
    try:
        return Scan(file.size, file.finish(), judgement)
    except Rejected as rejected:
        return Scan(file.size, "", replace(judgement, objections=(*judgement.objections, rejected.objection)))


if __name__ == "__main__":
    sys.exit(main())
