"""Cron expressions: five fields, or six with seconds first; all moments are UTC."""

from datetime import UTC, datetime, timedelta

from croniter import croniter  # type: ignore[import-untyped]  # the parser that DBOS itself uses: the two must agree

from trustplane.values.errors import BadInput

INSTANT = timedelta(microseconds=1)


def checked_cron(cron: str) -> str:
    """``cron`` if it is one; raises :class:`BadInput` otherwise."""
    if not croniter.is_valid(cron, second_at_beginning=True):
        raise BadInput("TP-JOB-010", f"{cron[:80]!r} is not a schedule")
    return cron


def latest(cron: str, now: datetime) -> datetime:
    """The last moment of ``cron`` that is not after ``now``."""
    moment: datetime = croniter(cron, now.astimezone(UTC) + INSTANT, second_at_beginning=True).get_prev(datetime)
    return moment


def following(cron: str, now: datetime) -> datetime:
    """The first moment of ``cron`` after ``now``."""
    moment: datetime = croniter(cron, now.astimezone(UTC), second_at_beginning=True).get_next(datetime)
    return moment
