"""Identifiers: UUID version 7 (RFC 9562 section 5.7) and the names that people give."""

import re
import threading
import time

from trustplane.values.errors import BadInput
from trustplane.values.randomness import random_bytes

_lock = threading.Lock()
_last = 0

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")


def new_id() -> str:
    """A UUIDv7 as text: 48 bits of Unix milliseconds, then a counter and randomness.

    Identifiers made by one process are strictly increasing, also when the clock steps back
    (RFC 9562 section 6.2, method 1: the 12-bit ``rand_a`` field continues the timestamp).
    """
    global _last  # noqa: PLW0603 - one counter for the process is the point
    tick = time.time_ns() * 4096 // 1_000_000  # milliseconds in the high bits, 12 bits of fraction below
    with _lock:
        _last = tick = max(tick, _last + 1)
    millis, fraction = tick >> 12, tick & 0xFFF
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62
    value |= int.from_bytes(random_bytes(8)) & (2**62 - 1)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def check_name(kind: str, name: str) -> str:
    """Return ``name`` if it may name a ``kind``; raise :class:`BadInput` otherwise.

    A name is 1 to 64 lower-case letters, digits, dots, hyphens and underscores, and starts and ends with a letter or digit,
    so that it is safe in a path, a URL and a policy.
    """
    if not NAME.match(name):
        shown = name if len(name) <= 80 else name[:77] + "..."
        raise BadInput(
            "TP-VALUE-001",
            f"{shown!r} cannot name a {kind}",
            fix="use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting and ending with a letter or digit",
        )
    return name
