"""Datasets, their classification, and views."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated, Any, Literal

import pyarrow as pa
from fastapi import APIRouter, Query, Request, status
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Door, Paged, moment, page_of
from trustplane.api.streaming import chunks_of
from trustplane.data.accepting import BY_POLICY
from trustplane.data.catalog import dataset_target, find_dataset, find_version, find_view, view_target
from trustplane.data.classification import confirm
from trustplane.data.comparing import compare
from trustplane.data.contracts.service import quarantine_of
from trustplane.data.datasheets import PARTS, complete_datasheet, croissant, missing_parts, parts_of
from trustplane.data.ingestion import DatasetSpec, Ingested, ingest
from trustplane.data.poisoning.service import look_of, settle_look
from trustplane.data.protection import protect, protection_of
from trustplane.data.queries import Answered, query
from trustplane.data.reports.protection import document, render
from trustplane.data.revealing import reveal
from trustplane.data.tables import Dataset, DatasetVersion, View
from trustplane.data.terms import LAWFUL_BASES, PURPOSES
from trustplane.data.view_limits import Limits, limits_of
from trustplane.data.views import WHOLE, OpenedView, ViewSpec, create_view, open_view, revoke_view, view_facts
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.identity.tables import Principal
from trustplane.values.errors import BadInput

router = APIRouter(prefix=PREFIX, tags=["data"], responses=PROBLEMS)
STANDS_ALONE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
ARROW_STREAM = "application/vnd.apache.arrow.stream"


class Terms(BaseModel):
    """What is said of a dataset that is ingested; ``type`` gives a column a type as ``column:type``; ``exact`` lets discovery look at every row;
    ``append`` keeps the rows of the last version too; ``label`` names the column that a model is to learn."""

    format: Literal["csv", "parquet", "arrow", "jsonl", "xlsx"]
    append: bool = False
    purpose: list[str] = Field(default=[], max_length=50)
    lawful_basis: str = ""
    retention_days: int | None = None
    source: str = Field(default="", max_length=2000)
    description: str = Field(default="", max_length=2000)
    type: list[str] = Field(default=[], max_length=4096)
    exact: bool = False
    label: str = Field(default="", max_length=500)


class Classification(BaseModel):
    """The word of a data steward: classes that differ from the proposed ones, by column."""

    model_config = {"json_schema_extra": {"examples": [{"changes": {"LIMIT_BAL": "confidential"}}]}}
    changes: dict[str, str] = {}
    number: int | None = None


class Settlement(BaseModel):
    """Why a version may be used although something was found in it."""

    reason: str = Field(max_length=2000)


class DatasheetParts(BaseModel):
    """Answers by the names of the questions; an empty one takes an answer back."""

    parts: dict[str, Annotated[str, Field(max_length=5000)]] = Field(
        max_length=50, examples=[{"collection": "from the bank's loan applications"}]
    )


class NewProtection(BaseModel):
    """A recipe as TOML, and the name of the dataset that it makes."""

    recipe: str = Field(max_length=100_000, examples=['quasi_identifiers = ["AGE", "SEX"]\nk = 5'])
    into: str = Field(max_length=64)


class Comparison(BaseModel):
    """Two versions, the last two without numbers, and the columns that tell rows apart, if any."""

    old: int | None = None
    new: int | None = None
    key: list[str] = Field(default=[], max_length=20)


class Revealing(BaseModel):
    """Values of a column that a recipe made, and why they are turned back."""

    column: str = Field(max_length=500)
    values: list[str] = Field(max_length=1000)
    reason: str = Field(max_length=500)


class Question(BaseModel):
    """One SELECT over views of the project."""

    sql: str = Field(max_length=20_000, examples=["SELECT EDUCATION, count(*) FROM training GROUP BY 1"])
    purpose: str | None = Field(default=None, max_length=100)


class NewView(BaseModel):
    """A view to be made."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "name": "training",
                    "dataset": "clients",
                    "columns": ["customer_id", "AGE", "LIMIT_BAL"],
                    "pseudonyms": ["customer_id"],
                    "filter": "AGE >= 21",
                    "purpose": "dpv:CustomerSolvencyMonitoring",
                    "days": 30,
                }
            ]
        }
    }
    name: str
    dataset: str
    columns: list[str] = Field(min_length=1, max_length=4096)
    purpose: str
    days: float = Field(default=30, gt=0, le=366)
    filter: str = Field(default="", max_length=2000)
    pseudonyms: list[str] = []
    version: int | None = None
    masks: dict[str, int] = {}
    unmasked: list[str] = ["data-steward"]
    groups: int = 0
    sample: int | None = None


