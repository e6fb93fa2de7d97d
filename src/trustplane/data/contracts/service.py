"""Contracts of datasets, and the quarantine of versions that break them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.catalog import dataset_target, find_dataset, find_version, quarantined
from trustplane.data.contracts.checks import Breach, require_pandera, try_out
from trustplane.data.contracts.contract import Contract, draft, read_contract, require_rules
from trustplane.data.storage import schema_of
from trustplane.data.tables import Dataset, DatasetContract, DatasetVersion, Quarantine
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.operation import Operation
from trustplane.values.errors import BadInput, NotFound, Refused

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def set_contract(plane: "Plane", actor: "Actor", project: str, dataset: str, text: str) -> str:
    """Give a dataset a contract, or another one; versions that come from now on are checked. Returns its digest."""
    contract = read_contract(text)
    require_pandera()
    with plane.database.read() as session:
        row = find_dataset(session, find_project(session, project).id, dataset)
        schema = schema_of(find_version(session, row))
        target = dataset_target(session, row)
    require_rules(contract, schema)
    try_out(contract, schema)
    with plane.operation(actor, "dataset.update", target) as op:
        # Whoever writes the first contract waits here for whoever does the same at this moment.
        op.session.get_one(Dataset, row.id, populate_existing=True, with_for_update=True)
        held = op.session.get(DatasetContract, row.id, populate_existing=True, with_for_update=True)
        if held is None:
            held = DatasetContract(
                dataset_id=row.id, text=text, written_by=actor.answerable, written_at=plane.clock.now()
            )
            op.session.add(held)
        elif held.text == text:
            raise Refused("TP-DATA-123", "the contract says this already")
        held.text, held.written_by, held.written_at = text, actor.answerable, plane.clock.now()
        op.record(contract=contract.digest, columns=len(contract.terms.columns), rules=len(contract.terms.rules))
    return contract.digest


def contract_of(session: Session, dataset: Dataset | None) -> Contract | None:
    """The contract of a dataset; None where it has none."""
    row = None if dataset is None else session.get(DatasetContract, dataset.id)
    return None if row is None else read_contract(row.text)


def draft_for(session: Session, dataset: Dataset) -> str:
    """A contract that the newest version keeps."""
    version = find_version(session, dataset)
    return draft(version.columns["types"], version.statistics, version.rows)


def enter_quarantine(op: Operation, version_id: str, contract: Contract, breaches: Sequence[Breach]) -> None:
    """Keep a version that is being made from use, with the reasons."""
    report = {"contract": contract.digest, "breaches": [b.facts() for b in breaches]}
    op.session.add(
        Quarantine(
            version_id=version_id,
            report=report,
            entered=op.plane.clock.now(),
            released_by=None,
            released_at=None,
            reason="",
        )
    )
    op.record(quarantined=True, contract=contract.digest, broken=[_said(b) for b in breaches[:50]])


def _said(breach: Breach) -> dict[str, Any]:
    return {"rule": breach.rule, "column": breach.column, "rows": breach.rows}


def release_version(plane: "Plane", actor: "Actor", project: str, dataset: str, number: int, reason: str) -> None:
    """Let a version out of quarantine, for a reason that goes on record."""
    if not reason.strip():
        raise BadInput("TP-DATA-120", "a reason is needed")
    with plane.database.read() as session:
        row = find_dataset(session, find_project(session, project).id, dataset)
        version = find_version(session, row, number)
        target = dataset_target(session, row)
    with plane.operation(actor, "dataset.update", target) as op:
        held = op.session.get(Quarantine, version.id, populate_existing=True, with_for_update=True)
        if held is None or held.released_at is not None:
            raise Refused("TP-DATA-123", f"version {number} is not in quarantine")
        held.released_by, held.released_at, held.reason = actor.answerable, plane.clock.now(), reason.strip()[:2000]
        op.record(version=version.id, number=number, released=True, reason=held.reason)


def quarantine_of(session: Session, version: DatasetVersion) -> Quarantine | None:
    """Why a version is, or was, in quarantine; None for one that never was."""
    return session.get(Quarantine, version.id)


def waiting(session: Session, dataset_id: str) -> list[DatasetVersion]:
    """The versions of a dataset that are in quarantine."""
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id, quarantined()).order_by(DatasetVersion.number)  # fmt: skip
    return list(session.scalars(query))


def require_contract(session: Session, dataset: Dataset) -> DatasetContract:
    """The contract of a dataset as it is kept; raise :class:`NotFound` (TP-DATA-124) where it has none."""
    row = session.get(DatasetContract, dataset.id)
    if row is None:
        raise NotFound("TP-DATA-124", f"the dataset {dataset.name!r} has no contract")
    return row
