"""Policy tests: requests with the decision that is expected of them, in a TOML file beside the policies.

A file holds ``[resources.<Type>]`` (attributes that a resource of the type has unless a case says otherwise),
``[contexts."<action>"]`` (the same for contexts) and ``[[cases]]``. An entity is written as a table of one key:
``{ Account = "ann" }``.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.engine import Engine
from trustplane.kernel.policy.requests import Principal, Ref, Request, Resource, Value
from trustplane.values.errors import BadInput, nearest
from trustplane.values.outcomes import Allowed, Decision, Failed, Passed


@dataclass(frozen=True, slots=True)
class Case:
    """A request, whether it is to be allowed, and by exactly which policies that is decided."""

    name: str
    request: Request
    allowed: bool
    policies: frozenset[str]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What an engine made of a case."""

    case: Case
    decision: Decision
    verdict: Passed | Failed


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    actions: list[str]
    expect: Literal["allow", "deny"]
    by: list[str]
    kind: Literal["user", "service"] = "user"
    id: str = "kim"
    owner: str | None = None
    roles: tuple[str, ...] = ()
    on: str = ""
    attrs: dict[str, Any] = {}
    context: dict[str, Any] = {}
    scopes: tuple[str, ...] = ("*",)
    now: int = 1000


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cases: list[_Entry]
    resources: dict[str, dict[str, Any]] = {}
    contexts: dict[str, dict[str, Any]] = {}


def parse_cases(text: str, name: str = "cases") -> tuple[Case, ...]:
    """The cases of a file, one for each of an entry's actions; raises :class:`BadInput` if it is no such file."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadInput("TP-POLICY-004", f"{name} is not a file of policy cases", why=str(error)) from error
    for entry in file.cases:
        for action in entry.actions:
            if action not in ACTIONS:
                hint = nearest(action, list(ACTIONS))
                raise BadInput("TP-POLICY-004", f"{name}: the case {entry.name!r} names no action {action!r}", why=hint)
    return tuple(_case(file, entry, action) for entry in file.cases for action in entry.actions)


@cache
def builtin_cases() -> tuple[Case, ...]:
    """The cases of the built-in policies."""
    return parse_cases(
        files("trustplane.kernel.policy").joinpath("rules/cases.toml").read_text("utf-8"), "rules/cases.toml"
    )


def run_cases(engine: Engine, cases: Iterable[Case]) -> list[CaseResult]:
    """Decide each case and compare."""
    return [_judge(case, engine.decide(case.request)) for case in cases]


def _case(file: _File, entry: _Entry, action: str) -> Case:
    kind = entry.on or ACTIONS[action].resource
    attrs = file.resources.get(kind, {}) | entry.attrs
    context = file.contexts.get(action, {}) | entry.context
    request = Request(
        Principal(entry.kind, entry.id, frozenset(entry.roles), entry.owner),
        action,
        Resource(kind, "it", {key: _value(v) for key, v in attrs.items()}),
        entry.now,
        {key: _value(v) for key, v in context.items()},
        entry.scopes,
    )
    return Case(f"{entry.name}: {action}", request, entry.expect == "allow", frozenset(entry.by))


def _value(raw: Any) -> Value:
    match raw:
        case dict() if len(raw) == 1:
            ((kind, identifier),) = raw.items()
            return Ref(kind, str(identifier))
        case list():
            return frozenset(_value(item) for item in raw)
        case bool() | int() | str():
            return raw
    raise BadInput(
        "TP-POLICY-004",
        f"a case holds a value of the type {type(raw).__name__}",
        why="an entity is a table of one key, its type",
    )


def _judge(case: Case, decision: Decision) -> CaseResult:
    allowed = isinstance(decision, Allowed)
    if allowed == case.allowed and frozenset(decision.policies) == case.policies:
        return CaseResult(case, decision, Passed(f"{_words(allowed, decision.policies)}, as expected"))
    wanted, got = _words(case.allowed, case.policies), _words(allowed, decision.policies)
    return CaseResult(
        case,
        decision,
        Failed(f"{got} where {wanted} was expected", "change the policy, or the case if the policy is right"),
    )


def _words(allowed: bool, policies: Iterable[str]) -> str:
    return f"{'allowed' if allowed else 'denied'} by {', '.join(sorted(policies)) or 'no policy'}"
