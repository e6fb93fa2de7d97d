"""A first suite for a model, as the TOML text that people go on with. No I/O."""

import json
from collections.abc import Iterable, Mapping, Sequence

from trustplane.assessment.checks.contract import Check, Parameter, Stricter

_WAYS = {
    Stricter.HIGHER: "higher is stricter",
    Stricter.LOWER: "lower is stricter",
    Stricter.NEITHER: "neither way is stricter",
}


def draft_suite(model: str, features: Sequence[str], checks: Mapping[str, Check]) -> str:
    """The suite that measures ``model`` by every rule's default, with the checks that run on request named and left out."""
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
        "",
        f"# The model takes {len(features)} features{': ' + ', '.join(_plain(features)) if features else ''}.",
    ]
    for name, check in checks.items():
        if check.descriptor.parameters:
            lines += ["", f"# {check.descriptor.question}", f"[parameters.{name}]"]
            lines += [line for parameter in check.descriptor.parameters for line in _parameter(parameter)]
    return "\n".join([*lines, ""])


def _plain(features: Sequence[str]) -> Iterable[str]:
    shown = features[:12]
    yield from ("".join(c if c.isprintable() else "?" for c in name) for name in shown)
    if len(features) > len(shown):
        yield "and so on"


def _parameter(parameter: Parameter) -> tuple[str, str]:
    return f"# {_WAYS[parameter.stricter]}; {parameter.source}", f"{parameter.name} = {parameter.default!r}"
