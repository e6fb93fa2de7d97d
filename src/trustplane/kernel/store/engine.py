"""One database: SQLite in a file (WAL, ``synchronous=FULL``) or PostgreSQL. Reading and writing sessions, and errors that say what to do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, ExceptionContext, make_url
from sqlalchemy.orm import Session

from trustplane.values.errors import BadInput, Conflict, TrustplaneError, Unavailable

BUSY_TIMEOUT_MS = 20_000


class Database:
    """The engine of one workspace and its two doors.

    On SQLite a writer takes the write lock when it begins (``BEGIN IMMEDIATE``), so it never fails half-way for want of it; writers of
    this process queue on a lock of their own, which is fair and does not poll as SQLite's busy handler does.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.kind = parsed.get_backend_name()
        if self.kind not in {"sqlite", "postgresql"}:
            raise Unavailable(
                "TP-STORE-001",
                f"the database kind {self.kind!r} is not supported",
                fix="use sqlite:///FILE or postgresql+psycopg://…",
            )
        self.place = parsed.render_as_string(hide_password=True)
        self.path = Path(parsed.database) if self.kind == "sqlite" and parsed.database else None
        self.engine = _sqlite_engine(url) if self.kind == "sqlite" else _postgresql_engine(url)
        event.listen(self.engine, "handle_error", _explain)
        self._immediate = self.engine.execution_options(trustplane_immediate=True)
        self._turn = threading.Lock() if self.kind == "sqlite" else None

    def __repr__(self) -> str:
        return f"Database({self.place!r})"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading. Its rows stay readable after it; nothing that is done to them is ever written."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session
            session.expunge_all()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for writing: it commits when the block ends and rolls back when it raises."""
        with self._turn or nullcontext(), Session(self._immediate, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A bare connection in a writing transaction, for the journal's batches."""
        with self._turn or nullcontext(), self._immediate.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        retire(self.engine)


def retire(engine: Engine) -> None:
    """Close every connection of an engine; one that a thread still holds is closed when it comes back."""
    event.listen(engine.pool, "checkin", lambda _connection, record: record.invalidate())
    engine.dispose()


def _sqlite_engine(url: str) -> Engine:
    settings = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000, "cached_statements": 512}
    engine = create_engine(url, connect_args=settings, pool_size=16, max_overflow=64)

    @event.listens_for(engine, "connect")
    def _settle(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = None  # transactions begin where "begin" below says so, not where the driver guesses
        cursor = dbapi.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",  # an erased key or payload is overwritten, not merely unlinked
            "trusted_schema=OFF",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("trustplane_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN DEFERRED")

    return engine


def _postgresql_engine(url: str) -> Engine:
    return create_engine(
        url, pool_size=16, max_overflow=64, pool_pre_ping=True, connect_args={"options": "-c timezone=utc"}
    )


_SIGNS = (
    ("disk image is malformed", "TP-STORE-002"),
    ("file is not a database", "TP-STORE-002"),
    ("disk i/o error", "TP-STORE-002"),
    ("database is locked", "TP-STORE-003"),
    ("database or disk is full", "TP-STORE-004"),
    ("no space left on device", "TP-STORE-004"),
    ("unable to open database file", "TP-STORE-005"),
    ("connection failed", "TP-STORE-005"),
    ("attempt to write a readonly database", "TP-STORE-006"),
    ("readonly", "TP-STORE-006"),
    ("cannot contain nul", "TP-STORE-009"),
    ("unique constraint failed", "TP-STORE-008"),
    ("duplicate key value violates unique constraint", "TP-STORE-008"),
)


def _explain(context: ExceptionContext) -> None:
    text = str(context.original_exception).lower()
    code = next((code for sign, code in _SIGNS if sign in text), None)
    if code is not None:
        raise store_error(code) from None


def store_error(code: str) -> TrustplaneError:
    """The coded error for a trouble of the database; its words come from the catalogue, for a driver's may hold values of rows."""
    from trustplane.values.errors import catalogue

    family = {"TP-STORE-008": Conflict, "TP-STORE-009": BadInput}.get(code, Unavailable)
    return family(code, catalogue()[code].title[0].lower() + catalogue()[code].title[1:])
