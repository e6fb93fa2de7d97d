"""What is asked of the decision point: plain frozen values, and their form in Cedar's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

_PRINCIPAL_TYPES = {"user": "User", "service": "Service"}

Encoded = dict[str, Any]
"""A value in Cedar's JSON."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an entity: ``Ref("Project", id)``."""

    type: str
    id: str


Value = str | bool | int | Ref | frozenset["Value"] | tuple["Value", ...] | list["Value"]
"""What an attribute may hold; collections are sets to Cedar."""


def account(principal_id: str) -> Ref:
    """The account of a principal, as attributes such as ``author`` and ``approvers`` name it."""
    return Ref("Account", principal_id)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: kind ``user`` or ``service``, id, and the roles in effect where the resource lies.

    ``owner`` is the id of the user who answers for a service; the service counts as that person wherever duties are
    separated. ``roles.effective_roles`` computes the roles.
    """

    kind: str
    id: str
    roles: frozenset[str] = frozenset()
    owner: str | None = None

    @property
    def ref(self) -> Ref:
        """The principal's own entity."""
        return Ref(_PRINCIPAL_TYPES.get(self.kind, self.kind), self.id)

    @property
    def answerable(self) -> Ref:
        """The account that answers for what the principal does: to store as author, approver, requester or proposer."""
        return account(self.owner or self.id)


@dataclass(frozen=True, slots=True)
class Resource:
    """What it is about: entity type and id, the attributes that the schema gives that type, and what it lies in."""

    type: str
    id: str
    attrs: Mapping[str, Value] = field(default_factory=dict)
    parents: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """May ``principal`` do ``action`` to ``resource`` at ``now`` (Unix seconds)?

    ``context`` holds what else the schema asks for this action. ``scopes`` limit the token that was used; a session has
    ``("*",)``.
    """

    principal: Principal
    action: str
    resource: Resource
    now: int
    context: Mapping[str, Value] = field(default_factory=dict)
    scopes: tuple[str, ...] = ("*",)


def entities_of(request: Request) -> list[Encoded]:
    """The entity slice of a request: the principal with its roles and accounts as parents, and the resource."""
    who, what = request.principal, request.resource
    parents = [_uid(Ref("Role", role)) for role in sorted(who.roles)]
    parents += [_uid(account(who.id))] + ([_uid(account(who.owner))] if who.owner and who.owner != who.id else [])
    return [
        {"uid": _uid(who.ref), "attrs": {}, "parents": parents},
        {
            "uid": _uid(Ref(what.type, what.id)),
            "attrs": _record(what.attrs),
            "parents": [_uid(p) for p in what.parents],
        },
    ]


def query_of(request: Request) -> Encoded:
    """The request proper, as ``cedarpy.is_authorized`` takes it; ids are structured, so that none is read as text."""
    return {
        "principal": _uid(request.principal.ref),
        "action": {"type": "Action", "id": request.action},
        "resource": {"type": request.resource.type, "id": request.resource.id},
        "context": msgspec.json.encode(_record(request.context) | {"now": request.now}).decode(),
    }


def _uid(ref: Ref) -> Encoded:
    return {"type": ref.type, "id": ref.id}


def _record(values: Mapping[str, Value]) -> Encoded:
    return {name: _encode(value) for name, value in values.items()}


def _encode(value: Value) -> Any:
    match value:
        case bool() | int() | str():
            return value
        case Ref():
            return _uid(value)
        case frozenset() | tuple() | list():
            return sorted((_encode(v) for v in value), key=repr)
    raise TypeError(f"policy cannot read a value of the type {type(value).__name__}")
