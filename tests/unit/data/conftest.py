"""Datasets for the tests of the data stage's operations."""

import pytest

from trustplane.data.ingestion import DatasetSpec, ingest

HEADER = "customer_id,email,age,amount\n"


@pytest.fixture
def csv():
    """Make a CSV file of so many people."""

    def make(rows=500):
        lines = (f"C{n:05d},person{n}@mail.example,{18 + n % 60},{n * 7 % 1000}.5\n" for n in range(rows))
        return (HEADER + "".join(lines)).encode()

    return make


@pytest.fixture
def spec():
    """What is said of the dataset."""
    return DatasetSpec(
        "clients", "csv", ("dpv:CustomerSolvencyMonitoring",), "eu-gdpr:A6-1-b", 3650, source="the tests"
    )


@pytest.fixture
def clients(plane, cast, csv, spec):
    """A dataset of 500 people."""
    return ingest(plane, cast["data-steward"], "credit", spec, [csv()])
