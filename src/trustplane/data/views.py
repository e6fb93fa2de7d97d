"""Views: the only way to rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import select

from trustplane.data.catalog import dataset_target, find_dataset, find_version, find_view, require_usable, view_target
from trustplane.data.filters import columns_of, compile_filter
from trustplane.data.project_keys import project_key
from trustplane.data.storage import read_columns, release_columns, schema_of
from trustplane.data.tables import DatasetVersion, View
from trustplane.data.terms import check_purpose
from trustplane.data.view_limits import (
    Limits,
    check_limits,
    keep_limits,
    limits_of,
    masked,
    masks_for,
    require_rows,
    sampled,
)
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import release
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.pseudonyms import pseudonymise
from trustplane.values.errors import BadInput, Conflict, Denied, nearest
from trustplane.values.ids import check_name, new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What a view shows: columns of one version (the newest without a number), rows that pass a filter, for a purpose, for a time."""

    name: str
    dataset: str
    columns: tuple[str, ...]
    purpose: str
    life: timedelta
    row_filter: str = ""
    pseudonyms: tuple[str, ...] = ()
    number: int | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class OpenedView:
    """The rows of a view, as the operation that opened it released them. Each ``scan`` decrypts them anew."""

    event: str
    schema: Any
    scan: Callable[[], Iterator[Any]]
    version_id: str
    digest: str

    @property
    def batches(self) -> Iterator[Any]:
        """The rows, to be walked once."""
        return self.scan()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the rows of a view: ``only`` some of its columns; the ``digest`` of a query or recipe; ``aggregated`` where the caller
    lets out aggregates alone, over groups as large as the view's limits say."""

    only: frozenset[str] | None = None
    digest: str | None = None
    aggregated: bool = False
    packed: bool = False
    """Whether texts that repeat may come as Arrow dictionaries."""


WHOLE = Question()
REPEATS = 20
"""Texts are packed where each stands there so many times on average."""


def create_view(
    plane: "Plane",
    actor: "Actor",
    project: str,
    spec: ViewSpec,
    idempotency: "Idempotency | None" = None,
    then: Callable[[Operation, str], None] | None = None,
) -> str:
    """Make a view; return its id. ``then`` is done in the same transaction."""
    purpose = check_purpose(spec.purpose)
    with plane.database.read() as session:
        project_row = find_project(session, project)
        dataset = find_dataset(session, project_row.id, spec.dataset)
        version = find_version(session, dataset, spec.number)
        require_usable(session, version)
        target = dataset_target(session, dataset)
    looked_at = check_spec(spec, version)
    with plane.operation(actor, "view.create", target, context={"purpose": purpose}, idempotency=idempotency) as op:
        taken = select(View.id).where(View.project_id == project_row.id, View.name == spec.name)
        if op.session.scalar(taken) is not None:
            raise Conflict("TP-DATA-041", f"the name {spec.name!r} is taken in this project")
        now = plane.clock.now()
        row = View(
            id=new_id(),
            project_id=project_row.id,
            dataset_id=dataset.id,
            version_id=version.id,
            name=spec.name,
            columns=list(spec.columns),
            row_filter=spec.row_filter.strip(),
            pseudonyms=list(spec.pseudonyms),
            pseudonym_key=project_key(op, project_row.id, project_row.key_id, "pseudonym") if spec.pseudonyms else None,
            purpose=purpose,
            expires=now + spec.life,
            revoked_at=None,
            created_by=actor.answerable,
            created=now,
        )
        op.session.add(row)
        op.session.flush()
        keep_limits(op.session, row, spec.limits)
        op.record(
            view=row.id,
            version=version.id,
            columns=row.columns,
            filtered_by=list(looked_at),
            pseudonyms=row.pseudonyms,
            classes=sorted({version.classes[c] for c in (*row.columns, *looked_at)}),
            purpose=purpose,
            expires=int(row.expires.timestamp()),
            **(_said(spec.limits) if spec.limits.any else {}),
        )
        if then is not None:
            then(op, row.id)
        op.about(view_target(row))
        op.made(row.id)
        return row.id


def check_spec(spec: ViewSpec, version: DatasetVersion) -> tuple[str, ...]:
    """The columns that the filter looks at, once the whole specification makes sense for the version."""
    check_name("view", spec.name)
    if not timedelta(minutes=1) <= spec.life <= LONGEST:
        raise BadInput("TP-DATA-040", "a view lives for at least one minute and at most 366 days")
    looked_at = _checked_columns(spec, version)
    check_limits(spec.limits, spec.columns, spec.pseudonyms)
    return looked_at