def spec_of(body: NewView) -> ViewSpec:
    """What a body says of a view."""
    return ViewSpec(
        body.name,
        body.dataset,
        tuple(body.columns),
        body.purpose,
        timedelta(days=body.days),
        body.filter,
        tuple(body.pseudonyms),
        body.version,
        Limits(body.masks, tuple(body.unmasked), body.groups, body.sample),
    )


@router.get("/terms")
def terms(_door: Asked) -> dict[str, Any]:
    """The terms for purposes and legal bases."""
    return {"purposes": PURPOSES, "lawful_bases": LAWFUL_BASES}


# --- datasets


@router.get("/projects/{project}/datasets")
def datasets(project: str, door: Asked, page: Paged) -> dict[str, Any]:
    """The datasets of a project."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        found = session.scalars(select(Dataset).where(Dataset.project_id == row.id))
        rows = [d for d in found if door.visible("dataset.read", dataset_target(session, d))]
        return page_of(rows, page, lambda d: d.id, lambda d: _summary(session, d))


@router.get("/projects/{project}/datasets/{dataset}")
def dataset(project: str, dataset: str, door: Asked, version: int | None = None) -> dict[str, Any]:
    """A dataset with its versions, and the columns of one of them."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        shown = find_version(session, row, version)
        versions = session.scalars(
            select(DatasetVersion).where(DatasetVersion.dataset_id == row.id).order_by(DatasetVersion.number.desc())
        )
        return {
            **_summary(session, row),
            "description": row.description,
            "source": row.source,
            "versions": [_version(session, v) for v in versions],
            "version": shown.number,
            "columns": [_column(shown, name) for name in shown.classes],
        }


@router.put("/projects/{project}/datasets/{dataset}/versions", status_code=status.HTTP_201_CREATED)
def put_version(
    project: str, dataset: str, request: Request, door: Asked, said: Annotated[Terms, Query()]
) -> dict[str, Any]:
    """Ingest the body, a table in the format named, as a new version. The body may be of any length; it is never on disk in plaintext."""
    spec = DatasetSpec(
        dataset,
        said.format,
        tuple(said.purpose),
        said.lawful_basis,
        said.retention_days,
        said.source,
        said.description,
        _types(said.type),
        said.exact,
        said.append,
        said.label,
    )
    made = door.once(
        None, lambda key: ingest(door.plane, door.actor, project, spec, chunks_of(request), key).version_id
    )
    with door.plane.database.read() as session:
        version = session.get_one(DatasetVersion, made)
        shown = _made(Ingested(version.dataset_id, version.id, version.number))
        return {
            **shown,
            "quarantined": quarantine_of(session, version) is not None,
            "accepted": version.confirmed_by == BY_POLICY,
            "signs": 0 if (look := look_of(session, version)) is None else look.report["found"],
        }


@router.post("/projects/{project}/datasets/{dataset}/classification")
def classify(project: str, dataset: str, body: Classification, door: Asked) -> dict[str, Any]:
    """Confirm the classes of a version's columns."""
    return _made(confirm(door.plane, door.actor, project, dataset, body.changes, body.number))


@router.get("/projects/{project}/datasets/{dataset}/look")
def look(project: str, dataset: str, door: Asked, version: int | None = None) -> dict[str, Any]:
    """What the look for poisoning found in a version, the newest without a number: columns and rows, no value."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        return _look(session, row, version)


@router.post("/projects/{project}/datasets/{dataset}/versions/{number}/settle")
def settle(project: str, dataset: str, number: int, body: Settlement, door: Asked) -> dict[str, Any]:
    """Say why a version may be used although something was found in it."""
    settle_look(door.plane, door.actor, project, dataset, number, body.reason)
    with door.plane.database.read() as session:
        return _look(session, find_dataset(session, find_project(session, project).id, dataset), number)


@router.get("/projects/{project}/datasets/{dataset}/datasheet")
def datasheet(project: str, dataset: str, door: Asked, version: int | None = None) -> dict[str, Any]:
    """The datasheet of a version as Croissant 1.0 with the RAI vocabulary, and the questions that nobody has answered."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        sheet = croissant(session, row, version, origin=door.plane.workspace.origin)
        missing = missing_parts(parts_of(session, row))
    questions = {
        name: {"question": p.question, "asked": p.asked, "missing": name in missing} for name, p in PARTS.items()
    }
    return {"croissant": sheet, "missing": list(missing), "questions": questions}


