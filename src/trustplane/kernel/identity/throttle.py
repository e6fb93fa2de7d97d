"""Log-in throttling: how long a subject waits after failures. Pure rules; the counts are rows of the caller."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
FREE_FAILURES = 5
LONGEST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures of one subject since a moment, and until when it is locked."""

    failures: int
    since: datetime
    locked_until: datetime | None = None


def wait(attempts: Attempts | None, now: datetime) -> timedelta:
    """How long the subject must wait before the next try; zero if it may try now."""
    if attempts is None or attempts.locked_until is None or attempts.locked_until <= now:
        return timedelta(0)
    # A clock that stepped back must not lock for longer than the rule allows.
    return min(attempts.locked_until - now, LONGEST)


def after_failure(attempts: Attempts | None, now: datetime) -> Attempts:
    """The state after one more failure: five are free in fifteen minutes, then the wait doubles from one second."""
    if attempts is None or now - attempts.since > WINDOW:
        return Attempts(1, now)
    failures = attempts.failures + 1
    excess = failures - FREE_FAILURES
    locked = now + min(timedelta(seconds=2 ** min(excess, 20)), LONGEST) if excess > 0 else None
    return Attempts(failures, attempts.since, locked)
