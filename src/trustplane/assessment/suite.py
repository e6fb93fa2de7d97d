"""What an assessment measures, and by which rules: its suite."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from trustplane.assessment.checks.contract import Check
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.service import is_reference, parse_reference
from trustplane.values.errors import BadInput, nearest


@dataclass(frozen=True, slots=True)
class Suite:
    """How a model is assessed.

    ``label`` is the column of the hold-out that says what came (0 or 1); empty for its last column. ``protected`` names columns to compare
    groups by, beside those that are found: a suite can add to them and cannot leave one out. ``favourable`` is the class that is good
    for the person decided about: 0 where the model scores a risk. ``threshold`` is the score from which on class 1 is predicted.
    ``parameters`` maps a check's name to parameters that differ from its defaults. ``checks`` names those to run that run on request alone.
    ``time`` is a column of the hold-out that says when each row was.
    ``threat`` is the text of a threat model, or the name of one that the project keeps: ``credit@2``, or ``credit`` for the newest;
    empty for the ``threat.toml`` that the run left.
    """

    label: str = ""
    protected: tuple[str, ...] = ()
    favourable: int = 0
    threshold: float = 0.5
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    time: str = ""
    threat: str = ""


def read_suite(said: Mapping[str, Any]) -> Suite:
    """The suite that a mapping of its fields says; raise :class:`BadInput` (TP-ASSESS-001) for another field or type."""
    known = [f.name for f in fields(Suite)]
    unknown = sorted(set(said) - set(known))
    if unknown:
        raise BadInput("TP-ASSESS-001", f"a suite has no field {unknown[0][:64]!r}", why=nearest(unknown[0], known))
    try:
        return msgspec.convert(said, Suite)
    except msgspec.ValidationError as error:
        raise BadInput("TP-ASSESS-001", "the suite cannot be read", why=str(error)[:300]) from None


def checked_suite(suite: Suite, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The suite as it is kept, with every parameter of every check spelled out; raise :class:`BadInput` where it is not usable."""
    sane = suite.favourable in (0, 1) and 0.0 < suite.threshold < 1.0
    sane = sane and not any("\0" in name for name in (suite.label, suite.time, *suite.protected))
    if not sane or len(suite.protected) > 50 or any(not 0 < len(n) <= 256 for n in suite.protected):
        raise BadInput("TP-ASSESS-001", "a field of the suite is out of bounds")
    unknown = sorted({*suite.parameters, *suite.checks} - set(checks))
    if unknown:
        raise BadInput("TP-ASSESS-001", f"there is no check {unknown[0][:64]!r}", why=nearest(unknown[0], checks))
    if suite.threat and not is_reference(suite.threat):
        _parsed(suite.threat)
    return {
        "threat": suite.threat,
        "label": suite.label[:256],
        "protected": list(suite.protected),
        "time": suite.time[:256],
        "favourable": suite.favourable,
        "threshold": suite.threshold,
        "parameters": {
            name: _parameters(check, suite.parameters.get(name, {}))
            for name, check in checks.items()
            if not check.descriptor.on_request or name in suite.checks
        },
    }


def _parsed(text: str) -> None:
    """Raise where it is no threat model; a line that is no TOML at all may be meant as a name."""
    try:
        parse_threat(text)
    except BadInput:
        if "\n" not in text and "=" not in text:
            parse_reference(text)
        raise


def _parameters(check: Check, given: Mapping[str, float]) -> dict[str, float]:
    defaults = {p.name: p.default for p in check.descriptor.parameters}
    for name, value in given.items():
        if name not in defaults:
            raise BadInput(
                "TP-ASSESS-001",
                f"the check {check.descriptor.name} has no parameter {name[:64]!r}",
                why=nearest(name, defaults),
            )
        if not math.isfinite(value) or value < 0:
            raise BadInput("TP-ASSESS-001", f"the parameter {check.descriptor.name}.{name} is no number from 0 on")
    return {name: float(given.get(name, default)) for name, default in defaults.items()}
