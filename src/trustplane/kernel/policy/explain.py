"""Why a request was allowed or denied, and who could do it."""

from dataclasses import dataclass, replace

from trustplane.kernel.policy.engine import Engine
from trustplane.kernel.policy.loading import Note
from trustplane.kernel.policy.requests import Principal, Request
from trustplane.kernel.policy.roles import ROLES
from trustplane.values.outcomes import Allowed, Decision, Denial

# Ids of principals are UUIDs and the plane's own, so nobody is this person.
_ANOTHER = Principal("user", "another person")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the policies that made it.

    ``own_roles``: the roles of which each alone would let this principal do it; ``other_roles``: the same for a person
    who has no part in the matter. Where they differ, a rule about who did what before decides. Both leave the token's
    scopes aside.
    """

    request: Request
    decision: Decision
    deciding: tuple[Note, ...]
    own_roles: tuple[str, ...]
    other_roles: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """The explanation in plain words, a line per fact."""
        asked = f"{self.request.action} on {self.request.resource.type} {self.request.resource.id}"
        match self.decision:
            case Allowed():
                head = f"{asked}: allowed"
            case Denial(reason=reason):
                head = f"{asked}: denied, {reason}"
        return (
            head,
            *(f"{note.effect} {note.id} ({note.source} line {note.line})" for note in self.deciding),
            f"roles that would let this {self.request.principal.kind} do it: {_listed(self.own_roles)}",
            f"roles that would let another person do it: {_listed(self.other_roles)}",
        )


def explain(engine: Engine, request: Request) -> Explanation:
    """Decide the request, and again for each role alone."""
    decision = engine.decide(request)
    return Explanation(
        request,
        decision,
        engine.notes(decision.policies),
        _sufficient(engine, request, request.principal),
        _sufficient(engine, request, _ANOTHER),
    )


def _sufficient(engine: Engine, request: Request, principal: Principal) -> tuple[str, ...]:
    def with_role(role: str) -> Request:
        return replace(request, principal=replace(principal, roles=frozenset({role})), scopes=("*",))

    return tuple(role for role in ROLES if isinstance(engine.decide(with_role(role)), Allowed))


def _listed(roles: tuple[str, ...]) -> str:
    return ", ".join(roles) or "none"
