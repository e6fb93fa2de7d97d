"""Injected time: nothing that decides reads the system clock by itself."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the present moment."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock for tests and replays: it stands still until told to move."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **delta: float) -> None:
        """Move forward by ``timedelta(**delta)``; a negative amount moves back, as broken clocks do."""
        self._now += timedelta(**delta)


def rfc3339(moment: datetime) -> str:
    """Write an aware moment as RFC 3339 in UTC with microseconds: ``2026-11-23T09:30:00.000000Z``."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"  # "+00:00" goes


def parse_rfc3339(text: str) -> datetime:
    """Read what :func:`rfc3339` writes, and any other ISO 8601 moment that names its offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say its offset from UTC")
    return moment.astimezone(UTC)


def unix_ms(moment: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z."""
    return int(moment.timestamp() * 1000)


def monotonic() -> float:
    """Seconds on a clock that never goes back; for durations only."""
    return time.monotonic()
