"""Policies: reading them, asking them, testing them, changing them."""

from typing import Any

from fastapi import APIRouter, status
from pydantic import BaseModel, Field
from sqlalchemy import select

from trustplane.api import assumed
from trustplane.api.access import PREFIX, PROBLEMS, Asked, listed, moment
from trustplane.kernel.identity.authentication import load_actor
from trustplane.kernel.identity.principals import find_principal
from trustplane.kernel.identity.scopes import environment_target, find_environment, project_target
from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.cases import builtin_cases, run_cases
from trustplane.kernel.policy.explain import explain
from trustplane.kernel.policy.proposals import accept, find_proposal, propose
from trustplane.kernel.policy.requests import account
from trustplane.kernel.policy.tables import PolicyText
from trustplane.kernel.target import PLANE, Target
from trustplane.values.errors import BadInput, nearest
from trustplane.values.outcomes import Allowed, Failed

router = APIRouter(prefix=PREFIX, tags=["policy"], responses=PROBLEMS)
_POLICIES = Target("Policy", "built-in", attributes={"proposer": account("plane")})


class Proposal(BaseModel):
    """Policies to be put in force beside the built-in ones."""

    name: str
    text: str = Field(min_length=1, max_length=100_000)


class Question(BaseModel):
    """May this principal do this, in this project or environment, and who else might?"""

    model_config = {
        "json_schema_extra": {"examples": [{"principal": "kim", "action": "dataset.ingest", "project": "credit"}]}
    }
    principal: str
    action: str
    project: str | None = None
    environment: str | None = None
    resource_type: str | None = None
    attributes: dict[str, Any] = {}
    context: dict[str, Any] = {}


@router.get("/policies")
def policies(door: Asked) -> dict[str, Any]:
    """Every text of policies: the built-in ones, and those that were proposed."""
    door.may("policy.read", _POLICIES)
    built_in = [{"id": s.name, "name": s.name, "state": "built-in", "text": s.text} for s in door.plane.policy.sources]
    with door.plane.database.read() as session:
        rows = session.scalars(select(PolicyText).order_by(PolicyText.id)).all()
    own = {f"{row.name}.cedar" for row in rows}
    return listed([*(b for b in built_in if b["name"] not in own), *map(_proposal, rows)])


@router.post("/policies", status_code=status.HTTP_201_CREATED)
def post_policy(body: Proposal, door: Asked) -> dict[str, Any]:
    """Propose policies. They are in force once somebody else accepts them."""
    door.once(body.model_dump(), lambda _key: propose(door.plane, door.actor, body.name, body.text))
    with door.plane.database.read() as session:
        return _proposal(find_proposal(session, body.name))


@router.post("/policies/explain")
def explain_policy(body: Question, door: Asked) -> dict[str, Any]:
    """What policy says to a request, by which policies, and which roles would be allowed."""
    door.may("policy.read", _POLICIES)
    if body.action not in ACTIONS:
        raise BadInput(
            "TP-POLICY-023", f"there is no action {body.action[:80]!r}", why=nearest(body.action, list(ACTIONS))
        )
    with door.plane.database.read() as session:
        who = load_actor(session, find_principal(session, body.principal), None)
        target = PLANE
        if body.project is not None:
            project = door.project(session, body.project)
            target = project_target(project)
            if body.environment is not None:
                target = environment_target(find_environment(session, project, body.environment))
    usual = ACTIONS[body.action]
    kind = body.resource_type or (target.type if target.type in usual.resources else usual.resource)
    guessed = assumed.context(body.action)
    context = {**guessed, **body.context}
    if kind != target.type:
        guessed = guessed | assumed.attributes(kind, target)
        attributes = {**assumed.attributes(kind, target), **body.attributes}
        target = Target(kind, "any", project=target.project, environment=target.environment, attributes=attributes)
    answer = explain(door.plane.policy, door.plane.request(who, body.action, target, context))
    decision = answer.decision
    return {
        "decision": "allow" if isinstance(decision, Allowed) else "deny",
        "policies": [
            {"id": n.id, "effect": n.effect, "advice": n.advice, "source": n.source, "line": n.line}
            for n in answer.deciding
        ],
        "reason": "" if isinstance(decision, Allowed) else decision.reason,
        "own_roles": list(answer.own_roles),
        "other_roles": list(answer.other_roles),
        "assumed": assumed.words({k: v for k, v in guessed.items() if k not in {**body.context, **body.attributes}}),
    }


@router.post("/policies/test")
def test_policies(door: Asked) -> dict[str, Any]:
    """Run the cases that stand beside the built-in policies against all that is in force."""
    door.may("policy.read", _POLICIES)
    results = run_cases(door.plane.policy, builtin_cases())
    failed = [
        {"case": r.case.name, "action": r.case.request.action, "why": r.verdict.reason}
        for r in results
        if isinstance(r.verdict, Failed)
    ]
    return {"passed": len(results) - len(failed), "failed": failed}


@router.post("/policies/{name}/accept")
def accept_policy(name: str, door: Asked) -> dict[str, Any]:
    """Put a proposed text in force."""
    receipt = accept(door.plane, door.actor, name)
    with door.plane.database.read() as session:
        return {**_proposal(find_proposal(session, name)), "receipt": receipt}


def _proposal(row: PolicyText) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "state": "proposed" if row.accepted_by is None else "in force",
        "proposer": row.proposer_id,
        "accepted_by": row.accepted_by,
        "accepted": moment(row.accepted_at),
        "text": row.text,
    }
