"""What differs between two threat models: per feature, group, relation and limit, and whether it lets the attacker do more. No I/O."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from trustplane.training.threats.expressions import Apply
from trustplane.training.threats.model import (
    Derived,
    Direction,
    Feature,
    Group,
    Kind,
    Knowledge,
    Norm,
    Relation,
    ThreatModel,
)

_T = TypeVar("_T")
Value = str | float | int | bool | list[str] | None
_SEES = (Knowledge.LABELS, Knowledge.SCORES, Knowledge.WHITE_BOX)


class Effect(StrEnum):
    """What a difference alone does to the attacker; ``open`` where that cannot be told from it."""

    MORE = "more"
    LESS = "less"
    NONE = "none"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    ``part`` is ``file``, ``attacker``, ``goal``, ``budget``, ``feature``, ``group``, ``derived`` or ``relation``; ``name`` which one of several;
    ``field`` what of it, empty where the whole is there on one side alone. A side that lacks it is None.
    """

    part: str
    name: str
    field: str
    before: Value
    after: Value
    effect: Effect


def compare_threats(before: ThreatModel, after: ThreatModel) -> tuple[Difference, ...]:
    """Every difference that means something, in the order of the file.

    The order of features and relations means nothing, and neither do the bounds of a feature that cannot change.
    """
    return (
        *_file(before, after),
        *_limits(before, after),
        *_features(before, after),
        *_groups(before.groups, after.groups),
        *_derived(before.derived, after.derived),
        *_relations(before.relations, after.relations),
    )


def _file(before: ThreatModel, after: ThreatModel) -> Iterator[Difference]:
    if before.name != after.name:
        yield Difference("file", "", "name", before.name, after.name, Effect.NONE)
    if before.draft != after.draft:
        yield Difference("file", "", "draft", before.draft, after.draft, Effect.NONE)


def _limits(before: ThreatModel, after: ThreatModel) -> Iterator[Difference]:
    if before.knowledge is not after.knowledge:
        effect = _rising(_SEES.index(before.knowledge), _SEES.index(after.knowledge))
        yield Difference("attacker", "", "knowledge", str(before.knowledge), str(after.knowledge), effect)
    if before.goal.start != after.goal.start:
        yield Difference("goal", "", "start", before.goal.start, after.goal.start, Effect.OPEN)
    if before.goal.margin != after.goal.margin:
        effect = _rising(after.goal.margin, before.goal.margin)
        yield Difference("goal", "", "margin", before.goal.margin, after.goal.margin, effect)
    one, other = before.budget, after.budget
    if one.norm is not other.norm:
        # At one distance the ball of the largest change holds that of the Euclidean length.
        effect = Effect.MORE if other.norm is Norm.LINF else Effect.LESS
        yield Difference("budget", "", "norm", str(one.norm), str(other.norm), effect)
    if one.distance != other.distance:
        effect = Effect.OPEN if one.norm is not other.norm else _rising(one.distance, other.distance)
        yield Difference("budget", "", "distance", one.distance, other.distance, effect)
    for field in ("cost", "features"):
        was, now = getattr(one, field), getattr(other, field)
        if was != now:
            effect = _rising(float("inf") if was is None else was, float("inf") if now is None else now)
            yield Difference("budget", "", field, was, now, effect)


def _features(before: ThreatModel, after: ThreatModel) -> Iterator[Difference]:
    was, now = {f.name: f for f in before.features}, {f.name: f for f in after.features}
    follow = ({d.feature for d in before.derived}, {d.feature for d in after.derived})
    for name in dict.fromkeys((*was, *now)):
        one, other = was.get(name), now.get(name)
        if one is None or other is None:
            # A feature that the file does not name cannot change.
            found = one or other
            assert found is not None
            effect = Effect.NONE if not found.mutable else Effect.MORE if one is None else Effect.LESS
            sides = tuple(None if f is None else _said(f) for f in (one, other))
            yield Difference("feature", name, "", sides[0], sides[1], effect)
        else:
            yield from _feature(one, other, (one.mutable or name in follow[0]) and (other.mutable or name in follow[1]))


