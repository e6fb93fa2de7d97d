"""What is held of a person, for the person: the rows, where they come from, what they are for, who was given them (GDPR art. 15 and 20)."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.storage import read_columns, release_columns
from trustplane.data.subjects.erasure import find_rows, live_versions
from trustplane.data.subjects.holders.registry import reached
from trustplane.data.subjects.keepers.registry import keepers
from trustplane.data.subjects.records import find_records
from trustplane.data.subjects.requests import find_request, require_verified
from trustplane.data.tables import Dataset, DatasetVersion, View
from trustplane.data.terms import LAWFUL_BASES, PURPOSES
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.vault.parquet import TableKeys
from trustplane.values.clock import rfc3339
from trustplane.values.errors import BadInput, Refused

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

FORMATS = ("json", "csv")
MOST_ROWS = 100_000
KINDS = frozenset({"access", "portability"})


def export(plane: "Plane", actor: "Actor", project: str, request: str, form: str = "json") -> Iterator[bytes]:
    """Everything that is held of the person of a request, as JSON, or as CSV with a line for each value.

    Recipients are told by purpose and time and not by name: staff who act for the controller are no recipients (CJEU C-579/21).
    """
    if form not in FORMATS:
        raise BadInput("TP-DATA-036", f"{form[:20]!r} is no form of an export", why="it is json or csv")
    with plane.database.read() as session:
        scope = find_project(session, project)
        row = find_request(session, scope, request)
        versions = live_versions(session, scope.id)
    require_verified(row)
    if row.kind not in KINDS:
        raise Refused("TP-DATA-073", f"the person asked for {row.kind}, not for their data")
    with plane.operation(actor, "request.export", project_target(scope)) as op:
        rows = find_rows(op, row, versions)
        touched = [v for v in versions if rows.get(v.id)]
        count = sum(len(rows[v.id]) for v in touched)
        if count > MOST_ROWS:
            raise Refused("TP-DATA-073", f"the values stand in {count:,} rows: that is no single person")
        held = []
        with plane.database.read() as session:
            for version in touched:
                keys = release_columns(op, session, version, version.classes)
                values = _rows(plane, version, sorted(rows[version.id]), keys)
                held.append(_of_version(plane, session, version, values))
            models = reached(session, scope.id, {v.id: "" for v in touched})  # under any digest: whatever read it
            known, decisions = keepers(), []
            for kept in find_records(op, session, row):
                decisions += [{"of": kept.name, **each} for each in known[kept.kind].open(op, session, kept)]
        op.record(request=row.id, form=form, versions=len(touched), rows=count, decisions=len(decisions))
    body = {
        "request": row.id,
        "right": row.kind,
        "made": rfc3339(plane.clock.now()),
        "held": held,
        "models": [
            {"name": r.name, "why": "it was trained on a view of this data"} for r in models if r.kind == "model"
        ],
        "decisions": decisions,
        "not_told": "answers of models that were asked without saying whom they are about",
    }
    return _json(body) if form == "json" else _csv(body)


def _rows(plane: "Plane", version: DatasetVersion, wanted: list[int], keys: TableKeys) -> list[dict[str, Any]]:
    places, start, found = np.array(wanted, np.int64), 0, []
    for batch in read_columns(plane.blobs, version, list(version.classes), keys):
        here = places[np.searchsorted(places, start) : np.searchsorted(places, start + batch.num_rows)] - start
        found += batch.take(pa.array(here)).to_pylist()
        start += batch.num_rows
    return found


def _of_version(
    plane: "Plane", session: Session, version: DatasetVersion, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    dataset = session.get_one(Dataset, version.dataset_id)
    days = dataset.retention_days
    return {
        "dataset": dataset.name,
        "version": version.number,
        "since": rfc3339(version.created),
        "source": dataset.source,
        "purposes": [PURPOSES.get(p, p) for p in dataset.purposes],
        "legal_basis": LAWFUL_BASES.get(dataset.lawful_basis, dataset.lawful_basis),
        "kept_until": None if days is None else rfc3339(version.created + timedelta(days=days)),
        "used": _uses(plane, session, version),
        "rows": rows,
    }


def _uses(plane: "Plane", session: Session, version: DatasetVersion) -> list[dict[str, Any]]:
    """For which purposes the version was opened, how often, first and last."""
    times: dict[str, list[str]] = {}
    for view in session.scalars(select(View).where(View.version_id == version.id)):
        for event in events_about(session, f"View::{view.id}", "view.open"):
            times.setdefault(view.purpose, []).append(plane.ledger.get(event).leaf.time)
    return [
        {"purpose": PURPOSES.get(p, p), "times": len(seen), "first": min(seen), "last": max(seen)}
        for p, seen in sorted(times.items())
    ]


def _json(body: dict[str, Any]) -> Iterator[bytes]:
    yield msgspec.json.format(msgspec.json.encode(body, enc_hook=str), indent=2) + b"\n"


def _csv(body: dict[str, Any]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("dataset", "version", "row", "column", "value"))
    for version in body["held"]:
        for number, row in enumerate(version["rows"], start=1):
            for column, value in row.items():
                writer.writerow((version["dataset"], version["version"], number, column, _safe(value)))
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    for number, decision in enumerate(body["decisions"], start=1):
        for column, value in {"at": decision["at"], **decision["inputs"], **decision["outputs"]}.items():
            writer.writerow((f"answers of {decision['of']}", "", number, column, _safe(_one(value))))
    if not body["held"] or body["decisions"]:
        yield out.getvalue().encode()


def _one(value: Any) -> Any:
    """The value of a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _safe(value: Any) -> str:
    """A value as text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return "'" + text if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
