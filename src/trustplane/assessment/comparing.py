"""What changed between two assessments: verdicts, and figures whose intervals lie apart. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Mapping[str, Any]]
"""The results of an assessment as it is kept: by check, its status, reason, figures and intervals."""
_ORDER = {"failed": 0, "no-evidence": 1, "not-applicable": 2, "passed": 3}


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure that both have. ``apart`` says that neither interval reaches into the other, ``None`` that one has no interval."""

    check: str
    name: str
    before: float
    after: float
    before_interval: tuple[float, float] | None
    after_interval: tuple[float, float] | None
    apart: bool | None


@dataclass(frozen=True, slots=True)
class CheckChange:
    """The verdicts of one check, empty where an assessment does not hold it. ``worse`` says that the second is the worse one."""

    check: str
    before: str
    after: str
    worse: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two assessments side by side. ``strict`` says that they measured the same rows by the same rules, so that figures compare."""

    checks: tuple[CheckChange, ...]
    figures: tuple[FigureChange, ...]
    strict: bool
    caveat: str

    @property
    def worse(self) -> tuple[str, ...]:
        """The checks whose verdict got worse."""
        return tuple(c.check for c in self.checks if c.worse)


def compare(before: Results, after: Results, caveat: str = "") -> Comparison:
    """Compare two assessments; ``caveat`` says why their figures may differ for another reason than the model."""
    names = list(dict.fromkeys((*before, *after)))
    checks = tuple(_check(name, before.get(name), after.get(name)) for name in names)
    figures = tuple(
        f for name in names if name in before and name in after for f in _figures(name, before[name], after[name])
    )
    return Comparison(checks, figures, not caveat, caveat)


def caveat_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why the figures of two assessments do not compare strictly, from ``holdout``, ``suite`` and ``seed`` of each; empty if they do."""
    said = []
    if before["holdout"] != after["holdout"]:
        said.append("they were measured on different hold-outs")
    if _rules(before["suite"]) != _rules(after["suite"]):
        said.append("their suites differ")
    if _threat(before["suite"]) != _threat(after["suite"]):
        said.append("their threat models differ")
    return " and ".join(said)


def _rules(suite: Mapping[str, Any]) -> dict[str, Any]:
    """What of a suite changes figures: who asked for it does not."""
    return {
        key: value
        for key, value in suite.items()
        if key in {"label", "protected", "favourable", "threshold", "parameters", "time"}
    }


def _threat(suite: Mapping[str, Any]) -> str:
    """The digest of the threat model; empty where there was none, or it is not on record."""
    return str((suite.get("threat_model") or {}).get("digest", ""))


def _check(name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> CheckChange:
    was, now = ("" if each is None else str(each["status"]) for each in (before, after))
    worse = bool(was and now) and _ORDER.get(now, 0) < _ORDER.get(was, 0)
    return CheckChange(name, was, now, worse, "" if after is None else str(after["reason"]))


def _figures(check: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FigureChange]:
    for name, was in before["figures"].items():
        if name not in after["figures"]:
            continue
        ends = [each["intervals"].get(name) for each in (before, after)]
        one, other = (None if e is None else (float(e[0]), float(e[1])) for e in ends)
        apart = None if one is None or other is None else one[1] < other[0] or other[1] < one[0]
        yield FigureChange(check, name, float(was), float(after["figures"][name]), one, other, apart)