@router.get("/projects/{project}/datasets/{dataset}/protection")
def protection(
    project: str,
    dataset: str,
    door: Asked,
    version: int | None = None,
    format: Literal["json", "html"] = "json",  # noqa: A002 - the parameter's public name
) -> Response:
    """The report of the protection that made a version: its risk, the attacks and its use, before and after. The page stands alone."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        report = document(door.plane, session, find_version(session, row, version))
    if format == "json":
        return JSONResponse(report)
    return HTMLResponse(render(report, door.plane.ledger.receipt(report["event"])), headers=STANDS_ALONE)


@router.put("/projects/{project}/datasets/{dataset}/datasheet")
def put_datasheet(project: str, dataset: str, body: DatasheetParts, door: Asked) -> dict[str, Any]:
    """Answer questions of a datasheet."""
    complete_datasheet(door.plane, door.actor, project, dataset, body.parts)
    with door.plane.database.read() as session:
        parts = parts_of(session, find_dataset(session, find_project(session, project).id, dataset))
        return {"parts": dict(parts), "missing": list(missing_parts(parts))}


def _types(texts: list[str]) -> dict[str, str]:
    pairs = [text.rpartition(":") for text in texts]
    if any(not column or not kind for column, _, kind in pairs):
        raise BadInput("TP-DATA-033", "a type is given as column:type")
    return {column: kind for column, _, kind in pairs}


def _made(made: Ingested) -> dict[str, Any]:
    return {"id": made.version_id, "dataset_id": made.dataset_id, "version_id": made.version_id, "number": made.number}


def _look(session: Session, dataset: Dataset, number: int | None) -> dict[str, Any]:
    version = find_version(session, dataset, number)
    held = look_of(session, version)
    if held is None:
        return {"version": version.number, "state": "not looked at", "signs": []}
    state = "settled" if held.settled_at is not None else "signs" if held.report["found"] else "nothing found"
    shown = {"version": version.number, "state": state, **held.report, "settled_at": moment(held.settled_at)}
    return {**shown, "settled_by": held.settled_by, "reason": held.reason or None}


def _summary(session: Session, row: Dataset) -> dict[str, Any]:
    newest = find_version(session, row)
    owner = session.get(Principal, row.owner_id)
    return {
        "id": row.id,
        "name": row.name,
        "owner": row.owner_id if owner is None else owner.name,
        "purposes": row.purposes,
        "lawful_basis": row.lawful_basis,
        "retention_days": row.retention_days,
        "held": row.held,
        "newest": newest.number,
        "rows": newest.rows,
        "confirmed": newest.confirmed_by is not None,
        "created": moment(row.created),
    }


def _version(session: Session, row: DatasetVersion) -> dict[str, Any]:
    held = quarantine_of(session, row)
    return {
        "id": row.id,
        "number": row.number,
        "digest": row.digest,
        "rows": row.rows,
        "size": row.size,
        "quarantined": held is not None and held.released_at is None,
        "confirmed_by": row.confirmed_by,
        "confirmed_at": moment(row.confirmed_at),
        "created": moment(row.created),
    }


def _column(row: DatasetVersion, name: str) -> dict[str, Any]:
    proposal = row.proposals.get(name, {})
    return {
        "name": name,
        "type": row.columns["types"].get(name, ""),
        "class": row.classes[name],
        "proposed": proposal.get("klass", ""),
        "entity": proposal.get("entity", ""),
        "confidence": proposal.get("confidence"),
        "why": proposal.get("why", ""),
        "presets": proposal.get("presets", []),
        "sampled": proposal.get("sampled"),
        "unseen_share": proposal.get("unseen_share"),
        "exact": proposal.get("exact", False),
        "statistics": row.statistics.get(name),
    }


# --- views


@router.get("/projects/{project}/views")
def views(project: str, door: Asked, page: Paged) -> dict[str, Any]:
    """The views of a project."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        rows = [
            v
            for v in session.scalars(select(View).where(View.project_id == row.id))
            if door.visible("view.read", view_target(v))
        ]
        return page_of(rows, page, lambda v: v.id, lambda v: _view(door, session, v))


