"""Every single change of a built-in policy is noticed: by validation, or by a case of `rules/cases.toml`.

The mutants change one thing of one policy: the policy goes, turns from permit to forbid or back, its scope grows or names another role,
an action leaves its list, a condition goes, is negated, loses one side, turns from and to or, compares otherwise, or is always true or false.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import cedarpy
import pytest
from cedarpy import pst

from trustplane.kernel.policy.cases import builtin_cases, run_cases
from trustplane.kernel.policy.engine import build
from trustplane.kernel.policy.roles import ROLES
from trustplane.kernel.policy.sources import Source
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed

OTHER_OPS = {
    "and": ["or"],
    "or": ["and"],
    "eq": ["not_eq"],
    "not_eq": ["eq"],
    "less": ["less_eq", "greater", "greater_eq", "eq"],
}
KINDS = ("read", "open", "write")


def expressions(expr) -> Iterator[tuple[str, object]]:
    """Every change of one place of a condition."""
    yield "negated", pst.UnaryOp("not", expr)
    yield "always true", pst.BoolLit(True)
    yield "always false", pst.BoolLit(False)
    match expr:
        case pst.BinaryOp(op, left, right):
            for other in OTHER_OPS.get(op, ()):
                yield f"{op} to {other}", replace(expr, op=other)
            if op in {"and", "or"}:
                yield "left side only", left
                yield "right side only", right
                yield from ((f"left {what}", replace(expr, left=changed)) for what, changed in expressions(left))
                yield from ((f"right {what}", replace(expr, right=changed)) for what, changed in expressions(right))
            if isinstance(right, pst.Set):
                for element in right.elements:
                    rest = tuple(e for e in right.elements if e != element)
                    yield f"without {element}", replace(expr, right=pst.Set(rest))
            if isinstance(right, pst.StringLit):
                yield "another text", replace(expr, right=pst.StringLit(right.value + "x"))
            if isinstance(right, pst.EntityLit):
                yield from (
                    (f"for {role}", replace(expr, right=pst.EntityLit(uid))) for role, uid in other_roles(right.value)
                )
        case pst.UnaryOp("not", arg):
            yield from expressions(arg)


def other_roles(uid: pst.EntityUid) -> list[tuple[str, pst.EntityUid]]:
    return [(role, replace(uid, id=role)) for role in ROLES if role != uid.id]


def principals(scope) -> Iterator[tuple[str, object]]:
    match scope:
        case pst.ScopeIn(entity):
            yield "anyone", pst.ScopeAny()
            yield from ((f"role {role}", pst.ScopeIn(uid)) for role, uid in other_roles(entity))
        case pst.ScopeIs(entity_type):
            yield "anyone", pst.ScopeAny()
            yield (
                "the other kind",
                pst.ScopeIs(replace(entity_type, basename="User" if entity_type.basename == "Service" else "Service")),
            )


def actions(scope) -> Iterator[tuple[str, object]]:
    yield "any action", pst.ScopeAny()
    if isinstance(scope, pst.ActionIn):
        for entity in scope.entities:
            if entity.id in KINDS:
                yield from (
                    (f"group {kind}", pst.ActionIn((replace(entity, id=kind),))) for kind in KINDS if kind != entity.id
                )
            else:
                yield f"without {entity.id}", pst.ActionIn(tuple(e for e in scope.entities if e != entity))


def policies(tree: pst.Template) -> Iterator[tuple[str, pst.Template]]:
    yield "effect", replace(tree, effect="forbid" if tree.effect == "permit" else "permit")
    yield from ((f"principal: {what}", replace(tree, principal=scope)) for what, scope in principals(tree.principal))
    yield from ((f"action: {what}", replace(tree, action=scope)) for what, scope in actions(tree.action))
    for number, clause in enumerate(tree.clauses):

        def put(*new, number=number):
            return replace(tree, clauses=(*tree.clauses[:number], *new, *tree.clauses[number + 1 :]))

        yield f"clause {number}: gone", put()
        yield from (
            (f"clause {number}: {what}", put(replace(clause, expr=expr))) for what, expr in expressions(clause.expr)
        )


def mutants(whole: pst.PolicySet) -> Iterator[tuple[str, pst.PolicySet]]:
    """Every mutant, under a name that says what was changed."""
    for key, tree in whole.static_policies.items():
        name = tree.annotations["id"]
        rest = {other: kept for other, kept in whole.static_policies.items() if other != key}
        yield f"{name}: gone", replace(whole, static_policies=rest)
        for what, changed in policies(tree):
            yield f"{name}: {what}", replace(whole, static_policies=rest | {key: changed})


def killer(mutant: pst.PolicySet) -> str | None:
    """What noticed the mutant, or None."""
    try:
        engine = build((Source("mutant", str(cedarpy.PolicySet.from_pst(mutant))),))
    except BadInput as refused:
        return refused.code
    for case in builtin_cases():
        (result,) = run_cases(engine, [case])
        if isinstance(result.verdict, Failed):
            return "cases"
    return None


@pytest.mark.slow
def test_every_mutant_is_killed(engine):
    whole = engine.loaded.whole.policies.to_pst()
    assert killer(whole) is None
    fates = {name: killer(mutant) for name, mutant in mutants(whole)}
    assert [name for name, by in fates.items() if by is None] == []
    count = Counter(fates.values())
    assert set(count) == {"cases", "TP-POLICY-002"}
    assert count["cases"] > 400
    # Every action of every role's list is held by a case, not by validation.
    assert all(by == "cases" for name, by in fates.items() if "action: without" in name)
