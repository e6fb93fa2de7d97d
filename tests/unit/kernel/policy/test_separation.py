"""Bounded-exhaustive proof: over every combination of roles, relations and circumstances, the policies decide as the rules below say.

The rules are stated here a second time, in plain Python, from the documentation and not from the policies; what a role permits at all
comes from `role_matrix.csv`. The two must agree on every state, in both directions: nothing is allowed that the rules refuse, and
nothing refused that they allow.
"""

import csv
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cedarpy
import pytest

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.loading import schema
from trustplane.kernel.policy.requests import Principal, account, entities_of, query_of
from trustplane.kernel.policy.roles import ROLES

ROLE_SETS = [frozenset(roles) for size in range(len(ROLES) + 1) for roles in itertools.combinations(ROLES, size)]
# A person, a service that this person answers for, and a service of somebody else.
PRINCIPALS = [
    Principal("user", "kim"),
    Principal("service", "bot", owner="kim"),
    Principal("service", "far", owner="sue"),
]
BOOLS = (False, True)
WHO = ("kim", "ann")
ON_DEPLOYMENTS = tuple(action.name for action in ACTIONS.values() if action.resource == "Deployment")
ON_ACCOUNTS = tuple(action.name for action in ACTIONS.values() if action.resource == "Account")


@dataclass(frozen=True)
class State:
    """One action in one set of circumstances; what has no part in the action keeps its default."""

    action: str
    on: str
    author: str = "ann"
    approver: str = "rob"
    requester: str = "ann"
    owner: str = "ann"
    production: bool = False
    approved: bool = True
    held: bool = False
    same_purpose: bool = True
    ended: bool = False
    reason: str = "a driver"
    attrs: dict = field(default_factory=dict, hash=False)
    context: dict = field(default_factory=dict, hash=False)


def states() -> Iterator[State]:
    for action in ("model.approve", "model.reject"):
        for author, approver, status in itertools.product(WHO, ("kim", "rob"), ("registered", "approved")):
            attrs = {"author": account(author), "approvers": (account(approver),), "status": status}
            yield State(action, "ModelVersion", author, approver, attrs=attrs)
    for author, requester in itertools.product(WHO, WHO):
        attrs, context = {"author": account(author)}, {"requester": account(requester)}
        yield State("waiver.grant", "ModelVersion", author, requester=requester, attrs=attrs, context=context)
    for production, author, approver, approved in itertools.product(BOOLS, WHO, ("kim", "rob"), BOOLS):
        facts = {"author": account(author), "approvers": (account(approver), account("eve")), "approved": approved}
        common = {"author": author, "approver": approver, "production": production, "approved": approved}
        yield State("deployment.create", "Environment", **common, attrs={"production": production}, context=facts)
        for action in ON_DEPLOYMENTS:
            yield State(action, "Deployment", **common, attrs=facts | {"production": production})
    for kind, action, grantee, role in itertools.product(
        ("Plane", "Project", "Environment"), ("binding.grant", "binding.revoke"), WHO, ROLES
    ):
        yield State(action, kind, requester=grantee, context={"grantee": account(grantee), "role": role})
    for proposer, action in itertools.product(WHO, ("policy.read", "policy.propose", "policy.accept")):
        yield State(action, "Policy", author=proposer, attrs={"proposer": account(proposer)})
    for owner, action in itertools.product(WHO, ON_ACCOUNTS):
        yield State(action, "Account", owner=owner, attrs={"owner": account(owner)})
    for owner, action in itertools.product(WHO, ("job.read", "job.cancel", "job.finish")):
        yield State(action, "Job", owner=owner, attrs={"owner": account(owner)})
    for held, (action, kind) in itertools.product(
        BOOLS, (("dataset.erase", "Dataset"), ("key.destroy", "Key"), ("dataset.update", "Dataset"))
    ):
        yield State(action, kind, held=held, attrs={"held": held})
    for same, ended in itertools.product(BOOLS, BOOLS):
        context = {"purpose": "CreditChecking" if same else "Marketing"}
        for action in ("view.open", "view.measure"):
            yield State(
                action,
                "View",
                same_purpose=same,
                ended=ended,
                attrs={"expires": 1 if ended else 1 << 40},
                context=context,
            )
        for action in ("view.create", "view.request"):
            yield State(action, "Dataset", same_purpose=same, ended=ended, context=context)
    for reason in ("", "a driver"):
        yield State("run.start-unsandboxed", "Project", reason=reason, context={"reason": reason})
    for action in ACTIONS.values():
        for kind in action.resources:
            yield State(action.name, kind)


def read_matrix() -> dict[tuple[str, str], str]:
    with Path(__file__).with_name("role_matrix.csv").open(encoding="utf-8", newline="") as file:
        return {(row["action"], role): row[role] for row in csv.DictReader(file) for role in ROLES}


MATRIX = read_matrix()
RULES = frozenset({
    "the author does not judge", "neither author nor requester waives", "neither author nor approver deploys to production",
    "the proposer does not accept", "nobody raises themselves", "auditors change nothing", "people judge", "operators run production",
    "production takes what is approved", "production answers consumers", "scientists do not read production's decisions",
    "purpose limitation", "a view that ended", "legal hold", "owners take the risk", "and say why",
})  # fmt: skip
WRITES = frozenset(action.name for action in ACTIONS.values() if action.kind == "write")


