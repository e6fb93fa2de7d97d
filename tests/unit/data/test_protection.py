"""Protecting a view: a new dataset, with what was reached and the risk before and after on record."""

from datetime import timedelta

import pyarrow as pa
import pytest

from trustplane.data.protection import protect
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.values.errors import BadInput, Denied

RECIPE = 'quasi_identifiers = ["age"]\nk = 20\nkeep = ["amount"]\n'


@pytest.fixture
def steward(cast):
    return cast["data-steward"]


@pytest.fixture
def people(plane, steward, spec, clients):
    made = ViewSpec(
        "people",
        "clients",
        ("customer_id", "age", "amount"),
        spec.purposes[0],
        timedelta(days=1),
        pseudonyms=("customer_id",),
    )
    create_view(plane, steward, "credit", made)
    return clients


def test_a_view_becomes_a_protected_dataset(plane, steward, people, spec):
    done = protect(plane, steward, "credit", "people", RECIPE, "safer")
    assert done.figures["reached"]["k"] >= 20
    create_view(
        plane, steward, "credit", ViewSpec("safe", "safer", ("age", "amount"), spec.purposes[0], timedelta(days=1))
    )
    opened = open_view(plane, steward, "credit", "safe")
    table = pa.Table.from_batches(opened.batches, schema=opened.schema)
    assert table.num_rows == 500
    assert (
        min(table.group_by("age").aggregate([([], "count_all")])["count_all"].to_pylist())
        == done.figures["reached"]["k"]
    )
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, done.made.version_id)
        made = session.get_one(Dataset, version.dataset_id)
        assert made.purposes == list(spec.purposes)
        assert made.retention_days == 3650
    event = next(e for e in plane.ledger.feed(limit=10) if e.leaf.action == "dataset.ingest")
    facts = event.payload["facts"]
    assert facts["protected"]["reached"]["k"] >= 20
    assert facts["protected"]["after"]["prosecutor_highest"] <= 1 / 20
    assert facts["from_version"] == people.version_id
    assert plane.ledger.get(facts["view_opened_by"]).leaf.action == "view.open"


@pytest.mark.parametrize("keep", ["customer_id", "email", "nothing"])
def test_what_tells_who_it_is_cannot_be_kept(plane, steward, people, keep):
    with pytest.raises(BadInput) as told:
        protect(plane, steward, "credit", "people", f'quasi_identifiers = ["age"]\nk = 5\nkeep = ["{keep}"]\n', "safer")
    assert told.value.code == "TP-DATA-060"


def test_what_cannot_be_reached_leaves_nothing(plane, steward, people):
    with pytest.raises(BadInput) as told:
        protect(plane, steward, "credit", "people", 'quasi_identifiers = ["age"]\nk = 501\n', "safer")
    assert told.value.code == "TP-DATA-062"
    with plane.database.read() as session:
        assert session.query(Dataset).count() == 1


@pytest.mark.parametrize("role", ["scientist", "reviewer", "operator", "auditor", "consumer"])
def test_others_make_no_dataset(plane, cast, people, role):
    with pytest.raises(Denied):
        protect(plane, cast[role], "credit", "people", RECIPE, "safer")


def test_the_distance_of_each_column_is_measured(plane, steward, people):
    done = protect(plane, steward, "credit", "people", RECIPE, "safer")
    used = done.figures["utility"]
    assert used["distances"]["amount"] == 0.0
    assert 0 < used["distances"]["age"] < 0.2
    assert "score" not in used


@pytest.mark.parametrize(
    ("label", "code"), [("agee", "TP-DATA-060"), ("amount", "TP-DATA-064"), ("customer_id", "TP-DATA-060")]
)
def test_a_label_that_is_no_class_of_the_result_is_refused(plane, steward, people, label, code):
    with pytest.raises(BadInput) as told:
        protect(plane, steward, "credit", "people", f'label = "{label}"\n' + RECIPE, "safer")
    assert told.value.code == code