def _feature(one: Feature, other: Feature, moves: bool) -> Iterator[Difference]:
    """``moves`` says that it can differ from what it was on both sides: else its bounds and the rest bind nobody."""
    if one.mutable != other.mutable:
        effect = Effect.MORE if other.mutable else Effect.LESS
        yield Difference("feature", one.name, "mutable", one.mutable, other.mutable, effect)
    for field, effect_of in _FIELDS.items() if moves else ():
        was, now = getattr(one, field), getattr(other, field)
        if was != now:
            shown = [str(v) if isinstance(v, StrEnum) else v for v in (was, now)]
            name = "type" if field == "kind" else field
            yield Difference("feature", one.name, name, shown[0], shown[1], effect_of(was, now))


def _said(feature: Feature) -> str:
    return f"{'mutable' if feature.mutable else 'immutable'}, {feature.kind}"


def _rising(was: float, now: float) -> Effect:
    return Effect.MORE if now > was else Effect.LESS


def _falling(was: float, now: float) -> Effect:
    return _rising(now, was)


def _kind(was: Kind, now: Kind) -> Effect:
    if Kind.CATEGORY in (was, now):
        return Effect.OPEN
    return Effect.LESS if now is Kind.INTEGER else Effect.MORE


def _direction(was: Direction, now: Direction) -> Effect:
    if Direction.ANY not in (was, now):
        return Effect.OPEN
    return Effect.MORE if now is Direction.ANY else Effect.LESS


_FIELDS: Mapping[str, Callable[[Any, Any], Effect]] = {
    "kind": _kind,
    "low": _falling,
    "high": _rising,
    "direction": _direction,
    "scale": _rising,
    "cost": _falling,
}


def _groups(before: Sequence[Group], after: Sequence[Group]) -> Iterator[Difference]:
    was, now = {g.name: list(g.features) for g in before}, {g.name: list(g.features) for g in after}
    for name in dict.fromkeys((*was, *now)):
        one, other = was.get(name), now.get(name)
        if one is not None and other is not None and set(one) == set(other):
            continue
        yield Difference("group", name, "", one, other, _restricts(one, other))


def _derived(before: Sequence[Derived], after: Sequence[Derived]) -> Iterator[Difference]:
    was, now = {d.feature: d for d in before}, {d.feature: d for d in after}
    for name in dict.fromkeys((*was, *now)):
        one, other = was.get(name), now.get(name)
        if one is not None and other is not None and one.expression == other.expression:
            continue
        texts = [None if d is None else d.text for d in (one, other)]
        yield Difference("derived", name, "", texts[0], texts[1], Effect.OPEN)


def _relations(before: Sequence[Relation], after: Sequence[Relation]) -> Iterator[Difference]:
    """Relations are matched by what they say, and else by their names: a name may be there twice."""
    left, right = list(before), list(after)
    _matched(left, right, lambda r: (r.name, r.expression, r.tolerance))
    for one, other in _matched(left, right, lambda r: r.expression):
        if one.name != other.name:
            yield Difference("relation", other.name, "name", one.name, other.name, Effect.NONE)
        yield from _tolerance(one, other)
    for one, other in _matched(left, right, lambda r: r.name):
        yield Difference("relation", one.name, "holds", one.text, other.text, Effect.OPEN)
        yield from _tolerance(one, other)
    for one in left:
        yield Difference("relation", one.name, "", one.text, None, Effect.MORE)
    for other in right:
        yield Difference("relation", other.name, "", None, other.text, Effect.LESS)


def _tolerance(one: Relation, other: Relation) -> Iterator[Difference]:
    if one.tolerance != other.tolerance:
        eased = isinstance(other.expression, Apply) and other.expression.op in ("<=", "==", ">=")
        effect = _rising(one.tolerance, other.tolerance) if eased else Effect.OPEN
        yield Difference("relation", other.name, "tolerance", one.tolerance, other.tolerance, effect)


def _matched(left: list[_T], right: list[_T], key: Callable[[_T], object]) -> list[tuple[_T, _T]]:
    """Pairs with equal keys, in the order of ``left``; both lists keep what is left over."""
    waiting: dict[object, list[_T]] = {}
    for other in right:
        waiting.setdefault(key(other), []).append(other)
    pairs = [(one, waiting[key(one)].pop(0)) for one in left if waiting.get(key(one))]
    taken = {id(each) for pair in pairs for each in pair}
    left[:] = [one for one in left if id(one) not in taken]
    right[:] = [other for other in right if id(other) not in taken]
    return pairs


def _restricts(one: object | None, other: object | None) -> Effect:
    """Of what binds the attacker: more of it is less for them."""
    if one is not None and other is not None:
        return Effect.OPEN
    return Effect.LESS if one is None else Effect.MORE
