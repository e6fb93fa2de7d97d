"""Errors as part of the product: a stable code, what happened, why, and what to do.

Every code stands in ``catalogue.toml`` beside this module with its title, its meaning, its HTTP status and its exit code.
The families below say who is at fault::

    TrustplaneError
    ├── BadInput      the request or a file is wrong               exit 2
    ├── Denied        policy said no                               exit 4
    ├── Refused       a rule of the lifecycle said no              exit 1
    ├── NotFound      there is no such thing                       exit 2
    ├── Conflict      it collides with what is there               exit 1
    ├── Unavailable   something needed is not there now            exit 3
    └── Tampered      evidence does not hold                       exit 1
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What the catalogue says of one error code."""

    code: str
    title: str
    meaning: str
    fix: str
    status: int
    exit: int


@cache
def catalogue() -> Mapping[str, CodeEntry]:
    """Every error code of the product, by code."""
    raw = tomllib.loads(files("trustplane.values").joinpath("catalogue.toml").read_text("utf-8"))
    return {
        code: CodeEntry(code, e["title"], e["meaning"], e["fix"], e.get("status", 400), e.get("exit", 2))
        for code, e in sorted(raw.items())
    }


class TrustplaneError(Exception):
    """An error that a user may meet. ``str()`` of it is one plain paragraph, safe to show: it holds no secret and no personal data."""

    def __init__(
        self, code: str, what: str, *, why: str = "", fix: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        entry = catalogue()[code]
        self.code = code
        self.what = what
        self.why = why
        self.fix = fix or entry.fix
        self.status = entry.status
        self.exit = entry.exit
        self.title = entry.title
        self.facts: dict[str, Any] = dict(facts or {})
        super().__init__(what)

    def __str__(self) -> str:
        because = f": {self.why}" if self.why else ""
        return f"{self.code} {self.what}{because}"

    def problem(self) -> dict[str, Any]:
        """The error as an RFC 9457 problem document."""
        body: dict[str, Any] = {
            "type": f"urn:trustplane:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.what,
            "code": self.code,
        }
        if self.why:
            body["why"] = self.why
        if self.fix:
            body["fix"] = self.fix
        if self.facts:
            body["facts"] = self.facts
        return body


class BadInput(TrustplaneError):
    """The request or a file is wrong."""


class Denied(TrustplaneError):
    """Policy said no."""


class Refused(TrustplaneError):
    """A rule of the lifecycle said no: a gate, a limit, a state."""


class NotFound(TrustplaneError):
    """There is no such thing, or the actor may not know that there is."""


class Conflict(TrustplaneError):
    """It collides with what is there."""


class Unavailable(TrustplaneError):
    """Something needed is not there now: a key, a disk, a library, a service."""


class Tampered(TrustplaneError):
    """Evidence does not hold: a digest, a signature, a proof."""


class Unauthenticated(TrustplaneError):
    """Nobody, or nobody any more: a missing, unknown, expired or revoked credential."""


FAMILIES: tuple[type[TrustplaneError], ...] = (
    BadInput,
    Denied,
    Refused,
    NotFound,
    Conflict,
    Unavailable,
    Tampered,
    Unauthenticated,
)


def missing_extra(library: str, extra: str, purpose: str) -> Unavailable:
    """The error for a library that an extra brings and this installation lacks."""
    return Unavailable(
        "TP-SETUP-001",
        f"{purpose} needs the library {library}, which is not installed",
        fix=f"install the extra: pip install 'trustplane[{extra}]'",
    )


def nearest(name: str, known: Mapping[str, Any] | list[str] | set[str] | tuple[str, ...]) -> str:
    """A hint with the known names nearest to ``name``, or an empty string."""
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else ""
