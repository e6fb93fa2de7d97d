"""The migrations make what the tables say, and a workspace opens with the schema of this version alone."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from trustplane.kernel import founding
from trustplane.kernel.founding import upgrade
from trustplane.kernel.plane import Plane
from trustplane.kernel.plugins import load_tables
from trustplane.kernel.settings import Settings
from trustplane.kernel.store.base import Base
from trustplane.kernel.store.engine import Database
from trustplane.kernel.store.schema import HEAD, current_revision, migrate, require_current
from trustplane.values.errors import Unavailable


@pytest.fixture
def database(database_url):
    load_tables()
    opened = Database(database_url)
    yield opened
    opened.close()


def test_the_migrated_schema_is_that_of_the_tables(database):
    migrate(database)
    with database.engine.connect() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata) == []
        )


def test_a_table_that_is_missing_would_be_noticed(database):
    migrate(database)
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE waivers"))
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata)


def test_migrating_twice_changes_nothing(database):
    migrate(database)
    migrate(database)
    require_current(database)
    assert current_revision(database) == HEAD


def test_an_empty_database_is_not_opened(database):
    with pytest.raises(Unavailable) as told:
        require_current(database)
    assert told.value.code == "TP-STORE-007"


def test_a_failed_migration_leaves_nothing(database, monkeypatch):
    from alembic.operations import Operations

    whole = Operations.create_table
    made = []

    def breaks(self, name, *arguments, **options):
        made.append(name)
        if len(made) == 5:
            raise ZeroDivisionError
        return whole(self, name, *arguments, **options)

    monkeypatch.setattr(Operations, "create_table", breaks)
    with pytest.raises(ZeroDivisionError):
        migrate(database)
    assert inspect(database.engine).get_table_names() == []


def test_the_schema_of_a_later_version_is_refused_and_left_alone(workspace):
    database = Database(workspace.database_url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for opening in (
        lambda: Plane(workspace),
        lambda: upgrade(workspace.folder, settings=Settings(database_url=workspace.database_url)),
    ):
        with pytest.raises(Unavailable) as told:
            opening()
        assert told.value.code == "TP-STORE-007"
    assert current_revision(database) == "9999"
    database.close()


def test_upgrading_what_is_current_is_nothing(workspace):
    settings = Settings(database_url=workspace.database_url)
    assert upgrade(workspace.folder, settings=settings) == (HEAD, HEAD)


def test_bringing_a_workspace_forward_is_on_record(workspace, monkeypatch):
    """The migrations themselves are run above; here the workspace is only said to be of an earlier revision."""
    monkeypatch.setattr(founding, "require_known", lambda _: "0001")
    monkeypatch.setattr(founding, "migrate", lambda _: None)
    settings = Settings(database_url=workspace.database_url)
    assert upgrade(workspace.folder, settings=settings) == ("0001", HEAD)
    with Plane(workspace) as plane:
        (newest,) = plane.ledger.feed(limit=1)
        assert (newest.leaf.action, newest.leaf.outcome) == ("plane.configure", "done")
        assert newest.payload["facts"] == {"schema_before": "0001", "schema_after": HEAD}