def broken_rules(state: State, principal: Principal, roles: frozenset[str]) -> set[str]:
    """The names of the rules that refuse this."""
    me = principal.owner or principal.id
    action, found = state.action, set()
    if action in {"model.approve", "model.reject"} and state.author == me:
        found.add("the author does not judge")
    if action == "waiver.grant" and me in {state.author, state.requester}:
        found.add("neither author nor requester waives")
    if action == "deployment.create" and state.production and me in {state.author, state.approver, "eve"}:
        found.add("neither author nor approver deploys to production")
    if action == "policy.accept" and state.author == me:
        found.add("the proposer does not accept")
    if action == "binding.grant" and state.requester == me:
        found.add("nobody raises themselves")
    if "auditor" in roles and action in WRITES and not (state.on == "Account" and state.owner == me):
        found.add("auditors change nothing")
    if principal.kind == "service" and action in {"model.approve", "model.reject", "waiver.grant", "policy.accept"}:
        found.add("people judge")
    if state.production and action in {"deployment.create", "deployment.load"}:
        if "operator" not in roles:
            found.add("operators run production")
        if not state.approved:
            found.add("production takes what is approved")
    if state.production and action == "deployment.infer" and not roles & {"consumer", "operator"}:
        found.add("production answers consumers")
    if state.production and action == "decision.read" and "scientist" in roles:
        found.add("scientists do not read production's decisions")
    if action in {"view.open", "view.measure", "view.create", "view.request"} and not state.same_purpose:
        found.add("purpose limitation")
    if action in {"view.open", "view.measure"} and state.ended:
        found.add("a view that ended")
    if action in {"dataset.erase", "key.destroy"} and state.held:
        found.add("legal hold")
    if action == "run.start-unsandboxed":
        if "owner" not in roles:
            found.add("owners take the risk")
        if not state.reason:
            found.add("and say why")
    return found


def permitted(state: State, principal: Principal, roles: frozenset[str]) -> bool:
    """Whether any role, or being who one is, permits this at all."""
    me = principal.owner or principal.id
    if any(MATRIX[state.action, role] in {"yes", "staging"} for role in roles):
        return True
    if state.on == "Account" and state.owner == me and principal.kind == "user":
        return state.action in {
            "principal.read",
            "token.issue",
            "token.read",
            "token.revoke",
            "session.open",
            "session.close",
        }
    return state.on == "Job" and state.owner == me and state.action in {"job.read", "job.cancel", "job.finish"}


@dataclass(frozen=True)
class Space:
    """The states as one batch for Cedar: all entities in one handle, a request for every combination."""

    entities: cedarpy.Entities
    requests: list[dict]
    facts: list[tuple[State, Principal, frozenset[str]]]


@pytest.fixture(scope="module")
def space(world) -> Space:
    entities: dict[str, dict] = {}
    requests, facts = [], []
    actors = []
    for number, (principal, roles) in enumerate(itertools.product(PRINCIPALS, ROLE_SETS)):
        acting = Principal(principal.kind, principal.id, roles, principal.owner)
        entity = entities_of(world.ask("plane.read", who=acting))[0]
        uid = {
            "type": entity["uid"]["type"],
            "id": str(number),
        }  # one entity for each set of roles; accounts stay who they are
        entities[f"actor {number}"] = entity | {"uid": uid}
        actors.append((uid, principal, roles))
    for state in states():
        request = world.ask(state.action, on=state.on, attrs=state.attrs, context=state.context)
        resource, query = entities_of(request)[1], query_of(request)
        text = repr((resource["uid"]["type"], resource["attrs"]))
        resource["uid"]["id"] = f"it {len(entities)}"
        resource = entities.setdefault(text, resource)
        for uid, principal, roles in actors:
            requests.append(query | {"principal": uid, "resource": resource["uid"]})
            facts.append((state, principal, roles))
    handle = cedarpy.Entities.from_json_str(json.dumps(list(entities.values())), schema())
    return Space(handle, requests, facts)


@pytest.mark.slow
def test_the_policies_agree_with_the_rules_on_every_state(space, engine):
    assert len(space.requests) >= 100_000
    answers = cedarpy.is_authorized_batch(space.requests, engine.loaded.whole.policies, space.entities, schema())
    wrong, seen = [], Counter()
    for (state, principal, roles), answer in zip(space.facts, answers, strict=True):
        rules = broken_rules(state, principal, roles)
        expected = permitted(state, principal, roles) and not rules
        seen[expected] += 1
        seen.update(rules if permitted(state, principal, roles) else ())
        if answer.allowed != expected or answer.diagnostics.errors:
            wrong.append(
                (state, principal, sorted(roles), answer.decision, answer.diagnostics.id_annotations_by_reason)
            )
    assert wrong == []
    # Every rule decided somewhere: it refused what a role would have permitted. One only guards against permits to come.
    assert set(seen) == {True, False} | RULES - {"owners take the risk"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("duty", "action"),
    [
        ("sod-judge-own-model", "model.approve"),
        ("sod-judge-own-model", "model.reject"),
        ("sod-waive-own", "waiver.grant"),
        ("sod-deploy-own", "deployment.create"),
        ("sod-accept-own-policy", "policy.accept"),
        ("sod-grant-self", "binding.grant"),
        ("sod-auditor-changes-nothing", "control.evaluate"),
        ("judged-by-a-person", "model.approve"),
    ],
)
def test_without_a_rule_the_enumeration_finds_what_the_others_let_through(space, engine, duty, action):
    whole = engine.loaded.whole.policies.to_pst()
    kept = {key: tree for key, tree in whole.static_policies.items() if tree.annotations["id"] != duty}
    assert len(kept) == len(whole.static_policies) - 1
    weaker = cedarpy.PolicySet.from_pst(type(whole)(whole.templates, kept, whole.template_links))
    about = [n for n, (state, _, _) in enumerate(space.facts) if state.action == action]
    answers = cedarpy.is_authorized_batch([space.requests[n] for n in about], weaker, space.entities, schema())
    assert any(answer.allowed and broken_rules(*space.facts[n]) for n, answer in zip(about, answers, strict=True))
