"""The database's two doors, and errors that say what to do without the driver's words."""

import threading

import pytest
from sqlalchemy import select, text

from trustplane.kernel.identity.tables import Project
from trustplane.kernel.plugins import load_tables
from trustplane.kernel.store.engine import Database, retire, store_error
from trustplane.kernel.store.schema import migrate
from trustplane.values.clock import SystemClock
from trustplane.values.errors import Conflict, Unavailable
from trustplane.values.ids import new_id


@pytest.fixture
def database(database_url):
    load_tables()
    opened = Database(database_url)
    migrate(opened)
    yield opened
    opened.close()


def project(name="credit", **facts):
    return Project(
        **{"id": new_id(), "name": name, "description": "", "key_id": new_id(), "created": SystemClock().now()} | facts
    )


def names(database):
    with database.read() as session:
        return sorted(session.scalars(select(Project.name)))


def test_a_block_that_ends_commits_and_one_that_raises_does_not(database):
    with database.write() as session:
        session.add(project("one"))

    def fail():
        with database.write() as session:
            session.add(project("two"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(database) == ["one"]


def test_what_is_done_to_rows_of_a_reading_session_is_never_written(database):
    with database.write() as session:
        session.add(project("one"))
    with database.read() as session:
        row = session.scalar(select(Project))
        row.name = "changed"
    assert row.name == "changed"
    assert names(database) == ["one"]


def test_writers_of_one_process_wait_for_each_other(database):
    with database.write() as session:
        session.add(project("counter", description="0"))

    def count():
        for _ in range(20):
            with database.write() as session:
                row = session.scalar(select(Project).with_for_update())
                row.description = str(int(row.description) + 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.scalar(select(Project.description)) == "80"


def test_a_clash_is_a_conflict_without_the_drivers_words(database):
    with database.write() as session:
        session.add(project("secret-name"))
    with pytest.raises(Conflict) as told, database.write() as session:
        session.add(project("secret-name"))
    assert told.value.code == "TP-STORE-008"
    assert "secret-name" not in str(told.value)


def test_sqlite_is_durable_and_closed_to_tricks(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with database.read() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        }
    database.close()
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }


def test_moments_come_back_in_utc(database):
    made = SystemClock().now()
    with database.write() as session:
        session.add(project(created=made))
    with database.read() as session:
        assert session.scalar(select(Project.created)) == made
        assert session.scalar(select(Project.created)).utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"not a database at all, but text" * 40, "TP-STORE-002"), (b"SQLite format 3\0" + bytes(84), "TP-STORE-002")],
)
def test_a_file_that_is_no_database_is_said_to_be_damaged(tmp_path, content, code):
    (tmp_path / "x.sqlite").write_bytes(content)
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with pytest.raises(Unavailable) as told, database.read() as session:
        session.execute(text("SELECT * FROM sqlite_schema")).all()
    assert told.value.code == code
    database.close()


def test_a_place_that_cannot_be_reached_is_said_to_be_so(tmp_path):
    for url in (
        f"sqlite:///{tmp_path / 'no' / 'such' / 'x.sqlite'}",
        "postgresql+psycopg://nobody:hunter2@127.0.0.1:1/none",
    ):
        database = Database(url)
        with pytest.raises(Unavailable) as told, database.read() as session:
            session.execute(text("SELECT 1"))
        assert told.value.code == "TP-STORE-005"
        assert "hunter2" not in str(told.value) + repr(database) + database.place
        database.close()


def test_another_kind_of_database_is_refused():
    with pytest.raises(Unavailable) as told:
        Database("mysql+pymysql://root@localhost/x")
    assert told.value.code == "TP-STORE-001"


def test_every_code_of_a_sign_has_its_words():
    from trustplane.kernel.store import engine

    for _, code in engine._SIGNS:
        assert store_error(code).fix


def test_a_retired_engine_closes_what_comes_back(database):
    held = database.engine.connect()
    raw = held.connection.driver_connection
    retire(database.engine)
    held.close()
    with pytest.raises(Exception, match="closed"):
        raw.execute("SELECT 1")