def open_view(
    plane: "Plane",
    actor: "Actor",
    project: str,
    view: str,
    purpose: str | None = None,
    cause: str | None = None,
    question: Question = WHOLE,
) -> OpenedView:
    """Open a view for a purpose, its own without one. The opening is on durable record before the first row leaves.

    Keys of columns that the ``question`` does not need stay in the vault.
    """
    with plane.database.read() as session:
        row = find_view(session, find_project(session, project).id, view)
        version = session.get_one(DatasetVersion, row.version_id)
        limits = limits_of(session, row)
    schema = schema_of(version)
    strange = sorted((question.only or frozenset()) - set(row.columns))
    if strange:
        raise BadInput("TP-DATA-033", f"the view shows no column {strange[0][:80]!r}", why=nearest(strange[0][:80], row.columns))  # fmt: skip
    columns = tuple(c for c in row.columns if question.only is None or c in question.only)
    needed = tuple(dict.fromkeys((*columns, *columns_of(row.row_filter, schema))))
    stated = check_purpose(purpose) if purpose else row.purpose
    with plane.operation(actor, "view.open", view_target(row), context={"purpose": stated}, cause=cause) as op:
        if row.revoked_at is not None:
            raise Denied("TP-DATA-042", f"the view {row.name!r} was revoked")
        if not question.aggregated:
            require_rows(limits, row)
        masks = masks_for(limits, actor, row.project_id)
        extra = [row.pseudonym_key] if row.pseudonym_key and set(columns) & set(row.pseudonyms) else []
        with plane.database.read() as session:
            keys = release_columns(op, session, version, needed)
            masking = release(op, session, plane.keystore, extra)
        op.record(
            version=version.id, columns=list(needed), purpose=stated, **({"masked": sorted(masks)} if masks else {})
        )
        op.refer(table=version.digest, **({} if question.digest is None else {"query": question.digest}))
    mask = masking[row.pseudonym_key] if row.pseudonym_key and extra else None
    shown = _shown_schema(row, schema, columns, masks)
    packed = _packable(version, row, shown, masks) if question.packed else ()
    for name in packed:
        at = shown.get_field_index(name)
        shown = shown.set(at, shown.field(at).with_type(pa.dictionary(pa.int32(), pa.string())))

    def scan() -> Iterator[Any]:
        read = read_columns(plane.blobs, version, needed, keys, packed)
        return _shape(sampled(read, row.id, version.rows, limits.sample), row, shown, schema, mask, masks)

    return OpenedView(op.id, shown, scan, version.id, version.digest)


def _said(limits: Limits) -> dict[str, Any]:
    return {
        "masks": dict(limits.masks),
        "unmasked": list(limits.unmasked),
        "groups": limits.groups,
        "sample": limits.sample,
    }


def revoke_view(plane: "Plane", actor: "Actor", project: str, view: str) -> None:
    """Take a view back: it opens no more."""
    with plane.database.read() as session:
        row = find_view(session, find_project(session, project).id, view)
    with plane.operation(actor, "view.revoke", view_target(row)) as op:
        held = op.session.get_one(View, row.id)
        held.revoked_at = held.revoked_at or plane.clock.now()
        op.record(view=row.id)


def _checked_columns(spec: ViewSpec, version: DatasetVersion) -> tuple[str, ...]:
    """The columns that the filter looks at, once everything that the view names is there."""
    if not spec.columns:
        raise BadInput("TP-DATA-033", "a view needs at least one column")
    if len(set(spec.columns)) < len(spec.columns):
        raise BadInput("TP-DATA-033", "a view shows each column once")
    unknown = [c for c in spec.columns if c not in version.classes]
    if unknown:
        why = "; ".join(f"{c[:80]!r}: {nearest(c, list(version.classes)) or 'there is none like it'}" for c in unknown)
        raise BadInput("TP-DATA-033", f"there is no column {unknown[0][:80]!r}", why=why)
    strange = [c for c in spec.pseudonyms if c not in spec.columns]
    if strange:
        raise BadInput("TP-DATA-033", f"the column {strange[0][:80]!r} is to be a pseudonym and is not in the view")
    return columns_of(spec.row_filter, schema_of(version))


def _shown_schema(row: View, schema: Any, columns: Sequence[str], masks: Mapping[str, int]) -> Any:
    fields = [
        pa.field(name, pa.string()) if name in row.pseudonyms or name in masks else schema.field(name).remove_metadata()
        for name in columns
    ]
    return pa.schema(fields)


def _packable(version: DatasetVersion, row: View, shown: Any, masks: Mapping[str, int]) -> tuple[str, ...]:
    """The columns of texts that repeat often, and that the view shows as they are."""
    treated = {*masks, *row.pseudonyms, *columns_of(row.row_filter, schema_of(version))}
    return tuple(
        field.name
        for field in shown
        if pa.types.is_string(field.type)
        and field.name not in treated
        and 0 < REPEATS * version.statistics.get(field.name, {}).get("distinct", 0) <= version.rows
    )


def _shape(
    batches: Iterator[Any], row: View, shown: Any, schema: Any, mask: SecretKey | None, masks: Mapping[str, int]
) -> Iterator[Any]:
    """Filter the rows, drop what only the filter looked at, and put pseudonyms in place."""
    expression = compile_filter(row.row_filter, schema) if row.row_filter else None
    for batch in batches:
        kept = batch if expression is None else batch.filter(expression)
        if kept.num_rows:
            yield pa.record_batch([_column(kept, name, row, mask, masks) for name in shown.names], schema=shown)


def _column(batch: Any, name: str, row: View, mask: SecretKey | None, masks: Mapping[str, int]) -> Any:
    column = batch.column(name)
    if name in masks:
        return masked(column, masks[name])
    if mask is None or name not in row.pseudonyms:
        return column
    return pseudonymise(mask, row.purpose, column)


def view_facts(row: View, now: datetime) -> Mapping[str, Any]:
    """A view as lists and pages show it."""
    state = "revoked" if row.revoked_at is not None else "expired" if row.expires <= now else "open"
    return {
        "id": row.id,
        "name": row.name,
        "dataset": row.dataset_id,
        "version": row.version_id,
        "columns": row.columns,
        "filter": row.row_filter,
        "pseudonyms": row.pseudonyms,
        "purpose": row.purpose,
        "expires": row.expires,
        "state": state,
    }
