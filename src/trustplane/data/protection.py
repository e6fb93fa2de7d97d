"""Protecting the rows of a view under a recipe: a new dataset, with its lineage and its risk before and after on record."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from trustplane.data.anonymity.anonymise import anonymise
from trustplane.data.anonymity.hierarchies import encode
from trustplane.data.anonymity.lattice import classes_at
from trustplane.data.anonymity.models import Model
from trustplane.data.anonymity.risks import risk_of
from trustplane.data.catalog import find_view
from trustplane.data.ingestion import DatasetSpec, Ingested, ingest
from trustplane.data.project_keys import project_key
from trustplane.data.recipes import Plan, read_plan
from trustplane.data.tables import Dataset, DatasetVersion, View
from trustplane.data.transforms.steps import Treatment, treat
from trustplane.data.utility import distances, scores
from trustplane.data.views import OpenedView, Question, open_view
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.values.errors import BadInput, nearest

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

FOLLOWED = "a recipe gave its values other names, by which the project can still find a person"


@dataclass(frozen=True, slots=True)
class Protected:
    """What a protection made."""

    made: Ingested
    figures: dict[str, Any]


def protect(
    plane: "Plane",
    actor: "Actor",
    project: str,
    view: str,
    recipe: str,
    into: str,
    idempotency: "Idempotency | None" = None,
) -> Protected:
    """Carry out the TOML text ``recipe`` on the rows of a view, and ingest the result as a version of the dataset ``into``.

    The view's opening and the ingestion are two decisions and two events; the second names the first. In memory: the columns of the recipe.
    """
    plan = read_plan(recipe)
    with plane.database.read() as session:
        scope = find_project(session, project)
        row = find_view(session, scope.id, view)
        version = session.get_one(DatasetVersion, row.version_id)
        source = session.get_one(Dataset, version.dataset_id)
    classes = {c: version.classes[c] for c in row.columns}
    treatments = plan.treatments(classes)
    columns = plan.columns(treatments)
    _require_columns(columns, classes)
    _require_nobody_told(plan, treatments, row, classes)
    opened = open_view(plane, actor, project, view, question=Question(frozenset(columns), plan.digest))
    figures: dict[str, Any] = {}

    def made(op: Operation) -> Iterator[bytes]:
        table, found = _carried_out(op, scope, opened, plan, treatments, columns, classes)
        figures.update(found)
        op.record(protected=found, view_opened_by=opened.event, from_version=opened.version_id)
        yield _parquet(table)

    spec = DatasetSpec(
        into,
        "parquet",
        tuple(source.purposes),
        source.lawful_basis,
        source.retention_days,
        f"the view {view}, by a recipe {plan.digest[:20]}",
        f"{source.name}, protected: {_words(plan)}",
    )
    done = ingest(plane, actor, project, spec, made, idempotency, treated=_followed(treatments))
    return Protected(done, figures)


def protection_of(plane: "Plane", session: Session, version: DatasetVersion) -> dict[str, Any] | None:
    """The figures of the protection that made a version, as its event says them; None for a version that was not made so."""
    found: dict[str, Any] | None = ingestion_of(plane, session, version)[1].get("protected")
    return found


def source_of(plane: "Plane", session: Session, version: DatasetVersion) -> DatasetVersion | None:
    """The version that a protected one was made of; None for any other."""
    return session.get(DatasetVersion, ingestion_of(plane, session, version)[1].get("from_version", ""))


def ingestion_of(plane: "Plane", session: Session, version: DatasetVersion) -> tuple[str, dict[str, Any]]:
    """The event of a version's ingestion, and what it says."""
    for event in reversed(events_about(session, f"Dataset::{version.dataset_id}", "dataset.ingest")):
        facts: dict[str, Any] = (plane.ledger.get(event).payload or {}).get("facts", {})
        if facts.get("version") == version.id:
            return event, facts
    return "", {}


