"""What becomes of a model that a person's rows went into, once they were erased: one recorded outcome for each, case by case.

After EDPB Opinion 28/2024 on AI models (17 December 2024): a model that was trained on personal data is not anonymous by default.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from trustplane.data.subjects.holders.contract import Reached
from trustplane.data.subjects.holders.registry import reached
from trustplane.data.subjects.requests import find_request
from trustplane.data.tables import DatasetVersion, SubjectRequest
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.values.clock import rfc3339
from trustplane.values.errors import BadInput, NotFound, nearest

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


class Outcome(StrEnum):
    """What was decided."""

    NOT_AFFECTED = "not_affected"
    """The person's rows were read and not used: the reason says how that is known."""
    ANONYMOUS = "anonymous"
    """Attacks did not tell the person from others; the evidence is a digest or an event of the assessment."""
    RETRAIN_BY = "retrain_by"
    """It is trained again by a date, on what is left."""
    UNLEARNED = "unlearned"
    """The person's part was taken out, and a test shows it."""
    SUPPRESSED = "suppressed"
    """Its answers about the person are held back until a date: an interim measure."""
    RETIRED = "retired"
    """It is used no more."""


DATED = frozenset({Outcome.RETRAIN_BY, Outcome.SUPPRESSED})
EVIDENCED = frozenset({Outcome.ANONYMOUS, Outcome.UNLEARNED})


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided of one thing. ``until`` where the outcome has a date, ``evidence`` where it needs some."""

    outcome: str
    reason: str
    until: datetime | None = None
    evidence: str = ""


def reached_by(session: Session, request: SubjectRequest) -> list[Reached]:
    """What the rows went into that the request took out."""
    ids = [version for each in request.erased.values() for version in each["versions"]]
    current = {v.id: v.digest for v in (session.get(DatasetVersion, i) for i in ids) if v is not None}
    return reached(session, request.project_id, current) if current else []


def undecided(session: Session, request: SubjectRequest) -> list[Reached]:
    """The things that still have no outcome."""
    return [r for r in reached_by(session, request) if r.id not in request.outcomes]


def decide_outcome(plane: "Plane", actor: "Actor", project: str, request: str, thing: str, decided: Decided) -> None:
    """Record what becomes of a model version or run that the person's rows went into. A later word takes the place of an earlier one."""
    outcome = _checked(decided, plane.clock.now())
    with plane.database.read() as session:
        scope = find_project(session, project)
        row = find_request(session, scope, request)
        known = {r.id: r for r in reached_by(session, row)}
    if thing not in known:
        what = f"{thing[:64]!r} is nothing that the person's rows went into"
        raise NotFound("TP-DATA-077", what, why=nearest(thing, known))
    with plane.operation(actor, "request.update", project_target(scope)) as op:
        mine = op.session.get_one(SubjectRequest, row.id, with_for_update=True)
        said = {
            "outcome": str(outcome),
            "reason": decided.reason.strip()[:2000],
            "until": None if decided.until is None else rfc3339(decided.until),
            "evidence": decided.evidence.strip()[:200],
            "by": op.actor.answerable,
            "event": op.id,
        }
        mine.outcomes = {**mine.outcomes, thing: said}
        op.record(request=row.id, thing=thing, kind=known[thing].kind, outcome=str(outcome), until=said["until"])


def _checked(decided: Decided, now: datetime) -> Outcome:
    if decided.outcome not in set(Outcome):
        raise BadInput(
            "TP-DATA-078", f"{decided.outcome[:40]!r} is no outcome", why=nearest(decided.outcome, list(Outcome))
        )
    outcome = Outcome(decided.outcome)
    if not decided.reason.strip():
        raise BadInput("TP-DATA-078", "an outcome needs its reason")
    if outcome in DATED and (decided.until is None or decided.until <= now):
        raise BadInput("TP-DATA-078", f"the outcome {outcome} needs a date to come")
    if outcome in EVIDENCED and not decided.evidence.strip():
        raise BadInput("TP-DATA-078", f"the outcome {outcome} needs evidence: the event or digest of an assessment")
    return outcome
