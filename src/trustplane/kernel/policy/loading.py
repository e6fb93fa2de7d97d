"""From policy texts to a parsed set: all is parsed, identified and checked against the schema, or nothing is loaded."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import cedarpy
from cedarpy import pst

from trustplane.kernel.policy.actions import ACTIONS, Action
from trustplane.kernel.policy.roles import ROLES
from trustplane.kernel.policy.sources import Source, Statement, schema_text, statements
from trustplane.values.errors import BadInput, nearest

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_QUOTED = re.compile(r"`([^`]*)`")
_RESERVED = frozenset({"token-scope", "evaluation-error"})


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a policy: its id, ``permit`` or ``forbid``, its advice to whom it refuses, and its place."""

    id: str
    effect: str
    advice: str
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class Part:
    """Parsed policies. ``notes[n]`` is about the policy that Cedar calls ``policy<n>``."""

    policies: cedarpy.PolicySet
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy set that fits the schema: the whole, and for each action the part whose scope reaches it.

    The others cannot be satisfied: a policy's scope comes before its conditions, and never errs. Cedar evaluates every
    policy of a set, so leaving them out is most of the speed of a decision.
    """

    whole: Part
    by_action: Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a policy."""

    statement: Statement
    policy: str
    what: str

    def __str__(self) -> str:
        named = f" ({self.policy})" if self.policy else ""
        return f"{self.statement.source} line {self.statement.line}{named}: {self.what}"


@cache
def schema() -> cedarpy.Schema:
    """The built-in schema, parsed."""
    return cedarpy.Schema.from_str(schema_text())


def load_policies(sources: Iterable[Source]) -> Loaded:
    """Parse the sources as one policy set.

    Raises :class:`BadInput` with every problem of the first step that finds any: ``TP-POLICY-001`` for text that is not
    Cedar, ``TP-POLICY-003`` for a policy without a proper id of its own, ``TP-POLICY-002`` for what does not fit the
    schema.
    """
    found = tuple(statement for source in sources for statement in statements(source))
    parsed = _parse(found)
    notes = _identify(found, parsed)
    text = "\n".join(statement.text for statement in found)
    _refuse("TP-POLICY-002", _misfits(text, found, notes))
    known = tuple(zip(found, parsed, notes, strict=True))
    by_action = {
        name: _part([(statement, note) for statement, tree, note in known if _reaches(tree.action, action)])
        for name, action in ACTIONS.items()
    }
    return Loaded(_part([(statement, note) for statement, _, note in known]), by_action)


def _part(chosen: Sequence[tuple[Statement, Note]]) -> Part:
    text = "\n".join(statement.text for statement, _ in chosen)
    return Part(cedarpy.PolicySet.from_str(text), tuple(note for _, note in chosen))


def _reaches(scope: pst.ActionConstraint, action: Action) -> bool:
    """Whether the action or its group is among those that a policy's scope names."""
    match scope:
        case pst.ScopeAny():
            return True
        case pst.ActionEq(entity):
            return entity.id == action.name
        case pst.ActionIn(entities):
            return not {entity.id for entity in entities}.isdisjoint((action.name, action.kind.value))


def _parse(found: tuple[Statement, ...]) -> tuple[pst.Template, ...]:
    parsed: list[pst.Template] = []
    problems: list[Problem] = []
    for statement in found:
        try:
            tree = cedarpy.policies_to_pst(statement.text)
        except ValueError as error:
            problems.append(Problem(statement, "", str(error)))
            continue
        if tree.templates:
            problems.append(
                Problem(
                    statement,
                    "",
                    "templates (?principal, ?resource) decide nothing until linked, and are not supported",
                )
            )
        parsed += tree.static_policies.values()
    _refuse("TP-POLICY-001", problems)
    return tuple(parsed)


def _identify(found: tuple[Statement, ...], parsed: tuple[pst.Template, ...]) -> tuple[Note, ...]:
    notes = tuple(
        Note(
            tree.annotations.get("id", ""),
            tree.effect,
            tree.annotations.get("advice", ""),
            statement.source,
            statement.line,
        )
        for statement, tree in zip(found, parsed, strict=True)
    )
    count = Counter(note.id for note in notes)
    problems = []
    for statement, note in zip(found, notes, strict=True):
        if not _ID.match(note.id):
            problems.append(
                Problem(statement, note.id, 'it needs an annotation @id("...") of 1 to 64 of a-z, 0-9 and "-"')
            )
        elif note.id in _RESERVED:
            problems.append(Problem(statement, note.id, "this id is the decision point's own"))
        elif count[note.id] > 1:
            problems.append(Problem(statement, note.id, "another policy has this id"))
    _refuse("TP-POLICY-003", problems)
    return notes


def _misfits(text: str, found: tuple[Statement, ...], notes: tuple[Note, ...]) -> Iterator[Problem]:
    for error in cedarpy.validate_policies(text, schema()).errors:
        number = int(error.policy_id.removeprefix("policy"))
        what = re.sub(r"^for policy `[^`]*`[,:] ", "", error.error)
        hint = _hint(what)
        yield Problem(found[number], notes[number].id, f"{what}; {hint}" if hint else what)


def _hint(message: str) -> str:
    """The known names nearest to the first name that the validator does not know."""
    quoted = _QUOTED.search(message)
    name = quoted.group(1).rpartition("::")[2].strip('"') if quoted else ""
    return "" if name in _known_names() else nearest(name, _known_names())


@cache
def _known_names() -> set[str]:
    return {*ACTIONS, *ROLES, *_WORD.findall(re.sub(r"//[^\n]*", "", schema_text()))}


def _refuse(code: str, problems: Iterable[Problem]) -> None:
    """Raise for the problems, if there are any: the first in the message, all in the facts."""
    shown = [str(problem) for problem in problems]
    if shown:
        more = f" (and {len(shown) - 1} more)" if len(shown) > 1 else ""
        raise BadInput(code, f"{shown[0]}{more}", facts={"problems": shown})
