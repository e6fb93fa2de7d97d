"""The threat model that an assessment goes by: the one that the suite names or holds, else the one that the run left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from trustplane.assessment.holdout import THREAT
from trustplane.assessment.tables import Assessment
from trustplane.training.tables import KeptThreat, Run
from trustplane.training.threats.model import ThreatModel, fit
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.service import find_threat, is_reference, parse_reference, read_kept
from trustplane.values.digests import sha256
from trustplane.values.errors import Tampered

KEPT, SUITE, RUN = "project", "suite", "run"
"""Where a threat model comes from: kept by the project, written into the suite, or left by the run."""
LISTED = 100
_FOUND = ("robust_accuracy", "withstood")


def chosen(session: Session, run: Run | None, project_id: str, said: str) -> dict[str, Any]:
    """What is remembered of the threat model that is meant now: ``from``, ``digest``, and of a kept one ``id``, ``name`` and ``number``.

    ``said`` is the suite's: a name, a text, or empty. Without any threat model it is empty. The newest version of a name is that of this moment.
    """
    if is_reference(said):
        row = find_threat(session, project_id, parse_reference(said))
        return {"from": KEPT, "digest": row.digest, "id": row.id, "name": row.name, "number": row.number}
    if said:
        return {"from": SUITE, "digest": sha256(said.encode())}
    left = {} if run is None else run.outputs.get(THREAT, {})
    return {"from": RUN, "digest": left["sha256"]} if "sha256" in left else {}


def threat_of(
    session: Session, suite: Mapping[str, Any], left: bytes | None, names: Sequence[str]
) -> ThreatModel | None:
    """The threat model of an assessment as it was asked for; ``left`` is what the run left, ``names`` the features of the model.

    Raises :class:`Tampered` (TP-RUN-056) where a kept one is not the one that was meant.
    """
    held, said = suite.get("threat_model", {}), suite.get("threat", "")
    if held.get("from") == KEPT:
        row = session.get(KeptThreat, held["id"])
        if row is None:
            raise Tampered("TP-RUN-056", f"{held['name']}@{held['number']} is not in the project any more")
        threat = read_kept(row, held["digest"])
    elif said or left is not None:
        threat = parse_threat(said or (left or b"").decode("utf-8", "replace"))
    else:
        return None
    fit(threat, names)
    return threat


def told(suite: Mapping[str, Any]) -> dict[str, Any] | None:
    """Which threat model an assessment went by, as events, lists and pages show it; None where that is not on record."""
    held = suite.get("threat_model") or {}
    return {key: held.get(key) for key in ("from", "name", "number", "digest")} if held else None


def assessments_by(session: Session, project_id: str, digest: str) -> Sequence[Assessment]:
    """The newest assessments of a project that went by the text of this digest, wherever they had it from, the newest first."""
    # The text is searched: PostgreSQL's operators on JSON fail at the escape of a NUL anywhere in a suite.
    holds = cast(Assessment.suite, Text).contains(digest, autoescape=True)
    query = select(Assessment).where(Assessment.project_id == project_id, holds)
    newest = session.scalars(query.order_by(Assessment.created.desc(), Assessment.id.desc()).limit(LISTED))
    return [row for row in newest if (row.suite.get("threat_model") or {}).get("digest") == digest]


def robustness_of(row: Assessment) -> dict[str, Any] | None:
    """What an assessment found of robustness: its ``status``, and ``robust_accuracy`` and ``withstood`` among ``figures`` and ``intervals``.

    None where it was not looked for.
    """
    result = row.results.get("robustness")
    if result is None:
        return None
    parts = {part: result.get(part, {}) for part in ("figures", "intervals")}
    chosen = {part: {name: held[name] for name in _FOUND if name in held} for part, held in parts.items()}
    return {"status": result["status"], **chosen}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a first suite says of threat models: the one that it names, whether that is a draft, and the others that the project keeps."""

    named: str = ""
    draft: bool = False
    others: tuple[str, ...] = ()


def proposal(kept: Sequence[KeptThreat], model: str, features: Sequence[str]) -> Proposal:
    """Of the newest versions those that speak of no feature the model lacks; of these one that people own, named like the model, kept last."""
    known = set(features)
    fitting = [row for row in kept if known.issuperset(read_kept(row).names)]
    if not fitting:
        return Proposal(others=tuple(row.name for row in kept))
    best = min(fitting, key=lambda row: (row.facts["draft"], row.name != model))
    others = tuple(row.name for row in kept if row is not best)
    return Proposal(f"{best.name}@{best.number}", best.facts["draft"], others)
