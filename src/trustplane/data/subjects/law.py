"""The law on requests, as data: which rights there are, how long an answer may take, and which grounds it names for delay and refusal."""

import tomllib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from trustplane.values.errors import BadInput, nearest


@dataclass(frozen=True, slots=True)
class Law:
    """One law. ``rights`` maps each kind of request to its term; the other maps say each ground's term in words."""

    name: str
    months: int
    extension: int
    rights: Mapping[str, str]
    delays: Mapping[str, str]
    refusals: Mapping[str, str]
    exceptions: Mapping[str, Mapping[str, str]]

    def due(self, received: datetime) -> datetime:
        """When the answer is due."""
        return months_after(received, self.months)

    def due_extended(self, received: datetime) -> datetime:
        """When it is due once the time was extended: counted from the receipt, so that ends of months do not add up."""
        return months_after(received, self.months + self.extension)

    def check_kind(self, kind: str) -> str:
        """Return ``kind`` if it is a right; raise :class:`BadInput` otherwise."""
        if kind not in self.rights:
            raise BadInput("TP-DATA-070", f"{kind[:40]!r} is no right", why=nearest(kind, self.rights))
        return kind

    def check_delay(self, ground: str) -> str:
        """The full term of a ground for delay."""
        return _ground(ground, self.delays)

    def check_refusal(self, kind: str, ground: str) -> str:
        """The full term of a ground for refusing a request of ``kind``."""
        return _ground(ground, {**self.refusals, **self.exceptions.get(kind, {})})


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and time ``months`` calendar months later, or the last day of that month where it has no such day.

    So Regulation (EEC, Euratom) 1182/71 art. 3(2)(c) counts. That a period does not end on a holiday (art. 3(4)) is left out: holidays
    differ by place, and an answer that comes before the last day is in time everywhere.
    """
    count = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(count, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


@cache
def law() -> Law:
    """The law that is in force here."""
    text = files("trustplane.data.subjects").joinpath("law.toml").read_text()
    said = tomllib.loads(text)
    return Law(
        said["law"],
        said["months"],
        said["extension"],
        said["rights"],
        said["delays"],
        said["refusals"],
        said["exceptions"],
    )


def _ground(ground: str, known: Mapping[str, str]) -> str:
    prefixed = ground if ":" in ground else f"eu-gdpr:{ground}"
    if prefixed not in known:
        why = nearest(prefixed, known) or "it takes " + ", ".join(sorted(known))
        raise BadInput("TP-DATA-071", f"{ground[:80]!r} is no ground that the law names", why=why)
    return prefixed
