"""The database of the jobs: a file of its own beside an SQLite workspace, a schema of its own on PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from trustplane.kernel.jobs.lease import AdvisoryLease, FileLease, Lease
from trustplane.values.errors import Unavailable

BUSY_TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where the jobs of one workspace are kept, and who may execute them."""

    url: URL
    schema: str
    lock: Path

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.url.get_backend_name()

    @property
    def shown(self) -> str:
        """The place without its password."""
        return self.url.render_as_string(hide_password=True)

    def lease(self) -> Lease:
        """The right to execute here."""
        return FileLease(self.lock) if self.kind == "sqlite" else AdvisoryLease(self.url, self.schema)


def place(database_url: str, folder: Path, schema: str) -> Place:
    """The jobs' place in a workspace whose state is at ``database_url``."""
    url = make_url(database_url)
    kind = url.get_backend_name()
    if kind == "sqlite":
        url = URL.create("sqlite", database=str(folder / "jobs.sqlite"))
    elif kind != "postgresql":
        raise Unavailable("TP-STORE-001", f"the database kind {kind!r} is not supported")
    return Place(url, schema, folder / "jobs.lock")


def open_engine(where: Place) -> Engine:
    """An engine with the settings that DBOS expects of one that it did not make."""
    if where.kind == "postgresql":
        return create_engine(
            where.url, pool_size=5, max_overflow=30, pool_pre_ping=True, connect_args={"connect_timeout": 10}
        )
    assert where.url.database
    os.close(os.open(where.url.database, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(where.url, pool_size=5, max_overflow=30)

    @event.listens_for(engine, "connect")
    def _settle(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = "IMMEDIATE"  # writers queue when they begin; DBOS relies on it
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    return engine


@contextmanager
def reaching(where: Place) -> Iterator[None]:
    """Turn a driver's error into a coded one. The driver's words stay out of it: they hold arguments of jobs."""
    try:
        yield
    except (DBAPIError, OSError) as error:
        kind = type(error.orig if isinstance(error, DBAPIError) and error.orig else error).__name__
        raise Unavailable("TP-JOB-009", f"the jobs database at {where.shown} cannot be used", why=kind) from None
