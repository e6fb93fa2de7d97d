"""A workspace served within this process, and clients of it for each role; what the tests set up by hand goes through its plane."""

import io

import pytest
from tests.unit.release.conftest import (  # noqa: F401 - fixtures
    assessed,
    fetch,
    made_run,
    made_version,
    ready,
    remembered,
)

from trustplane.client.connection import connect
from trustplane.kernel.identity import principals as people

PURPOSE = "dpv:CustomerSolvencyMonitoring"
ROWS = 60
TABLE = "customer_id,email,age,amount\n" + "".join(
    f"C{n:05d},p{n}@mail.example,{18 + n},{n * 7}.5\n" for n in range(ROWS)
)


@pytest.fixture
def root(workspace, monkeypatch):
    """A client of the workspace as nobody."""
    monkeypatch.setenv("TRUSTPLANE_DATABASE_URL", workspace.database_url)
    with connect(workspace.folder) as client:
        yield client


@pytest.fixture
def plane(root):
    """The plane of the application that the clients ask."""
    return root._wire.http._transport._application.state.plane


@pytest.fixture
def ask(root, plane, cast):
    """A client in a role; ``owner`` is ``ada``."""
    made = {}

    def client(role):
        if role not in made:
            made[role] = root.as_user(people.issue_token(plane, cast[role], cast[role].id).secret)
        return made[role]

    return client


@pytest.fixture
def steward(ask):
    """The project as its data steward sees it."""
    return ask("data-steward").project("credit")


@pytest.fixture
def scientist(ask):
    """The project as its scientist sees it."""
    return ask("scientist").project("credit")


@pytest.fixture
def clients(steward):
    """A table of people, ingested."""
    return steward.datasets.ingest(
        "clients", io.BytesIO(TABLE.encode()), format="csv", purposes=[PURPOSE], lawful_basis="eu-gdpr:A6-1-b", source="the tests"
    )  # fmt: skip


@pytest.fixture
def people_view(steward, clients):
    """A view of the people without their addresses."""
    return steward.views.create(
        "people", "clients", ["customer_id", "age", "amount"], purpose=PURPOSE, pseudonyms=["customer_id"], filter="age >= 20"
    )  # fmt: skip
