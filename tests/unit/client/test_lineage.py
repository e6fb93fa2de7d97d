"""Lineage by the SDK, read back by OpenLineage's own library."""

from openlineage.client import event_v2
from openlineage.client.generated import (
    dataset_version_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)

PURPOSE = "dpv:CustomerSolvencyMonitoring"
FACETS = {
    "schema": schema_dataset.SchemaDatasetFacet,
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}


def facets_of(said):
    """Each facet is of the schema that the library knows by that name, and holds what it wants."""
    made = {}
    for name, body in (said or {}).items():
        kind = FACETS[name]
        assert body["_schemaURL"] == kind._get_schema()
        values = {k: v for k, v in body.items() if not k.startswith("_")}
        if name == "schema":
            values["fields"] = [schema_dataset.SchemaDatasetFacetFields(**f) for f in values["fields"]]
        made[name] = kind(**values)
    return made


def read(event):
    """The event as the library has it; it raises for what is none."""
    assert event["schemaURL"] == event_v2.RunEvent._get_schema()
    return event_v2.RunEvent(
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=event_v2.Run(event["run"]["runId"]),
        job=event_v2.Job(**event["job"]),
        eventType=event_v2.RunState[event["eventType"]],
        inputs=[
            event_v2.InputDataset(d["namespace"], d["name"], facets=facets_of(d["facets"])) for d in event["inputs"]
        ],
        outputs=[
            event_v2.OutputDataset(
                d["namespace"], d["name"], facets_of(d.get("outputFacets")), facets=facets_of(d["facets"])
            )
            for d in event["outputs"]
        ],
    )


def test_an_ingestion_and_a_protection(steward, clients, people_view):
    steward.views.create("whole", "clients", ["email", "age"], purpose=PURPOSE, days=1)
    recipe = 'quasi_identifiers = ["age"]\nk = 2\n'
    steward.views.protect("whole", recipe, "safe")
    first, second = map(read, steward.lineage())
    assert (first.job.name, first.inputs) == ("credit.ingest.clients", [])
    assert [o.name for o in first.outputs] == ["credit/datasets/clients"]
    assert first.outputs[0].outputFacets["outputStatistics"].rowCount > 0
    assert second.job.name == "credit.protect.safe"
    assert [i.name for i in second.inputs] == ["credit/datasets/clients"]
    assert second.inputs[0].facets["version"].datasetVersion == "1"
    assert [f.name for f in second.outputs[0].facets["schema"].fields] == ["age"]
