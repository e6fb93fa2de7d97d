"""Threat models as TOML text, in the form that :mod:`trustplane.training.threats.parsing` reads."""

import json

from trustplane.training.threats.model import Direction, Feature, Kind, ThreatModel


def written(threat: ThreatModel) -> str:
    """The file; reading it gives an equal threat model."""
    lines = [f"name = {_text(threat.name)}"]
    if threat.draft:
        lines += [
            "# Made from data alone. Take this line out when people have decided that the rest is right.",
            "draft = true",
        ]
    lines += ["", "[attacker]", f'knowledge = "{threat.knowledge}"', "", "[goal]", f"start = {threat.goal.start}"]
    lines += [f"margin = {_number(threat.goal.margin)}", "", "[budget]", f'norm = "{threat.budget.norm}"']
    lines.append(f"distance = {_number(threat.budget.distance)}")
    if threat.budget.cost is not None:
        lines.append(f"cost = {_number(threat.budget.cost)}")
    if threat.budget.features is not None:
        lines.append(f"features = {threat.budget.features}")
    if threat.groups:
        lines += ["", "[groups]"]
        lines += [f"{_text(g.name)} = [{', '.join(map(_text, g.features))}]" for g in threat.groups]
    if threat.derived:
        lines += ["", "[derived]", *(f"{_text(d.feature)} = {_text(d.text)}" for d in threat.derived)]
    lines += ["", "[features]", *map(_feature, threat.features)]
    for relation in threat.relations:
        lines += ["", "[[relations]]", f"name = {_text(relation.name)}", f"holds = {_text(relation.text)}"]
        lines.append(f"tolerance = {_number(relation.tolerance)}")
    return "\n".join(lines) + "\n"


def _feature(feature: Feature) -> str:
    terms = [] if feature.kind is Kind.CATEGORY else [f'type = "{feature.kind}"']
    terms.append(f"mutable = {'true' if feature.mutable else 'false'}")
    terms += [f"low = {_number(feature.low)}", f"high = {_number(feature.high)}", f"scale = {_number(feature.scale)}"]
    if feature.direction is not Direction.ANY:
        terms.append(f'direction = "{feature.direction}"')
    if feature.cost != 1.0:
        terms.append(f"cost = {_number(feature.cost)}")
    return f"{_text(feature.name)} = {{ {', '.join(terms)} }}"


def _number(value: float) -> str:
    """The shortest decimal that reads back the same; TOML wants a point or an exponent in a float and takes whole numbers as well."""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _text(text: str) -> str:
    # JSON's strings are TOML's basic strings, once DEL is escaped too
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
