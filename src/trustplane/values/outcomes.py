"""Outcomes with reasons: what a judgement returns. None of them is a bare boolean, so a forgotten ``if`` cannot become an approval."""

from dataclasses import dataclass, field
from typing import NoReturn


class _NotABoolean:
    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not a truth value: match on its type")


@dataclass(frozen=True, slots=True)
class Allowed(_NotABoolean):
    """The policy allows it; ``policies`` are the ids of the policies that decided."""

    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Denial(_NotABoolean):
    """The policy does not allow it. ``policies`` is empty when no policy permits it at all."""

    reason: str
    policies: tuple[str, ...] = ()


Decision = Allowed | Denial


@dataclass(frozen=True, slots=True)
class Passed(_NotABoolean):
    """The check holds."""

    reason: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed(_NotABoolean):
    """The check does not hold; ``remedy`` says what would make it hold."""

    reason: str
    remedy: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inconclusive(_NotABoolean):
    """The check could not be made: evidence is missing or too old. It never counts as passed."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class NotApplicable(_NotABoolean):
    """The check asks nothing of this subject."""

    reason: str


Verdict = Passed | Failed | Inconclusive | NotApplicable
