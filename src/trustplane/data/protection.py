"""Protecting the rows of a view under a recipe: a new dataset, with its lineage and its risk before and after on record."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from trustplane.data.anonymity.anonymise import anonymise
from trustplane.data.anonymity.recipes import Recipe, read_recipe
from trustplane.data.catalog import find_view
from trustplane.data.ingestion import DatasetSpec, Ingested, ingest
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.data.views import open_view
from trustplane.kernel.identity.scopes import find_project
from trustplane.values.errors import BadInput

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane


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
    said = read_recipe(recipe)
    _require_no_identifier(plane, project, view, said)
    opened = open_view(plane, actor, project, view, only=said.columns, query=said.digest)
    table = pa.Table.from_batches(opened.batches, schema=opened.schema)
    result = anonymise(table, said)
    with plane.database.read() as session:
        source = session.get_one(Dataset, session.get_one(DatasetVersion, opened.version_id).dataset_id)
    spec = DatasetSpec(
        into,
        "parquet",
        tuple(source.purposes),
        source.lawful_basis,
        source.retention_days,
        f"the view {view}, by a recipe {said.digest[:20]}",
        f"{source.name}, protected: k = {said.model.k} by {said.method}",
    )
    about = {"protected": result.figures, "view_opened_by": opened.event, "from_version": opened.version_id}
    made = ingest(plane, actor, project, spec, _parquet(result.table), idempotency, about=about)
    return Protected(made, result.figures)


def _require_no_identifier(plane: "Plane", project: str, view: str, recipe: Recipe) -> None:
    """Whoever keeps what tells one person from all others protects nobody, also under a pseudonym."""
    with plane.database.read() as session:
        row = find_view(session, find_project(session, project).id, view)
        classes = session.get_one(DatasetVersion, row.version_id).classes
    telling = [c for c in recipe.columns if classes.get(c) == "identifier"]
    if telling:
        raise BadInput("TP-DATA-060", f"the column {telling[0][:80]!r} says who each row is about: leave it out")


def _parquet(table: Any) -> Iterator[bytes]:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    yield sink.getvalue()
