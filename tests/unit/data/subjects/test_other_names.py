"""A person is found and erased under the names that a recipe gave."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from trustplane.data.contracts.service import set_contract, waiting
from trustplane.data.ingestion import ingest
from trustplane.data.protection import protect
from trustplane.data.subjects.erasure import search
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.data.views import ViewSpec, create_view
from trustplane.kernel.target import Target
from trustplane.kernel.vault.destroying import destroy_key
from trustplane.kernel.vault.tables import VaultKey

PURPOSE = "dpv:CustomerSolvencyMonitoring"
STEP = 'keep = ["age"]\n[[steps]]\ncolumn = "{column}"\ndo = "{do}"\n'
MADE = {"by-token": ("customer_id", "token"), "by-pseudonym": ("email", "pseudonym")}


@pytest.fixture
def protected(plane, steward, clients):
    """Tables in which the clients have other names."""
    columns = ("customer_id", "email", "age")
    create_view(plane, steward, "credit", ViewSpec("whole", "clients", columns, PURPOSE, timedelta(hours=1)))
    for into, (column, do) in MADE.items():
        protect(plane, steward, "credit", "whole", STEP.format(column=column, do=do), into)


def found_in(plane, steward, request):
    found = search(plane, steward, "credit", request).datasets
    with plane.database.read() as session:
        return {session.get_one(Dataset, d).name: sum(v["versions"].values()) for d, v in found.items()}


def test_a_person_is_found_however_the_name_is_written(plane, steward, protected, asked):
    assert found_in(plane, steward, asked("access", "c-00007")) == {"clients": 1, "by-token": 1}
    assert found_in(plane, steward, asked("access", "person7@mail.example")) == {"clients": 1, "by-pseudonym": 1}
    assert found_in(plane, steward, asked("access", "C99999")) == {}


def test_an_erasure_takes_the_person_out_of_what_was_made(plane, steward, protected, asked, erased):
    request = asked("erasure", "C00007", "person7@mail.example")
    erased(request)
    assert found_in(plane, steward, asked("access", "C00007", "person7@mail.example")) == {}
    assert found_in(plane, steward, asked("access", "C00008")) == {"clients": 1, "by-token": 1}
    with plane.database.read() as session:
        assert {v.rows for v in session.scalars(select(DatasetVersion))} == {499}


def test_names_whose_key_was_destroyed_are_nobodys(plane, steward, protected, asked):
    with plane.database.read() as session:
        [key] = session.scalars(select(VaultKey).where(VaultKey.subject.like("tokens:%")))
    destroy_key(
        plane, steward, Target("Key", key.id, project=key.project_id, attributes={"held": False}), "the study is over"
    )
    assert found_in(plane, steward, asked("access", "C00007")) == {"clients": 1}


def test_what_is_in_quarantine_is_reached_too(plane, steward, clients, spec, csv, asked, erased):
    set_contract(plane, steward, "credit", "clients", "[rows]\nat_most = 10\n")
    made = ingest(plane, steward, "credit", spec, [csv(20)])
    assert found_in(plane, steward, asked("access", "C00007")) == {"clients": 2}
    erased(asked("erasure", "C00007"))
    with plane.database.read() as session:
        assert [(v.number, v.rows) for v in waiting(session, made.dataset_id)] == [(2, 19)]
    assert found_in(plane, steward, asked("access", "C00007")) == {}
