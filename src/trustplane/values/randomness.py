"""Random bytes in small pieces: drawn from the operating system a few kilobytes at a time, because a system call for each costs more
than all the rest of writing an event, and lets other threads in each time.

For ids and salts. Keys and tokens are drawn from the operating system one by one.
"""

import os
import threading

_DRAW = 8192


class _Drawn(threading.local):
    data = b""
    at = 0


_drawn = _Drawn()


def random_bytes(size: int) -> bytes:
    """``size`` random bytes, at most 8,192, that nobody else has been given."""
    end = _drawn.at + size
    if end > len(_drawn.data):
        _drawn.data, _drawn.at, end = os.urandom(_DRAW), 0, size
    given = _drawn.data[_drawn.at : end]
    _drawn.at = end
    return given


def _forget() -> None:
    _drawn.data, _drawn.at = b"", 0


os.register_at_fork(after_in_child=_forget)  # a child must not give out what its parent still holds
