"""Datasheets: what is on record and what people said, as Croissant that its own library accepts."""

import json

import mlcroissant
import pytest

from trustplane.data.datasheets import PARTS, complete_datasheet, croissant, missing_parts, parts_of
from trustplane.data.tables import Dataset
from trustplane.values.errors import BadInput, Denied

ALL = {name: f"what is said of {name}, ünïcödé \U0001f600 \u202e" for name in PARTS}


def sheet_of(plane, dataset):
    with plane.database.read() as session:
        row = session.get_one(Dataset, dataset)
        return croissant(session, row, origin="log.example"), parts_of(session, row)


def parsed(sheet, tmp_path):
    (tmp_path / "sheet.json").write_text(json.dumps(sheet))
    read = mlcroissant.Dataset(jsonld=tmp_path / "sheet.json")
    assert not read.metadata.issues.errors, read.metadata.issues.errors
    return read.metadata


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("parts", [{}, ALL], ids=["draft", "complete"])
def test_the_library_of_the_standard_accepts_it(plane, cast, clients, tmp_path, parts):
    if parts:
        complete_datasheet(plane, cast["data-steward"], "credit", "clients", parts)
    metadata = parsed(sheet_of(plane, clients.dataset_id)[0], tmp_path)
    assert metadata.name == "clients"
    fields = {f.name: f.data_types for f in metadata.record_sets[0].fields}
    assert set(fields) == {"customer_id", "email", "age", "amount"}
    said = metadata.data_biases or []
    assert ([said] if isinstance(said, str) else said) == ([ALL["biases"]] if parts else [])


def test_it_says_which_data_are_personal_and_holds_no_value(plane, clients):
    sheet, _ = sheet_of(plane, clients.dataset_id)
    text = json.dumps(sheet)
    assert "identifier: customer_id, email" in sheet["rai:personalSensitiveInformation"]
    assert "kept for 3650 days" in sheet["rai:personalSensitiveInformation"]
    assert "mail.example" not in text
    assert "C00001" not in text


def test_answers_are_kept_changed_and_taken_back(plane, cast, clients):
    steward = cast["data-steward"]
    complete_datasheet(plane, steward, "credit", "clients", {"biases": "one", "collection": " two "})
    complete_datasheet(plane, steward, "credit", "clients", {"biases": "three", "collection": ""})
    assert sheet_of(plane, clients.dataset_id)[1] == {"biases": "three"}
    complete_datasheet(plane, steward, "credit", "clients", ALL)
    assert missing_parts(sheet_of(plane, clients.dataset_id)[1]) == ()
    event = next(e for e in plane.ledger.feed(limit=5) if e.leaf.action == "dataset.update")
    assert event.payload["facts"]["complete"] is True


@pytest.mark.parametrize("parts", [{}, {"bias": "x"}, {"biases": "x" * 5001}])
def test_what_is_no_answer_is_refused(plane, cast, clients, parts):
    with pytest.raises(BadInput) as told:
        complete_datasheet(plane, cast["data-steward"], "credit", "clients", parts)
    assert told.value.code == "TP-DATA-079"


@pytest.mark.parametrize("role", ["scientist", "reviewer", "operator", "auditor", "consumer"])
def test_others_describe_nothing(plane, cast, clients, role):
    with pytest.raises(Denied):
        complete_datasheet(plane, cast[role], "credit", "clients", {"biases": "none"})