@router.post("/projects/{project}/views", status_code=status.HTTP_201_CREATED)
def post_view(project: str, body: NewView, door: Asked) -> dict[str, Any]:
    """Make a view: the only way to rows."""
    spec = spec_of(body)
    made = door.once(body.model_dump(), lambda key: create_view(door.plane, door.actor, project, spec, key))
    with door.plane.database.read() as session:
        return _view(door, session, session.get_one(View, made))


@router.post("/projects/{project}/datasets/{dataset}/compare")
def post_compare(project: str, dataset: str, body: Comparison, door: Asked) -> dict[str, Any]:
    """What differs between two versions: schema, rows, distributions. Counts alone."""
    return compare(door.plane, door.actor, project, dataset, body.old, body.new, body.key)


@router.post("/projects/{project}/datasets/{dataset}/reveal")
def post_reveal(project: str, dataset: str, body: Revealing, door: Asked) -> dict[str, Any]:
    """What stands behind tokens of a protected table. That they were turned back, by whom and why is on record before it leaves."""
    return {
        "items": reveal(door.plane, door.actor, project, dataset, body.column, body.values, body.reason),
        "next": None,
    }


@router.get("/projects/{project}/views/{view}")
def view(project: str, view: str, door: Asked) -> dict[str, Any]:
    """A view, without its rows."""
    with door.plane.database.read() as session:
        row = find_view(session, door.project(session, project).id, view)
        door.may("view.read", view_target(row))
        return _view(door, session, row)


@router.get("/projects/{project}/views/{view}/rows", response_class=StreamingResponse)
def rows(
    project: str,
    view: str,
    door: Asked,
    purpose: str | None = None,
    column: Annotated[list[str] | None, Query()] = None,
) -> StreamingResponse:
    """The rows of a view as an Arrow IPC stream, of all of its columns or of some. That they were opened, by whom and what for is on record
    before the first leaves."""
    needed = replace(WHOLE, only=frozenset(column)) if column else WHOLE
    opened = open_view(door.plane, door.actor, project, view, purpose, question=needed)
    return StreamingResponse(_stream(opened), media_type=ARROW_STREAM, headers={"Trustplane-Event": opened.event})


@router.post("/projects/{project}/query", response_class=StreamingResponse)
def post_query(project: str, body: Question, door: Asked) -> StreamingResponse:
    """The answer to one SELECT over views, as an Arrow IPC stream. That each view was opened is on record before the first row is read."""
    answered = query(door.plane, door.actor, project, body.sql, body.purpose)
    headers = {"Trustplane-Events": ",".join(answered.events)}
    return StreamingResponse(_stream(answered), media_type=ARROW_STREAM, headers=headers)


@router.post("/projects/{project}/views/{view}/protect", status_code=status.HTTP_201_CREATED)
def post_protect(project: str, view: str, body: NewProtection, door: Asked) -> dict[str, Any]:
    """Carry out a recipe on the rows of a view: a new dataset, with its risk before and after."""
    made = door.once(
        body.model_dump(),
        lambda key: protect(door.plane, door.actor, project, view, body.recipe, body.into, key).made.version_id,
    )
    with door.plane.database.read() as session:
        version = session.get_one(DatasetVersion, made)
        figures = protection_of(door.plane, session, version)
        return {**_made(Ingested(version.dataset_id, version.id, version.number)), "figures": figures}


@router.delete("/projects/{project}/views/{view}", status_code=status.HTTP_204_NO_CONTENT)
def delete_view(project: str, view: str, door: Asked) -> None:
    """Take a view back."""
    revoke_view(door.plane, door.actor, project, view)


def _view(door: Door, session: Session, row: View) -> dict[str, Any]:
    facts = {**view_facts(row, door.plane.clock.now()), **asdict(limits_of(session, row))}
    return {**facts, "expires": moment(row.expires), "created": moment(row.created)}


class _Chunks:
    """A sink that hands on what was written to it since it was last asked."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The writer closes it at its end; what is left is still taken."""

    def take(self) -> bytes:
        """What was written since."""
        taken, self._parts = b"".join(self._parts), []
        return taken


def _stream(opened: OpenedView | Answered) -> Iterator[bytes]:
    sink = _Chunks()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), opened.schema) as writer:
        for batch in opened.batches:
            writer.write_batch(batch)
            if chunk := sink.take():
                yield chunk
    yield sink.take()
