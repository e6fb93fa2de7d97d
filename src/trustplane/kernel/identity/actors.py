"""The actor of an operation: an authenticated principal with its bindings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleBinding:
    """A role at a scope. ``scope_id`` is ``plane`` at the plane."""

    role: str
    scope_kind: str
    scope_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the principal, what it is bound to, and what its token is limited to."""

    id: str
    kind: str
    name: str
    bindings: tuple[RoleBinding, ...] = ()
    scopes: tuple[str, ...] = ("*",)
    owner: str | None = None
    token_id: str | None = None

    @property
    def answerable(self) -> str:
        """The id of the principal that answers for what this one does: itself, or the owner of a service."""
        return self.owner or self.id


PLANE_ACTOR = Actor(
    "plane",
    "service",
    "plane",
    (RoleBinding("owner", "plane", "plane"), RoleBinding("operator", "plane", "plane")),
)
"""The plane itself, which acts when a schedule fires and when the first owner is made. It has no token: nobody can be it."""
