"""A first suite for a model, as the TOML text that people go on with. No I/O."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from trustplane.assessment.checks.contract import Check, Parameter, Stricter
from trustplane.assessment.threats import Proposal

_WAYS = {
    Stricter.HIGHER: "higher is stricter",
    Stricter.LOWER: "lower is stricter",
    Stricter.NEITHER: "neither way is stricter",
}


def draft_suite(
    model: str, features: Sequence[str], checks: Mapping[str, Check], threats: Proposal | None = None
) -> str:
    """The suite that measures ``model`` by every rule's default, with the checks that run on request named and left out.

    ``threats`` is what it says of the threat models that the project keeps.
    """
    on_request = [name for name, check in checks.items() if check.descriptor.on_request]
    lines = [
        f"# How {model} is assessed. A control is not satisfied by a parameter that is laxer than the default.",
        "",
        "# The column of the hold-out that says what came, 0 or 1. Its last column unless named.",
        'label = ""',
        "# The class that is good for the person decided about: 0 where the model scores a risk.",
        "favourable = 0",
        "# Class 1 is predicted from this score on.",
        "threshold = 0.5",
        "# Columns to compare groups by, beside those that are found. None can be left out.",
        "protected = []",
        "# A column of dates or numbers that orders the rows in time.",
        'time = ""',
        "# Checks that run on request: they attack the model, train others or change its rows.",
        f"# There are {', '.join(on_request)}." if on_request else "# None is installed.",
        f"checks = [{', '.join(json.dumps(name) for name in on_request)}]",
        *_threat(threats or Proposal()),
        "",
        f"# The model takes {len(features)} features{': ' + ', '.join(_plain(features)) if features else ''}.",
    ]
    for name, check in checks.items():
        if check.descriptor.parameters:
            lines += ["", f"# {check.descriptor.question}", f"[parameters.{name}]"]
            lines += [line for parameter in check.descriptor.parameters for line in _parameter(parameter)]
    return "\n".join([*lines, ""])


def _threat(threats: Proposal) -> Iterator[str]:
    yield "# The threat model that the model is attacked within: one that the project keeps, NAME@NUMBER, or NAME for the newest when it is asked for."
    yield "# Empty for the threat.toml that the run left."
    if threats.draft:
        yield "# This one is a draft: robustness is measured under it and does not pass."
    if threats.others:
        shown = ", ".join(threats.others[:12]) + (" and so on" if len(threats.others) > 12 else "")
        alone = "None of those that the project keeps speaks of the features of this model alone"
        yield f"# {'The project keeps others too' if threats.named else alone}: {shown}."
    yield f"threat = {json.dumps(threats.named)}"


def _plain(features: Sequence[str]) -> Iterable[str]:
    shown = features[:12]
    yield from ("".join(c if c.isprintable() else "?" for c in name) for name in shown)
    if len(features) > len(shown):
        yield "and so on"


def _parameter(parameter: Parameter) -> tuple[str, str]:
    return f"# {_WAYS[parameter.stricter]}; {parameter.source}", f"{parameter.name} = {parameter.default!r}"
