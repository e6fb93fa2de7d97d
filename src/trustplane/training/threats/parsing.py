"""Threat models as TOML files: reading one, with all its problems at once."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar

from trustplane.training.threats.expressions import (
    Expression,
    Ungrammatical,
    names_in,
    parse_number,
    parse_truth,
)
from trustplane.training.threats.model import (
    TOLERANCE,
    Budget,
    Derived,
    Direction,
    Feature,
    Goal,
    Group,
    Kind,
    Knowledge,
    Norm,
    Relation,
    ThreatModel,
)
from trustplane.values.errors import BadInput, nearest

_W = TypeVar("_W", bound=StrEnum)
MOST_BYTES, MOST_FEATURES, MOST_RELATIONS, SHOWN = 1_000_000, 5_000, 1_000, 30
_TOP = ("name", "draft", "budget", "attacker", "goal", "features", "groups", "derived", "relations")
_FEATURE = ("type", "mutable", "low", "high", "direction", "scale", "cost")


class _Problems(list[str]):
    """What is wrong with a file, as it is read; reading goes on with a stand-in for what is wrong."""

    def unknown(self, where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self.append(f"{where} has no field {key[:64]!r} {nearest(key, known)}".strip())

    def table(self, where: str, value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self.append(f"{where} is no table")
        return {}

    def number(self, where: str, value: Any, default: float, *, least: float = -math.inf) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
            self.append(f"{where} is no number{'' if least == -math.inf else f' from {least:g} on'}")
            return default
        return float(value)

    def word(self, where: str, value: Any, default: _W) -> _W:
        try:
            return type(default)(value)
        except ValueError:
            self.append(f"{where} is {value!r}"[:120] + f"; it is one of {', '.join(type(default))}")
            return default

    def truth(self, where: str, value: Any, *, default: bool) -> bool:
        if not isinstance(value, bool):
            self.append(f"{where} is neither true nor false")
            return default
        return value


def parse_threat(text: str) -> ThreatModel:
    """The threat model of a TOML file; raise :class:`BadInput` (TP-RUN-040) with everything that is wrong with it."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise BadInput("TP-RUN-040", f"a threat model is at most {MOST_BYTES:,} bytes long")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise BadInput("TP-RUN-040", "the threat model is no TOML", why="it holds halves of characters")
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput("TP-RUN-040", "the threat model is no TOML", why=str(error)[:300]) from None
    problems = _Problems()
    threat = _threat(raw, problems)
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise BadInput(
            "TP-RUN-040",
            f"the threat model has {len(problems)} problem{'s' if len(problems) > 1 else ''}",
            why="; ".join(problems[:SHOWN]) + more,
            facts={"problems": list(problems)},
        )
    return threat


def _threat(raw: Mapping[str, Any], problems: _Problems) -> ThreatModel:
    problems.unknown("the file", raw, _TOP)
    name = raw.get("name", "threat")
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        problems.append("name is no text of 1 to 200 characters")
    groups = tuple(_groups(problems.table("groups", raw.get("groups", {})), problems))
    in_group = {f for g in groups for f in g.features}
    said = problems.table("features", raw.get("features", {}))
    features = tuple(_feature(n, problems.table(f"feature {n!r}", t), n in in_group, problems) for n, t in said.items())
    if not 0 < len(features) <= MOST_FEATURES:
        problems.append(f"there are {len(features)} features; there must be 1 to {MOST_FEATURES:,}")
    known = {f.name: f for f in features}
    _check_groups(groups, known, problems)
    attacker = problems.table("attacker", raw.get("attacker", {}))
    problems.unknown("attacker", attacker, ("knowledge",))
    return ThreatModel(
        str(name),
        features,
        _budget(problems.table("budget", raw.get("budget", {})), problems),
        groups,
        tuple(_derived(problems.table("derived", raw.get("derived", {})), known, problems)),
        tuple(_relations(raw.get("relations", []), known, problems)),
        problems.word("attacker.knowledge", attacker.get("knowledge", "scores"), Knowledge.SCORES),
        _goal(problems.table("goal", raw.get("goal", {})), problems),
        problems.truth("draft", raw.get("draft", False), default=False),
    )


def _feature(name: str, said: Mapping[str, Any], grouped: bool, problems: _Problems) -> Feature:
    where = f"feature {name!r}"
    problems.unknown(where, said, _FEATURE)
    kind = Kind.CATEGORY if grouped else problems.word(f"{where}: type", said.get("type", "real"), Kind.REAL)
    if kind is Kind.CATEGORY and not grouped:
        problems.append(f"{where} is a category and in no group")
    mutable = problems.truth(f"{where}: mutable", said.get("mutable", True), default=True)
    ends = {}
    for end in ("low", "high"):
        if end in said:
            ends[end] = problems.number(f"{where}: {end}", said[end], 0.0)
        elif mutable and not grouped:
            problems.append(f"{where} is mutable and has no {end}")
    low, high = ends.get("low", 0.0), ends.get("high", 1.0)
    if low > high:
        problems.append(f"{where}: low {low:g} lies above high {high:g}")
    width = high - low if high > low else 1.0
    scale = problems.number(f"{where}: scale", said.get("scale", width), 1.0)
    if scale <= 0:
        problems.append(f"{where}: scale is not above 0")
        scale = 1.0
    return Feature(
        name,
        kind,
        mutable,
        low,
        high,
        problems.word(f"{where}: direction", said.get("direction", "any"), Direction.ANY),
        scale,
        problems.number(f"{where}: cost", said.get("cost", 1.0), 1.0, least=0.0),
    )


