"""Roles, and which of them are in effect where a resource lies."""

from collections.abc import Iterable
from typing import Protocol

from trustplane.values.errors import BadInput, nearest

ROLES = ("owner", "data-steward", "scientist", "reviewer", "operator", "auditor", "consumer")
SCOPES = ("plane", "project", "environment")


class Binding(Protocol):
    """A role given to a principal at a scope."""

    @property
    def role(self) -> str:
        """One of :data:`ROLES`."""
        ...

    @property
    def scope_kind(self) -> str:
        """``plane``, ``project`` or ``environment``."""
        ...

    @property
    def scope_id(self) -> str:
        """The id of the project or environment; not read at the plane, of which there is one."""
        ...


def effective_roles(bindings: Iterable[Binding], *, project: str | None, environment: str | None) -> frozenset[str]:
    """The roles that one principal's ``bindings`` give it on a resource that lies in ``project`` and ``environment``.

    A binding holds at its scope and below: at the plane everywhere, at a project for all that lies in it, at an
    environment for what lies in that environment. It never holds above: no project's role is in effect on the plane or
    on an account.
    """
    return frozenset(check_role(b.role) for b in bindings if _covers(b, project, environment))


def _covers(binding: Binding, project: str | None, environment: str | None) -> bool:
    match binding.scope_kind:
        case "plane":
            return True
        case "project":
            return project is not None and binding.scope_id == project
        case "environment":
            return environment is not None and binding.scope_id == environment
        case other:
            raise BadInput("TP-POLICY-006", f"there is no scope of the kind {other!r}", why=nearest(other, SCOPES))


def check_role(role: str) -> str:
    """Return ``role`` if it is one; raise :class:`BadInput` otherwise."""
    if role not in ROLES:
        raise BadInput("TP-POLICY-005", f"there is no role {role!r}", why=nearest(role, ROLES))
    return role
