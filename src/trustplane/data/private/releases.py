"""Releasing a statistic: decided, computed, paid for and recorded in one operation; the answer leaves when that is durable."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.catalog import find_view, view_target
from trustplane.data.filters import columns_of, compile_filter
from trustplane.data.private.budgets import budget_of, require_left, shown, spend, unit_of
from trustplane.data.private.mechanisms import Unit, answer, require_opendp
from trustplane.data.private.questions import Question, check
from trustplane.data.storage import read_columns, release_columns, schema_of
from trustplane.data.tables import Dataset, DatasetVersion, PrivacyRelease, View
from trustplane.data.terms import check_purpose
from trustplane.data.view_limits import limits_of, masks_for, sampled
from trustplane.kernel.identity.scopes import find_project
from trustplane.values.errors import BadInput, Denied
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane


def release_statistic(
    plane: "Plane",
    actor: "Actor",
    project: str,
    view: str,
    asked: Question,
    purpose: str | None = None,
    idempotency: "Idempotency | None" = None,
) -> str:
    """Answer a question about the rows of a view for its purpose, at the cost of the budget of its dataset; return the id of the release.

    Whoever asks sees no row. A failure on the way costs nothing, and nothing is answered that was not paid for.
    """
    require_opendp()
    with plane.database.read() as session:
        row = find_view(session, find_project(session, project).id, view)
        version = session.get_one(DatasetVersion, row.version_id)
        dataset = session.get_one(Dataset, row.dataset_id)
        limits = limits_of(session, row)
    stated = check_purpose(purpose) if purpose else row.purpose
    schema = schema_of(version)
    looked_at = check(asked, _offered(row, version, schema, masks_for(limits, actor, row.project_id)))
    with plane.operation(
        actor, "view.measure", view_target(row), context={"purpose": stated}, idempotency=idempotency
    ) as op:
        if row.revoked_at is not None:
            raise Denied("TP-DATA-042", f"the view {row.name!r} was revoked")
        with plane.database.read() as session:
            budget = budget_of(session, dataset, stated)
            require_left(budget, asked.micro)
            unit = unit_of(budget)
            needed = _needed(row, version, schema, looked_at, unit)
            keys = release_columns(op, session, version, needed)
        rows = read_columns(plane.blobs, version, needed, keys)
        drawn = sampled(rows, row.id, version.rows, limits.sample)
        said = answer(asked, unit, _filtered(drawn, [row.row_filter, asked.where], schema))
        left = spend(op.session, budget.id, unit, asked.micro)
        made = PrivacyRelease(
            id=new_id(),
            budget_id=budget.id,
            view_id=row.id,
            version_id=version.id,
            kind=asked.kind,
            column=asked.column,
            epsilon=asked.micro,
            question=asked.digest,
            answer=said,
            actor_id=actor.id,
            at=plane.clock.now(),
        )
        op.session.add(made)
        op.record(
            release=made.id,
            kind=asked.kind,
            column=asked.column,
            purpose=stated,
            epsilon=shown(asked.micro),
            left=shown(left.total - left.spent),
            question=asked.digest,
        )
        op.refer(table=version.digest)
        op.made(made.id)
    return made.id


def releases_of(session: Session, budget_id: str) -> Sequence[PrivacyRelease]:
    """What a budget was spent on, the newest first."""
    query = select(PrivacyRelease).where(PrivacyRelease.budget_id == budget_id).order_by(PrivacyRelease.id.desc())
    return session.scalars(query).all()


def _offered(row: View, version: DatasetVersion, schema: Any, masked: Collection[str]) -> Any:
    """What may be asked about: the columns of the view that show values, and those that name nobody."""
    for name in row.columns:
        if name in row.pseudonyms or name in masked or version.classes[name] == "identifier":
            schema = schema.remove(schema.get_field_index(name))
    for name in set(schema.names) - set(row.columns):
        schema = schema.remove(schema.get_field_index(name))
    if not schema.names:
        raise BadInput("TP-DATA-110", "the view has no column that a statistic could be of")
    return schema


def _needed(row: View, version: DatasetVersion, schema: Any, looked_at: Sequence[str], unit: Unit) -> tuple[str, ...]:
    named = (unit.column,) if unit.column else ()
    needed = tuple(dict.fromkeys((*looked_at, *columns_of(row.row_filter, schema), *named)))
    missing = [name for name in needed if name not in version.classes]
    if missing:
        raise BadInput("TP-DATA-110", f"the version has no column {missing[0][:80]!r}, which the budget names")
    return needed or (schema.names[0],)


def _filtered(batches: Iterator[Any], filters: Sequence[str], schema: Any) -> Iterator[Any]:
    expressions = [compile_filter(text, schema) for text in filters if text]
    for batch in batches:
        kept = batch
        for expression in expressions:
            kept = kept.filter(expression)
        if kept.num_rows:
            yield kept
