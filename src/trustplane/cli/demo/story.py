"""Telling what happened, which rule decided, and where the evidence is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from trustplane.cli.context import settings
from trustplane.values.errors import TrustplaneError


@dataclass(slots=True)
class Step:
    """One step of the story, and how it went."""

    number: int
    name: str
    verdict: str = "failed"
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tampering:
    """One falsification, and what found it."""

    what: str
    caught: bool
    found: str


class Failed(Exception):
    """A step did not go as it must."""


class Story:
    """The story so far."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.tamperings: list[Tampering] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Tell one step. It passes if nothing in it raises; what was expected and did not happen raises."""
        made = Step(len(self.steps) + 1, name)
        self.steps.append(made)
        self.line(f"\n{made.number}. {name}")
        began = time.monotonic()
        try:
            yield made
            made.verdict = "passed"
        except (TrustplaneError, Failed) as error:
            made.why = str(error)
            self.line(f"   FAILED: {error}")
        made.seconds = round(time.monotonic() - began, 1)

    def line(self, text: str) -> None:
        """A line of the story."""
        (sys.stderr if settings.json else sys.stdout).write(f"{text}\n")
        (sys.stderr if settings.json else sys.stdout).flush()

    def tell(self, text: str) -> None:
        """Something that happened in a step."""
        self.line(f"   {text}")

    def refused(self, step: Step, attempt: str, act: Callable[[], object], code: str) -> None:
        """Something that must not work; raise unless it is refused with this code."""
        try:
            act()
        except TrustplaneError as error:
            if not error.code.startswith(code):
                raise Failed(f"{attempt}: {error}") from None
            step.refused.append(f"{attempt}: {error}")
            self.tell(f"refused  {attempt}")
            self.tell(f"         {error.code}: {error.why or error.what}")
            return
        raise Failed(f"{attempt} was not refused")

    def tampered(self, what: str, found: str | None) -> None:
        """How a falsification ended."""
        self.tamperings.append(Tampering(what, found is not None, found or "nothing noticed it"))
        self.tell(f"{'caught' if found else 'NOT CAUGHT'}  {what}")
        self.tell(f"        {found or 'nothing noticed it'}")

    @property
    def sound(self) -> bool:
        """Whether every step passed and every falsification was caught."""
        return (
            len(self.steps) == 8
            and all(s.verdict == "passed" for s in self.steps)
            and len(self.tamperings) == 4
            and all(t.caught for t in self.tamperings)
        )

    def facts(self) -> dict[str, Any]:
        """The story as JSON."""
        return {
            "sound": self.sound,
            "steps": [asdict(s) for s in self.steps],
            "tamperings": [asdict(t) for t in self.tamperings],
        }


def require(holds: object, what: str) -> None:
    """Raise unless it holds."""
    if not holds:
        raise Failed(what)
