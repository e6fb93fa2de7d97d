"""Scanning bytes in this process: what is judged is the same, without a process of its own."""

import pytest

from trustplane.release.scanning.content import Held, Reader
from trustplane.release.scanning.frame import judge


@pytest.fixture(scope="session")
def judged():
    """Judge bytes as a file."""

    def do(data, name="file"):
        return judge(Reader(Held(data), name))

    return do


@pytest.fixture
def rules(judged):
    """The rules that speak against bytes."""
    return lambda data: {str(o.rule) for o in judged(data).objections}
