"""The options of a person in words: which features would have to be otherwise, from what to what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trustplane.assessment.explaining.arrays import Floats
from trustplane.assessment.explaining.recourse import Option, Sought
from trustplane.assessment.explaining.wording import Group, Phrase, Wording, phrase
from trustplane.training.threats.model import ThreatModel

NOTHING = "nothing within the budget of the threat model turns the decision"
OUT_OF_TIME = "nothing was found before the time was up"
GAPS = "the row has gaps, so what would turn the decision is not known"
OUTSIDE = "the row is none that can exist by the relations of the threat model, so nothing was looked for"


@dataclass(frozen=True, slots=True)
class Change:
    """A feature, or a one-hot group by its name, before and after. ``follows`` says that it follows from the others."""

    feature: str
    before: float | str
    after: float | str
    text: str
    follows: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """One option in words, the change that costs most first."""

    changes: tuple[Change, ...]
    cost: float
    distance: float
    score: float


@dataclass(frozen=True, slots=True)
class Counterfactuals:
    """The options of a person whom a decision was unfavourable about; ``said`` says why there is none."""

    options: tuple[Advice, ...]
    said: str = ""


def advised(
    sought: Sought, rows: Floats, threat: ThreatModel, names: Sequence[str], wording: Wording
) -> list[Counterfactuals]:
    """What was sought for ``rows``, of shape (rows, features), in the words of the model."""
    none = NOTHING if sought.complete else OUT_OF_TIME
    told = []
    for row, options in zip(rows, sought.options, strict=True):
        advice = tuple(
            Advice(_changes(option, row, threat, names, wording), option.cost, option.distance, option.score)
            for option in options
        )
        told.append(Counterfactuals(advice, "" if advice else none))
    return told


def _changes(
    option: Option, row: Floats, threat: ThreatModel, names: Sequence[str], wording: Wording
) -> tuple[Change, ...]:
    follows = {d.feature for d in threat.derived}
    group_of = {member: g for g in threat.groups for member in g.features}
    listed = {f.name: f for f in threat.features}
    found: dict[str, tuple[float, Change]] = {}
    for column in option.changed:
        name = names[column]
        effort = abs(float(option.row[column] - row[column])) / listed[name].scale * listed[name].cost
        if name in group_of:
            group = group_of[name]
            ends = [_member(group.features, names, r) for r in (row, option.row)]
            text = _choice(wording, group.name, ends[0], ends[1])
            before = found[group.name][0] if group.name in found else 0.0
            found[group.name] = (before + effort, Change(group.name, ends[0], ends[1], text, follows=False))
            continue
        side = "low" if option.row[column] > row[column] else "high"
        text = phrase(wording, _told_as(wording, name), side)
        change = Change(name, _short(row[column]), _short(option.row[column]), text, name in follows)
        found[name] = (effort, change)
    ordered = sorted(found.values(), key=lambda each: (each[1].follows, -each[0], each[1].feature))
    return tuple(change for _, change in ordered)


def _told_as(wording: Wording, name: str) -> str:
    """The group of the wording that a feature without words of its own stands in, or the feature."""
    if name in wording.features:
        return name
    return next((told for told, group in wording.groups.items() if name in group.features), name)


def _choice(wording: Wording, group: str, before: str, after: str) -> str:
    known: Phrase | Group | None = wording.features.get(before)
    return known.high if known and known.high else f"{group} is {before} and not {after}"


def _member(features: Sequence[str], names: Sequence[str], row: Floats) -> str:
    places = [names.index(f) for f in features]
    return features[int(np.argmax(row[places]))]


def _short(value: float) -> float:
    """A number of single precision by the fewest digits that tell it from others."""
    return float(str(np.float32(value)))
