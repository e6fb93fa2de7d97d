"""What a token is limited to: action names and patterns (``*``, ``dataset.*``, ``*.read``, ``model.approve``)."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.requests import Request
from trustplane.values.errors import BadInput, nearest
from trustplane.values.outcomes import Denial

POLICY = "token-scope"
"""The id under which decisions name this rule; no Cedar policy may take it."""


def parse_scopes(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes, sorted and each once; raise :class:`BadInput` where one matches no action or there is none."""
    scopes = tuple(sorted(set(texts)))
    if not scopes:
        raise BadInput("TP-POLICY-007", "a token needs at least one scope")
    for scope in scopes:
        if not actions_of((scope,)):
            raise BadInput(
                "TP-POLICY-007", f"the scope {scope[:80]!r} matches no action", why=nearest(scope, list(ACTIONS))
            )
    return scopes


@lru_cache(maxsize=1024)
def actions_of(scopes: tuple[str, ...]) -> frozenset[str]:
    """The actions that ``scopes`` reach. A scope has no wildcard but ``*``."""
    literal = [s.replace("[", "[[]").replace("?", "[?]") for s in scopes]
    return frozenset(name for name in ACTIONS if any(fnmatchcase(name, s) for s in literal))


def outside_scopes(request: Request) -> Denial | None:
    """The denial of a request that its token's scopes do not reach, or None.

    A token issues only tokens that reach no further than itself; otherwise ``token.issue`` would be every action.
    """
    held = actions_of(request.scopes)
    if request.action not in held:
        return Denial(
            f"the scopes of the token do not reach {request.action}; use a token with the scope {request.action!r}",
            (POLICY,),
        )
    if request.action == "token.issue":
        asked = request.context.get("scopes", ())
        texts = tuple(str(s) for s in asked) if isinstance(asked, tuple | list | frozenset) else ()
        if actions_of(tuple(sorted(texts))) - held:
            return Denial(
                "a token cannot issue one that reaches further than itself; ask for fewer scopes, or use a session",
                (POLICY,),
            )
    return None
