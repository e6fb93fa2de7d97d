"""What is asked of a run on the command line, as the SDK takes it."""

import json
from collections.abc import Sequence
from typing import Any

from trustplane.cli.context import Usage

GIB = 1 << 30


def asked_limits(memory: float | None, time: float | None) -> dict[str, float]:
    """The limits that are lower than the profile's: memory in GiB, wall time in seconds."""
    limits: dict[str, float] = {}
    if memory is not None:
        limits["memory_bytes"] = int(memory * GIB)
    if time is not None:
        limits["wall_seconds"] = time
    return limits


def parameters_of(given: Sequence[str]) -> dict[str, Any]:
    """Parameters from ``name=value``; a value that is JSON is read as such."""
    return dict(_parameter(text) for text in given)


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Usage(f"{text!r} is not of the form name=value")
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    return name, read if isinstance(read, str | int | float | bool) else value
