"""Random bytes are given once: not twice in a process, not to two threads, not to a parent and its child."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from trustplane.values.randomness import random_bytes


@pytest.mark.parametrize("size", [0, 1, 8, 32, 8191, 8192])
def test_as_many_as_asked_for(size):
    assert len(random_bytes(size)) == size


def test_none_is_given_twice():
    with ThreadPoolExecutor(8) as threads:
        given = [
            piece
            for pieces in threads.map(lambda _: [random_bytes(16) for _ in range(2000)], range(8))
            for piece in pieces
        ]
    assert len({*given}) == len(given) == 16_000


def test_a_child_is_given_others():
    random_bytes(1)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, random_bytes(16))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 16)
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 16
    assert random_bytes(16) != theirs