def _groups(said: Mapping[str, Any], problems: _Problems) -> Iterator[Group]:
    for name, members in said.items():
        if (
            not isinstance(members, list)
            or not all(isinstance(m, str) for m in members)
            or len(set(members)) != len(members)
        ):
            problems.append(f"group {name!r} is no list of different features")
        elif len(members) < 2:
            problems.append(f"group {name!r} has fewer than two features")
        else:
            yield Group(name, tuple(members))


def _check_groups(groups: tuple[Group, ...], known: Mapping[str, Feature], problems: _Problems) -> None:
    seen: dict[str, str] = {}
    for group in groups:
        for member in group.features:
            _known(f"group {group.name!r}", member, known, problems)
            if member in seen:
                problems.append(f"{member!r} is in the groups {seen[member]!r} and {group.name!r}")
            seen[member] = group.name
        if len({known[m].mutable for m in group.features if m in known}) > 1:
            problems.append(f"group {group.name!r} is mutable in part; a choice is made as a whole")


def _budget(said: Mapping[str, Any], problems: _Problems) -> Budget:
    problems.unknown("budget", said, ("norm", "distance", "cost", "features"))
    if "distance" not in said:
        problems.append("budget has no distance")
    cost, count = said.get("cost"), said.get("features")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        problems.append("budget.features is no whole number from 1 on")
        count = None
    return Budget(
        problems.word("budget.norm", said.get("norm", "l2"), Norm.L2),
        problems.number("budget.distance", said.get("distance", 0.0), 0.0, least=0.0),
        None if cost is None else problems.number("budget.cost", cost, 0.0, least=0.0),
        count,
    )


def _goal(said: Mapping[str, Any], problems: _Problems) -> Goal:
    problems.unknown("goal", said, ("start", "margin"))
    start = said.get("start", 1)
    if start not in (0, 1) or isinstance(start, bool | float):
        problems.append("goal.start is neither 0 nor 1")
        start = 1
    margin = problems.number("goal.margin", said.get("margin", 0.0), 0.0, least=0.0)
    if margin >= 1:
        problems.append("goal.margin is not below 1")
    return Goal(start, margin)


def _derived(said: Mapping[str, Any], known: Mapping[str, Feature], problems: _Problems) -> Iterator[Derived]:
    """In the order in which they can be computed."""
    read: dict[str, Derived] = {}
    for name, text in said.items():
        where = f"derived {name!r}"
        _known(where, name, known, problems)
        if name in known and (known[name].mutable or known[name].kind is Kind.CATEGORY):
            problems.append(f"{where} follows from others, so it is not mutable and in no group")
        expression = _expression(where, text, known, problems, truth=False)
        if expression is not None:
            read[name] = Derived(name, str(text), expression)
    try:
        order = list(TopologicalSorter({n: set(names_in(d.expression)) for n, d in read.items()}).static_order())
    except CycleError as error:
        problems.append(f"derived features follow from each other: {' from '.join(map(repr, error.args[1]))}")
        return
    yield from (read[n] for n in order if n in read)


def _relations(said: Any, known: Mapping[str, Feature], problems: _Problems) -> Iterator[Relation]:
    if not isinstance(said, list) or len(said) > MOST_RELATIONS:
        problems.append(f"relations are no list of at most {MOST_RELATIONS:,}")
        return
    for number, each in enumerate(said, 1):
        where = f"relation {number}"
        table = problems.table(where, each)
        problems.unknown(where, table, ("name", "holds", "tolerance"))
        text = table.get("holds", "")
        tolerance = problems.number(f"{where}: tolerance", table.get("tolerance", TOLERANCE), TOLERANCE, least=0.0)
        expression = _expression(where, text, known, problems, truth=True)
        if expression is not None:
            yield Relation(str(table.get("name", text))[:200], str(text), expression, tolerance)


def _expression(
    where: str, text: Any, known: Mapping[str, Feature], problems: _Problems, *, truth: bool
) -> Expression | None:
    if not isinstance(text, str):
        problems.append(f"{where} is no text")
        return None
    try:
        found = parse_truth(text) if truth else parse_number(text)
    except Ungrammatical as error:
        problems.append(f"{where}: {error}")
        return None
    absent = [n for n in dict.fromkeys(names_in(found)) if not _known(where, n, known, problems)]
    return None if absent else found


def _known(where: str, name: str, known: Mapping[str, Feature], problems: _Problems) -> bool:
    if name not in known:
        problems.append(f"{where}: there is no feature {name[:64]!r} {nearest(name, list(known))}".strip())
    return name in known
