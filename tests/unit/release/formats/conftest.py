"""Judging bytes in this process, and what their libraries write."""

import pytest

from trustplane.release.scanning.content import PIECE, Held, Reader
from trustplane.release.scanning.frame import judge


@pytest.fixture(scope="session")
def judged():
    """Judge bytes as a file."""

    def do(data, name="file"):
        return judge(Reader(Held(data), name))

    return do


class Large:
    """A file that is a beginning and then zeros, of any size; it remembers the most that was asked of it, and how much passed."""

    def __init__(self, head, size):
        self.head, self.size, self.most, self.passed = head, size, 0, 0

    def fetch(self, offset, most):
        self.most, self.passed = max(self.most, most), self.passed + most
        most = min(most, self.size - offset)
        return (self.head[offset : offset + most] + bytes(most))[:most] if offset < len(self.head) else _ZEROS[:most]


_ZEROS = bytes(PIECE)


@pytest.fixture
def large():
    """Judge a large file; gives what was said and the file."""

    def do(head, size):
        source = Large(head, size)
        return judge(Reader(source, "large")), source

    return do
