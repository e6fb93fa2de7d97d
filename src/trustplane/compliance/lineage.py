"""Lineage as OpenLineage run events (spec 2-0-2): what was made of what, from the rows of a project's record. No value of a row is in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane import __version__
from trustplane.data.protection import source_of
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.kernel.identity.tables import Project
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.tables import Run
from trustplane.values.clock import rfc3339

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = "https://openlineage.io/spec/facets"
PRODUCER = f"urn:trustplane:{__version__}"
_STATES = {"done": "COMPLETE", "failed": "FAIL"}


def lineage(plane: "Plane", session: Session, project: Project) -> Iterator[dict[str, Any]]:
    """The run events of a project, the oldest first: ingestions and protections of datasets, training runs with the models of them."""
    made = [*_of_datasets(plane, session, project), *_of_runs(plane, session, project)]
    yield from sorted(made, key=lambda event: event["eventTime"])


def _of_datasets(plane: "Plane", session: Session, project: Project) -> Iterator[dict[str, Any]]:
    origin = plane.workspace.origin
    for dataset in session.scalars(select(Dataset).where(Dataset.project_id == project.id)):
        for version in session.scalars(select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id)):
            source = source_of(plane, session, version)
            read = [] if source is None else [_dataset(session, origin, project, source)]
            job = f"{project.name}.{'ingest' if source is None else 'protect'}.{dataset.name}"
            output = _dataset(session, origin, project, version)
            output["outputFacets"] = {
                "outputStatistics": _facet(
                    "1-0-2/OutputStatisticsOutputDatasetFacet", rowCount=version.rows, size=version.size
                )
            }
            yield _event(origin, "COMPLETE", rfc3339(version.created), version.id, job, read, [output])


def _of_runs(plane: "Plane", session: Session, project: Project) -> Iterator[dict[str, Any]]:
    origin = plane.workspace.origin
    for run in session.scalars(select(Run).where(Run.project_id == project.id)):
        job = f"{project.name}.train.{run.script}"
        read = []
        for said in run.inputs.values():
            version = session.get(DatasetVersion, said.get("version", ""))
            if version is not None:
                read.append(_dataset(session, origin, project, version))
        yield _event(origin, "START", rfc3339(run.created), run.id, job, read, [])
        if run.state in _STATES and run.finished is not None:
            models = session.scalars(select(ModelVersion).where(ModelVersion.run_id == run.id))
            outputs = [_model(session, origin, project, m) for m in models]
            yield _event(origin, _STATES[run.state], rfc3339(run.finished), run.id, job, read, outputs)


def _event(
    origin: str, kind: str, at: str, run: str, job: str, read: list[dict[str, Any]], made: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": at,
        "run": {"runId": run},
        "job": {"namespace": origin, "name": job},
        "inputs": read,
        "outputs": made,
        "producer": PRODUCER,
        "schemaURL": SCHEMA,
    }


def _dataset(session: Session, origin: str, project: Project, version: DatasetVersion) -> dict[str, Any]:
    name = session.get_one(Dataset, version.dataset_id).name
    fields = [{"name": column, "type": kind} for column, kind in version.columns["types"].items()]
    return {
        "namespace": origin,
        "name": f"{project.name}/datasets/{name}",
        "facets": {
            "schema": _facet("1-2-0/SchemaDatasetFacet", fields=fields),
            "version": _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=str(version.number)),
        },
    }


def _model(session: Session, origin: str, project: Project, version: ModelVersion) -> dict[str, Any]:
    name = session.get_one(Model, version.model_id).name
    return {
        "namespace": origin,
        "name": f"{project.name}/models/{name}",
        "facets": {"version": _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=str(version.number))},
    }


def _facet(schema: str, **said: Any) -> dict[str, Any]:
    name = schema.rpartition("/")[2]
    return {"_producer": PRODUCER, "_schemaURL": f"{FACETS}/{schema}.json#/$defs/{name}", **said}
