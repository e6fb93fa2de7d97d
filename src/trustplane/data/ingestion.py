"""Ingesting a table: read, classify, encrypt, record. Nothing of it is ever on disk in plaintext."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trustplane.data.accepting import accept, confirmed_classes
from trustplane.data.appending import Base, after, base_of, require_unchanged, types_of
from trustplane.data.blind_index import indexed_columns
from trustplane.data.catalog import dataset_target, find_dataset, find_version
from trustplane.data.classes import SensitivityClass
from trustplane.data.contracts.checks import Watch
from trustplane.data.contracts.service import contract_of, enter_quarantine
from trustplane.data.exact import ExactPass
from trustplane.data.inputs.formats import check_format, open_table
from trustplane.data.inputs.reader import Reader
from trustplane.data.poisoning.look import Known, Look
from trustplane.data.poisoning.service import keep_look, last_seen
from trustplane.data.profile import Profile, confirmed, profile_of
from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.sampling import Sampler
from trustplane.data.statistics import StatisticsCollector, plain, plain_statistics
from trustplane.data.storage import Place, Stored, describe_schema, store_table
from trustplane.data.tables import Dataset, DatasetVersion, VersionLook
from trustplane.data.terms import check_basis, check_purpose
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import release
from trustplane.kernel.vault.spool import Spool
from trustplane.values.errors import BadInput, NotFound, nearest
from trustplane.values.ids import check_name, new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

SEED = 350
LONGEST_RETENTION = 36_525


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """What is said of a dataset when it is ingested. What is left out is kept from its last version; a new dataset needs purposes and a
    legal basis."""

    name: str
    format: str
    purposes: tuple[str, ...] = ()
    lawful_basis: str = ""
    retention_days: int | None = None
    source: str = ""
    description: str = ""
    types: dict[str, str] = field(default_factory=dict)
    exact: bool = False
    """Whether discovery looks at every row, and not at a sample of each column alone."""
    append: bool = False
    """Whether the new version has the rows of the last one too, and not those that come alone."""
    label: str = ""
    """The column that a model is to learn: labels that speak against their neighbours are looked for. Else that of the last version."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingestion made."""

    dataset_id: str
    version_id: str
    number: int
    accepted: bool = False
    """Whether a policy accepted the classes; otherwise they wait for a data steward."""


