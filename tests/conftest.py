"""What tests of every room share: an empty database of each kind, and a founded workspace with its plane and its owner."""

import gc
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Connection, create_engine, make_url, select, text
from sqlalchemy.exc import OperationalError

# How long an example takes says something of the machine and nothing of the code.
hypothesis.settings.register_profile("trustplane", deadline=None)
hypothesis.settings.load_profile("trustplane")
POSTGRES = os.environ.get("TRUSTPLANE_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
OWNER = "ada"
KINDS = ("sqlite", "postgresql")
TOGETHER = ("tests/journeys/",)
"""The tests of one of these folders run in one process: they share what takes a minute to make."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each process one test after the other, and one of them the tests that belong together, which come first."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid)

    return Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first, so that no process waits for another one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Leave what was collected and imported out of the garbage collector's walks: thousands of tests would walk it again and again."""
    gc.collect()
    gc.freeze()


@cache
def postgres_answers() -> bool:
    """Whether the PostgreSQL server of the tests can be reached."""
    engine = create_engine(POSTGRES, connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


def _administer(*statements: str) -> None:
    """Run statements that stand outside transactions, such as CREATE DATABASE."""
    engine = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


@contextmanager
def postgres_database(template: str | None = None) -> Iterator[str]:
    """The URL of a database that nobody else uses; a copy of ``template`` where that is given. Dropped afterwards."""
    if not postgres_answers():
        pytest.skip("no PostgreSQL answers (set TRUSTPLANE_TEST_POSTGRES)")
    name = f"trustplane_{uuid.uuid4().hex}"
    source = "" if template is None else f' TEMPLATE "{make_url(template).database}"'
    _administer(f'CREATE DATABASE "{name}"{source}')
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests says nothing about the workspaces that they make."""
    for name in [n for n in os.environ if n.startswith("TRUSTPLANE_") and not n.startswith("TRUSTPLANE_TEST_")]:
        monkeypatch.delenv(name)


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """``sqlite`` or ``postgresql``: a test that asks for it, or for what stands on it, runs once on each."""
    kind = request.param
    if kind == "postgresql" and not postgres_answers():
        pytest.skip("no PostgreSQL answers (set TRUSTPLANE_TEST_POSTGRES)")
    return kind


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    with postgres_database() as url:
        yield url


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Path]]:
    """Found the workspace that the others are copies of, once for each kind of database that is asked for.

    A ``peopled`` one holds what the fixture ``cast`` speaks of.
    """
    from trustplane.kernel.founding import found
    from trustplane.kernel.plane import Plane
    from trustplane.kernel.settings import Settings, read_workspace

    made: dict[tuple[str, bool], Path] = {}
    databases = []

    def template(kind: str, *, peopled: bool = False) -> Path:
        if (kind, peopled) in made:
            return made[kind, peopled]
        folder = tmp_path_factory.mktemp(f"founded-{kind}") / "workspace"
        base = template(kind) if peopled else None
        url = None
        if kind == "postgresql":
            source = None if base is None else (base / "database.url").read_text()
            databases.append(database := postgres_database(source))
            url = database.__enter__()
        settings = Settings(database_url=url)
        if base is None:
            found(folder, OWNER, settings=settings)
        else:
            shutil.copytree(base, folder, ignore=shutil.ignore_patterns("database.url"))
            with Plane(read_workspace(folder, settings)) as plane:
                _people(plane)
        if url is not None:
            (folder / "database.url").write_text(url)
        made[kind, peopled] = folder
        return folder

    yield template
    for database in reversed(databases):
        database.__exit__(None, None, None)


class Reused:
    """A founded PostgreSQL database that is put back as it was after each test: making one anew costs a second of the server's disk."""

    def __init__(self, url: str) -> None:
        from trustplane.kernel.plugins import load_tables
        from trustplane.kernel.store.base import Base

        load_tables()
        self.url = url
        self._tables = [table.name for table in Base.metadata.sorted_tables] + ["alembic_version"]
        copies = [f'CREATE TABLE founded."{name}" AS SELECT * FROM public."{name}"' for name in self._tables]
        with self._connected() as connection:
            connection.exec_driver_sql("; ".join(["CREATE SCHEMA founded", *copies]))

    def restore(self) -> None:
        """Put every row back, and drop what is not the workspace's own, such as the tables of the jobs."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        known = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' AND nspname NOT IN ('public', 'founded', 'information_schema')"
        with self._connected() as connection:
            connection.execute(text(others))
            schemas = connection.scalars(text(known)).all()
            statements = (
                "SET LOCAL synchronous_commit = off",
                *(f'DELETE FROM public."{name}"' for name in reversed(self._tables)),
                *(f'INSERT INTO public."{name}" SELECT * FROM founded."{name}"' for name in self._tables),
                *(f'DROP SCHEMA "{name}" CASCADE' for name in schemas),
            )
            connection.exec_driver_sql("; ".join(statements))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = create_engine(self.url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()


@pytest.fixture(scope="session")
def reused(founded: Callable[..., Path]) -> Iterator[Callable[[bool], Reused]]:
    """The founded PostgreSQL databases of this process, peopled or not, each made when it is first asked for."""
    made: dict[bool, Reused] = {}
    databases = []

    def get(peopled: bool) -> Reused:
        if peopled not in made:
            source = (founded("postgresql", peopled=peopled) / "database.url").read_text()
            databases.append(database := postgres_database(source))
            made[peopled] = Reused(database.__enter__())
        return made[peopled]

    yield get
    for database in databases:
        database.__exit__(None, None, None)


@pytest.fixture
def workspace(
    request: pytest.FixtureRequest,
    database_kind: str,
    founded: Callable[..., Path],
    reused: Callable[[bool], Reused],
    tmp_path: Path,
) -> Iterator[object]:
    """A founded workspace in a folder of its own, with a user ``ada`` who is the owner; a :class:`Workspace`.

    Where the database is PostgreSQL its URL is not in the folder: open it with ``Plane(workspace)``, or with the environment
    variable ``TRUSTPLANE_DATABASE_URL`` set to ``workspace.database_url``.
    """
    from trustplane.kernel.settings import Settings, read_workspace

    peopled = "cast" in request.fixturenames
    template, folder = founded(database_kind, peopled=peopled), tmp_path / "workspace"
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("database.url"))
    placed = read_workspace(folder, Settings())
    if database_kind == "sqlite":
        yield placed
        return
    database = reused(peopled)
    try:
        yield replace(placed, database_url=database.url)
    finally:
        database.restore()


@pytest.fixture
def plane(workspace):
    """The workspace, opened."""
    from trustplane.kernel.plane import Plane

    with Plane(workspace) as opened:
        yield opened


def _principal(plane, name):
    from trustplane.kernel.identity.tables import Principal

    with plane.database.read() as session:
        return session.scalar(select(Principal).where(Principal.name == name))


@pytest.fixture
def owner(plane):
    """The owner of the workspace, as an :class:`Actor` with its bindings."""
    from trustplane.kernel.identity.authentication import load_actor

    with plane.database.read() as session:
        return load_actor(session, _principal(plane, OWNER), None)


ROLES = ("data-steward", "scientist", "reviewer", "operator", "auditor", "consumer")


def _people(plane) -> None:
    """Make the project, its environments and its people that ``cast`` speaks of."""
    from trustplane.kernel.identity import principals as people
    from trustplane.kernel.identity.scopes import find_project, project_target

    owner = plane.stand_in(_principal(plane, OWNER).id, ("*",))
    people.create_project(plane, owner, "credit")
    people.create_environment(plane, owner, "credit", "staging")
    people.create_environment(plane, owner, "credit", "production", production=True)
    with plane.database.read() as session:
        scope = project_target(find_project(session, "credit"))
    for role in ROLES:
        made = people.create_principal(plane, owner, people.PrincipalSpec("user", f"some-{role}"))
        people.grant(plane, owner, made, role, scope)


@pytest.fixture
def cast(plane, owner):
    """A project ``credit`` with environments ``staging`` and ``production``, and an actor for each role in it, by role.

    They stand in the template of the workspace, since making them takes longer than most tests.
    """
    if _principal(plane, "some-consumer") is None:  # a plane with a clock or a workspace of its own
        _people(plane)
    actors = {"owner": owner}
    for role in ROLES:
        actors[role] = plane.stand_in(_principal(plane, f"some-{role}").id, ("*",))
    return actors
