"""Checks of the options of steps."""

import math
from typing import Any

from trustplane.values.errors import BadInput


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number between two bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadInput("TP-DATA-130", f"{name} is a whole number from {least:,} to {most:,}")
    return value


def number(name: str, value: Any) -> float:
    """A finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise BadInput("TP-DATA-130", f"{name} is a number")
    return float(value)


def words(name: str, value: Any, least: int = 1, most: int = 100) -> str:
    """A text of some length."""
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise BadInput("TP-DATA-130", f"{name} is a text of {least} to {most} characters")
    return value


def one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    """One of some words."""
    if value not in known:
        raise BadInput("TP-DATA-130", f"{name} is one of {', '.join(known)}")
    return str(value)