def _carried_out(
    op: Operation,
    scope: Project,
    opened: OpenedView,
    plan: Plan,
    treatments: Mapping[str, Treatment],
    columns: tuple[str, ...],
    classes: Mapping[str, str],
) -> tuple[Any, dict[str, Any]]:
    raw = pa.Table.from_batches(opened.batches, schema=opened.schema)
    known = (
        plan.model.quasi_identifiers if plan.model else tuple(c for c in columns if classes[c] == "quasi-identifier")
    )
    before = _risk(raw, known)
    table, steps = treat(raw, treatments, _keys(op, scope, treatments))
    if plan.model is not None:
        result = anonymise(table, plan.model)
        used = _utility(raw, result.table, result.kept, plan)
        return result.table, {**result.figures, "before": before, "steps": steps, "utility": used}
    shown = table.select(list(columns))
    figures = {
        "recipe": plan.digest,
        "method": "steps",
        "asked": {},
        "reached": {},
        "suppressed": 0,
        "loss": 0.0,
        "quasi_identifiers": list(known),
        "before": before,
        "after": _risk(table, known),
        "steps": steps,
        "utility": _utility(raw, shown, np.arange(len(shown)), plan),
    }
    return shown, figures


def _utility(raw: Any, made: Any, kept: Any, plan: Plan) -> dict[str, Any]:
    if plan.label and plan.label not in made.column_names:
        why = nearest(plan.label, made.column_names) or "the label is kept, or it is the sensitive column"
        raise BadInput("TP-DATA-060", f"the result has no column {plan.label[:80]!r} to learn", why=why)
    score = {"score": scores(raw, made, kept, plan.label)} if plan.label else {}
    return {"distances": distances(raw, made, kept), **score}


def _risk(table: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The risk of whoever is known by the columns ``names``."""
    if not names or not table.num_rows:
        return risk_of(np.zeros(table.num_rows, np.int64)).facts()
    encoded = [encode(name, table[name]) for name in names]
    return risk_of(classes_at(encoded, (0,) * len(encoded), Model(1), None)).facts()


def _keys(op: Operation, scope: Project, treatments: Mapping[str, Treatment]) -> dict[str, SecretKey]:
    needed = sorted({purpose for t in treatments.values() for each in t.transforms for purpose in each.needs})
    ids = {purpose: project_key(op, scope.id, scope.key_id, purpose) for purpose in needed}
    keys = release(op, op.session, op.plane.keystore, ids.values())
    return {purpose: keys[key_id] for purpose, key_id in ids.items()}


def _followed(treatments: Mapping[str, Treatment]) -> dict[str, dict[str, Any]]:
    """What a version must know of the columns in which a person can be found under another name."""
    return {
        column: {
            "klass": "identifier",
            "entity": "PSEUDONYM",
            "confidence": 1.0,
            "why": FOLLOWED,
            "made": {"do": t.steps[0].do, "options": dict(t.steps[0].options)},
        }
        for column, t in treatments.items()
        if t.follows
    }


def _words(plan: Plan) -> str:
    said = [] if plan.model is None else [f"k = {plan.model.model.k} by {plan.model.method}"]
    return ", ".join([*said, *([f"{len(plan.steps)} steps"] if plan.steps else [])])


def _require_columns(columns: tuple[str, ...], classes: Mapping[str, str]) -> None:
    if not columns:
        raise BadInput("TP-DATA-060", "the recipe leaves no column")
    for name in columns:
        if name not in classes:
            raise BadInput("TP-DATA-060", f"the table has no column {name[:80]!r}", why=nearest(name, list(classes)))


def _require_nobody_told(
    plan: Plan, treatments: Mapping[str, Treatment], row: View, classes: Mapping[str, str]
) -> None:
    """What tells one person from all others is hidden, and beside rows that must be alike it is gone."""
    for name in plan.columns(treatments):
        treatment = treatments.get(name)
        if treatment is not None and name in row.pseudonyms:
            raise BadInput("TP-DATA-060", f"the view shows pseudonyms of {name[:80]!r}: a step needs a view of the column itself")  # fmt: skip
        if classes[name] != "identifier":
            continue
        if treatment is None or not treatment.hides:
            raise BadInput("TP-DATA-060", f"the column {name[:80]!r} says who each row is about: leave it out, or hide it with a step")  # fmt: skip
        if plan.model is not None and (treatment.follows or treatment.steps[0].do == "hash"):
            raise BadInput(
                "TP-DATA-060", f"the column {name[:80]!r} still tells each person from all others: leave it out"
            )


def _parquet(table: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()