def ingest(
    plane: "Plane",
    actor: "Actor",
    project: str,
    spec: DatasetSpec,
    chunks: Iterable[bytes] | Callable[[Operation], Iterable[bytes]],
    idempotency: "Idempotency | None" = None,
    *,
    treated: Mapping[str, Mapping[str, Any]] | None = None,
) -> Ingested:
    """Ingest a table in one of :data:`~trustplane.data.inputs.formats.FORMATS` as a new version of a dataset.

    The bytes are spooled under a key that only this call knows, read once to sample and measure, and once more to encrypt under the keys
    of the version. A failure on the way leaves nothing but an event that says so. ``chunks`` may be what makes them within the operation;
    ``treated`` is what is known of columns beforehand, in place of what a recogniser would propose.
    """
    spec = _checked(spec)
    with plane.database.read() as session:
        project_row = find_project(session, project)
        known = _known(session, project_row.id, spec.name)
        _require_terms(spec, known)
        target = project_target(project_row) if known is None else dataset_target(session, known)
        by_steward = {} if known is None else confirmed_classes(session, known)
        last = find_version(session, _appendable(spec, known)) if spec.append else None
        contract = contract_of(session, known)
        before, seen = last_seen(session, known)
    with (
        plane.operation(actor, "dataset.ingest", target, idempotency=idempotency) as op,
        Spool(plane.workspace.folder) as spool,
    ):
        for chunk in chunks(op) if callable(chunks) else chunks:
            spool.write(chunk)
        spool.finish()
        if spool.size == 0:
            raise BadInput("TP-DATA-001", "the file is empty")
        base = None if last is None else base_of(op, last)
        measured = _measure(_open(op, spec, base, spool), exact=spec.exact)
        known_of = {**(_treated(last) if last is not None else {}), **(treated or {})}
        classes = {**{c: str(k) for c, k in measured.profile.classes.items()}, **measured.kept(by_steward)}
        classes |= {c: str(said["klass"]) for c, said in known_of.items()}
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [project_row.key_id])[project_row.key_id]
        version_id = new_id()
        proposals = {p.column: {**plain(p), **known_of.get(p.column, {})} for p in measured.profile.proposals}
        indexed = indexed_columns(classes, proposals)
        place = Place(key, project_row.id, version_id, plane.clock.now(), indexed)
        reader = _open(op, spec, base, spool)
        watch = None if contract is None else Watch(contract, reader.schema)
        batches = reader.batches if watch is None else watch.over(reader.batches)
        look = None
        if treated is None:  # what a recipe made is not new
            look = Look(_known_of(spec, measured, classes, base, before, seen))
            batches = look.over(batches)
        stored = store_table(plane.blobs, place, reader.schema, classes, batches)
        if base is not None:
            require_unchanged(op.session, base)
            op.record(appended_to=base.version.id, rows_before=base.version.rows)
        made = _keep(op, spec, project_row.id, measured, _Columns(classes, proposals), stored, version_id)
        if look is not None:
            keep_look(op, version_id, look.report(op.session.get_one(DatasetVersion, version_id).statistics))
        if contract is not None and watch is not None and (breaches := watch.breaches()):
            enter_quarantine(op, version_id, contract, breaches)
            return made
    return replace(made, accepted=accept(plane, actor, made.version_id, op.id))


