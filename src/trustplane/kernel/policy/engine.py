"""The decision point: one request in, ``Allowed`` or ``Denial`` out.

The handles are parsed once and are immutable, so an engine may be shared between threads. It holds no state of the
plane: the caller brings the principal with its effective roles, the resource with its attributes, and the context.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache

import cedarpy
import msgspec

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.loading import Loaded, Note, Part, load_policies, schema
from trustplane.kernel.policy.requests import Request, entities_of, query_of
from trustplane.kernel.policy.scopes import outside_scopes
from trustplane.kernel.policy.sources import Source, builtin_sources
from trustplane.values.errors import nearest
from trustplane.values.outcomes import Allowed, Decision, Denial

_POLICY = re.compile(r"`policy(\d+)`")
_MISSING = re.compile(r"to have (?:an )?attribute `(\w+)`")
_UNKNOWN = re.compile(r"attribute `(\w+)`.* should not exist")
_WRONG = re.compile(r"in attribute `(\w+)`")

FAILED = "evaluation-error"
"""The id under which decisions name a request that could not be evaluated; no policy may take it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded policy set and the texts it came from."""

    loaded: Loaded
    sources: tuple[Source, ...] = field(repr=False)

    def with_extra(self, text: str, name: str = "workspace.cedar") -> "Engine":
        """A new engine that holds the policies of ``text`` too; all are validated together.

        A forbid overrides every permit, so no text can give back what a built-in forbid takes.
        """
        return build((*self.sources, Source(name, text)))

    def decide(self, request: Request) -> Decision:
        """Decide.

        Whatever cannot be evaluated in full is denied: an unknown action, a request that does not fit the schema, an
        error in any one policy, even if others permit.
        """
        if request.action not in ACTIONS:
            return _unknown(request.action)
        outside = outside_scopes(request)
        return self._evaluate(request) if outside is None else outside

    def notes(self, policies: Iterable[str]) -> tuple[Note, ...]:
        """What is known of the policies with these ids."""
        wanted = set(policies)
        return tuple(note for note in self.loaded.whole.notes if note.id in wanted)

    def _evaluate(self, request: Request) -> Decision:
        try:
            entities = _slice(msgspec.json.encode(entities_of(request)).decode())
            query = query_of(request)
        except (TypeError, ValueError, OverflowError):
            return _unfit(request)
        part = self.loaded.by_action[request.action]
        answer = cedarpy.is_authorized(query, part.policies, entities, schema())
        if answer.decision is cedarpy.Decision.NoDecision:
            return _unfit(request)
        if answer.diagnostics.errors:
            return _in_error(part, answer.diagnostics.errors)
        deciding = tuple(sorted(answer.diagnostics.id_annotations_by_reason.values()))
        if answer.decision is cedarpy.Decision.Allow:
            return Allowed(deciding)
        return Denial(self._reason(request, deciding), deciding)

    def _reason(self, request: Request, deciding: tuple[str, ...]) -> str:
        if not deciding:
            who, held = request.principal, " or ".join(sorted(request.principal.roles))
            roles = f"the role {held}" if held else "no role"
            kind = request.resource.type
            article = "an" if kind[0] in "AEIOU" else "a"
            return f"no policy permits {request.action} on {article} {kind} to a {who.kind} with {roles} there"
        advice = "; ".join(note.advice for note in self.notes(deciding) if note.advice)
        return f"{request.action} is forbidden by {', '.join(deciding)}" + (f": {advice}" if advice else "")


def build(sources: tuple[Source, ...]) -> Engine:
    """An engine of these texts alone; raises what :func:`~trustplane.kernel.policy.loading.load_policies` raises."""
    return Engine(load_policies(sources), sources)


@cache
def builtin() -> Engine:
    """The engine of the built-in policies."""
    return build(builtin_sources())


@lru_cache(maxsize=1024)
def _slice(encoded: str) -> cedarpy.Entities:
    """The entities of a request, checked against the schema, with the actions that the schema brings.

    Keyed by all that they hold, so an entry is never out of date. The slice is parsed alone: adding it to a base handle
    that holds the actions checks these again each time.
    """
    return cedarpy.Entities.from_json_str(encoded, schema())


def _unknown(action: str) -> Denial:
    hint = nearest(action, list(ACTIONS))
    return Denial(f"there is no action {action[:80]!r}" + (f"; {hint}" if hint else ""), (FAILED,))


def _in_error(part: Part, errors: Iterable[str]) -> Denial:
    numbers = {int(n) for error in errors for n in _POLICY.findall(error)}
    failed = ", ".join(sorted(part.notes[n].id for n in numbers))
    return Denial(f"the request cannot be decided: evaluating {failed} failed", (FAILED,))


def _unfit(request: Request) -> Denial:
    """The denial of a request that does not fit the schema.

    Cedar's own words quote values, which may be personal data; only names of attributes are passed on.
    """
    return Denial(f"the request does not fit the policy schema: {_misfit(request)}", (FAILED,))


def _misfit(request: Request) -> str:
    try:
        answer = cedarpy.is_authorized(query_of(request), "", entities_of(request), schema())
    except TypeError as error:
        return str(error)
    except UnicodeEncodeError:
        return "text that is not Unicode"
    said = " ".join(error.rpartition("]: ")[2] for error in answer.diagnostics.errors)
    for pattern, words in (
        (_UNKNOWN, "unknown attribute"),
        (_MISSING, "missing attribute"),
        (_WRONG, "wrong type of value in"),
    ):
        if named := pattern.search(said):
            return f"{words} {named.group(1)!r}"
    if request.resource.type not in ACTIONS[request.action].resources:
        return f"{request.action} is not done to a {request.resource.type}"
    return "a role, a parent or a value of the context is not what the schema says"
