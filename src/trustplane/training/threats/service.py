"""Threat models that a project keeps: versions that never change, by name and number."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased, defer

from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.policy.requests import account
from trustplane.kernel.target import Target
from trustplane.training.tables import KeptThreat
from trustplane.training.threats.contradictions import check_contradictions
from trustplane.training.threats.model import ThreatModel
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.telling import summary
from trustplane.values.clock import rfc3339
from trustplane.values.digests import sha256
from trustplane.values.errors import BadInput, NotFound, Tampered, nearest
from trustplane.values.ids import NAME, check_name, new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

_NUMBER = re.compile(r"[1-9][0-9]{0,8}\Z")


@dataclass(frozen=True, slots=True)
class Reference:
    """How people name a kept threat model: ``credit`` for the newest version, ``credit@2`` for one."""

    name: str
    number: int | None = None

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}@{self.number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The version that was kept, or that said the same before; ``new`` tells which."""

    id: str
    new: bool


def is_reference(said: str) -> bool:
    """Whether it names a kept threat model rather than being the text of one: no name is a threat model in TOML."""
    name, at, number = said.partition("@")
    return NAME.match(name) is not None and (not at or _NUMBER.match(number) is not None)


def parse_reference(said: str) -> Reference:
    """Read ``NAME`` or ``NAME@NUMBER``; raise :class:`BadInput` (TP-RUN-054) for anything else."""
    if not is_reference(said):
        raise BadInput("TP-RUN-054", f"{said[:80]!r} names no threat model")
    name, _, number = said.partition("@")
    return Reference(name, int(number) if number else None)


def keep_threat(
    plane: "Plane", actor: "Actor", project: str, name: str, text: str, idempotency: "Idempotency | None" = None
) -> Outcome:
    """Keep a threat model as the next version of its name. A text that the newest version has already makes no new one.

    Raises :class:`BadInput` where it cannot be read, or where its relations contradict each other.
    """
    check_name("threat model", name)
    with plane.database.read() as session:
        row = find_project(session, project)
        project_id, target = row.id, project_target(row)
    with plane.operation(actor, "threat.keep", target, idempotency=idempotency) as op:
        threat = parse_threat(text)
        check_contradictions(threat)
        digest = sha256(text.encode())
        # Whoever keeps one of this project at the same moment waits here.
        op.session.get_one(Project, project_id, populate_existing=True, with_for_update={"key_share": True})
        newest = op.session.scalar(_versions(project_id, name).limit(1))
        new = newest is None or newest.digest != digest
        if new:
            kept = KeptThreat(
                id=new_id(),
                project_id=project_id,
                name=name,
                number=1 if newest is None else newest.number + 1,
                text=text,
                digest=digest,
                facts=summary(threat),
                author_id=actor.answerable,
                created=plane.clock.now(),
            )
            op.session.add(kept)
        else:
            assert newest is not None
            kept = newest
        op.about(threat_target(kept))
        figures = {key: kept.facts[key] for key in ("draft", "features", "mutable", "relations")}
        op.record(name=name, number=kept.number, new=new, **figures)
        op.refer(threat=digest)
        op.made(kept.id)
        return Outcome(kept.id, new)


def threat_target(row: KeptThreat) -> Target:
    """A kept threat model as policy sees it."""
    return Target("ThreatModel", row.id, project=row.project_id, attributes={"author": account(row.author_id)})


def find_threat(session: Session, project_id: str, reference: Reference) -> KeptThreat:
    """The version that a reference names, the newest without a number; raise :class:`NotFound` (TP-RUN-055) where there is none."""
    query = _versions(project_id, reference.name)
    if reference.number is not None:
        query = query.where(KeptThreat.number == reference.number)
    row = session.scalar(query.limit(1))
    if row is not None:
        return row
    names = sorted(set(session.scalars(select(KeptThreat.name).where(KeptThreat.project_id == project_id))))
    what = f"there is no threat model {str(reference)!r} in the project"
    if reference.name in names:
        newest = session.scalar(_versions(project_id, reference.name).limit(1))
        raise NotFound("TP-RUN-055", what, why=f"the newest version is {0 if newest is None else newest.number}")
    raise NotFound("TP-RUN-055", what, why=nearest(reference.name, names))


def versions_of(session: Session, project_id: str, name: str) -> Sequence[KeptThreat]:
    """The versions of a threat model, the newest first; the text of each is fetched when it is asked for."""
    return session.scalars(_versions(project_id, name).options(defer(KeptThreat.text))).all()


def newest_threats(session: Session, project_id: str) -> Sequence[KeptThreat]:
    """The newest version of each threat model of a project, the one that was kept last first."""
    later = aliased(KeptThreat)
    last = (
        select(func.max(later.number))
        .where(later.project_id == KeptThreat.project_id, later.name == KeptThreat.name)
        .scalar_subquery()
    )
    query = select(KeptThreat).where(KeptThreat.project_id == project_id, KeptThreat.number == last)
    return session.scalars(query.order_by(KeptThreat.id.desc()).options(defer(KeptThreat.text))).all()


def read_kept(row: KeptThreat, digest: str | None = None) -> ThreatModel:
    """What a kept version says; raise :class:`Tampered` (TP-RUN-056) where its text is not the one that was kept, or not that of ``digest``."""
    held = sha256(row.text.encode("utf-8", "surrogatepass"))
    if held != row.digest or (digest is not None and held != digest):
        raise Tampered("TP-RUN-056", f"the text of {row.name}@{row.number} is not the one that was kept")
    return parse_threat(row.text)


def kept_facts(row: KeptThreat, names: Mapping[str, str]) -> dict[str, Any]:
    """A version as lists, routes and pages show it; ``names`` are those of principals by id."""
    return {
        "id": row.id,
        "name": row.name,
        "number": row.number,
        "digest": row.digest,
        "title": row.facts["name"],
        **{key: value for key, value in row.facts.items() if key != "name"},
        "author": names.get(row.author_id, row.author_id),
        "created": rfc3339(row.created),
    }


def _versions(project_id: str, name: str) -> Select[KeptThreat]:
    query = select(KeptThreat).where(KeptThreat.project_id == project_id, KeptThreat.name == name)
    return query.order_by(KeptThreat.number.desc())