def _known_of(
    spec: DatasetSpec,
    measured: "_Measured",
    classes: Mapping[str, str],
    base: Base | None,
    before: DatasetVersion | None,
    seen: VersionLook | None,
) -> Known:
    """What a look at the rows starts from. Without a label that is named, it is that of the last version."""
    names, label = measured.schema.names, spec.label
    if label and label not in names:
        raise BadInput("TP-DATA-033", f"there is no column {label[:80]!r}", why=nearest(label, names))
    if not label and seen is not None and seen.report["label"] in names:
        label = seen.report["label"]
    every = measured.collector.result(dict.fromkeys(names, SensitivityClass.OPEN))  # figures that stay in memory
    return Known(
        measured.schema,
        classes,
        every,
        measured.samples,
        measured.rows,
        0 if base is None else base.version.rows,
        label,
        None if before is None else before.statistics,
        None if seen is None else seen.report,
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    classes: dict[str, str]
    proposals: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Measured:
    schema: Any
    profile: Profile
    collector: StatisticsCollector
    samples: tuple[ColumnSample, ...]
    rows: int

    def kept(self, confirmed: dict[str, str]) -> dict[str, str]:
        """The classes that a steward confirmed before, for the columns that are still there."""
        return {name: confirmed[name] for name in self.schema.names if name in confirmed}


def _checked(spec: DatasetSpec) -> DatasetSpec:
    check_name("dataset", spec.name)
    check_format(spec.format)
    if spec.retention_days is not None and not 1 <= spec.retention_days <= LONGEST_RETENTION:
        raise BadInput("TP-DATA-037", f"the retention must be 1 to {LONGEST_RETENTION:,} days")
    purposes = tuple(dict.fromkeys(check_purpose(p) for p in spec.purposes))
    basis = check_basis(spec.lawful_basis) if spec.lawful_basis else ""
    return replace(
        spec, purposes=purposes, lawful_basis=basis, source=spec.source[:2000], description=spec.description[:2000]
    )


def _require_terms(spec: DatasetSpec, known: Dataset | None) -> None:
    if known is None and not (spec.purposes and spec.lawful_basis):
        raise BadInput(
            "TP-DATA-038",
            f"the dataset {spec.name!r} is new, so it needs a purpose and a legal basis",
            why="GDPR art. 5(1)(b) and 6(1)",
        )


def _appendable(spec: DatasetSpec, known: Dataset | None) -> Dataset:
    if known is None:
        raise NotFound("TP-DATA-034", f"there is no dataset {spec.name[:80]!r} to append to")
    return known


def _open(op: Operation, spec: DatasetSpec, base: Base | None, spool: Spool) -> Reader:
    if base is None:
        return open_table(spec.format, spool.reader(), spec.types)
    return after(base, open_table(spec.format, spool.reader(), spec.types, types_of(base.version)), op)


def _treated(version: DatasetVersion) -> dict[str, dict[str, Any]]:
    """What a recipe said of columns of the version that is appended to."""
    return {c: dict(p) for c, p in version.proposals.items() if "made" in p}


def _known(session: Session, project_id: str, name: str) -> Dataset | None:
    try:
        return find_dataset(session, project_id, name)
    except NotFound:
        return None


def _measure(reader: Reader, *, exact: bool) -> _Measured:
    sampler, collector = Sampler(reader.schema, seed=SEED), StatisticsCollector(reader.schema, seed=SEED)
    every = ExactPass(reader.schema) if exact else None
    for batch in reader.batches:
        sampler.add(batch)
        collector.add(batch)
        if every is not None:
            every.add(batch)
    if sampler.rows == 0:
        raise BadInput("TP-DATA-002", "the file has no rows")
    samples = sampler.samples()
    found = profile_of(samples, rows=sampler.rows, seed=SEED)
    profile = found if every is None else confirmed(found, every.proposals())
    return _Measured(reader.schema, profile, collector, samples, sampler.rows)


def _keep(
    op: Operation,
    spec: DatasetSpec,
    project_id: str,
    measured: _Measured,
    columns: _Columns,
    stored: Stored,
    version_id: str,
) -> Ingested:
    session, now, classes = op.session, op.plane.clock.now(), columns.classes
    dataset = _known(session, project_id, spec.name)
    if dataset is None:
        dataset = Dataset(
            id=new_id(),
            project_id=project_id,
            name=spec.name,
            description="",
            owner_id=op.actor.answerable,
            source="",
            purposes=[],
            lawful_basis="",
            retention_days=None,
            held=False,
            created=now,
        )
        session.add(dataset)
    dataset.description = spec.description or dataset.description
    dataset.source = spec.source or dataset.source
    dataset.purposes = list(spec.purposes) or dataset.purposes
    dataset.lawful_basis = spec.lawful_basis or dataset.lawful_basis
    dataset.retention_days = spec.retention_days or dataset.retention_days
    session.flush()
    last = session.scalar(select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id))
    statistics = measured.collector.result({name: SensitivityClass(k) for name, k in classes.items()})
    version = DatasetVersion(
        id=version_id,
        dataset_id=dataset.id,
        number=(last or 0) + 1,
        digest=stored.blob.digest,
        size=stored.blob.size,
        rows=stored.rows,
        columns=describe_schema(measured.schema),
        classes=dict(classes),
        proposals=columns.proposals,
        statistics=plain_statistics(statistics),
        keys=stored.key_ids,
        confirmed_by=None,
        confirmed_at=None,
        created=now,
    )
    session.add_all((*stored.all_rows, version))
    session.flush()
    op.about(dataset_target(session, dataset))
    op.record(
        version=version_id,
        number=version.number,
        rows=stored.rows,
        columns=len(classes),
        classes={k: sum(1 for v in classes.values() if v == k) for k in sorted(set(classes.values()))},
        purposes=dataset.purposes,
        lawful_basis=dataset.lawful_basis,
        recognisers=list(measured.profile.recognisers),
        exact=spec.exact,
    )
    op.refer(table=stored.blob.digest)
    op.made(version_id)
    return Ingested(dataset.id, version_id, version.number)
