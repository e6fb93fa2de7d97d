"""SQL over views: rows are decrypted into Arrow by the keys that a decision released, and DuckDB sees these tables and nothing else.

The connection lives in memory, reaches no file, no network and no extension, spills nothing to disk, and its settings are locked.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy.orm import Session

from trustplane.data.catalog import find_view
from trustplane.data.sql_check import Asked, aggregates_alone, check_query, no_extra
from trustplane.data.tables import DatasetVersion, View
from trustplane.data.view_limits import limits_of
from trustplane.data.views import Question, open_view
from trustplane.kernel.identity.scopes import find_project
from trustplane.values.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

SECONDS = 60.0
MEMORY = "2GB"
MOST_BYTES = 4 << 30
"""Bytes that the rows of a query may take in memory, beside what DuckDB needs."""
BATCH = 65_536
_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": MEMORY,
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}


_NUMBERS = ("int", "uint", "float", "double", "halffloat", "decimal")


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of an answer. ``batches`` can be walked once; ``events`` are those of the views that were opened."""

    events: tuple[str, ...]
    schema: Any
    batches: Iterator[Any]


def query(
    plane: "Plane", actor: "Actor", project: str, sql: str, purpose: str | None = None, seconds: float = SECONDS
) -> Answered:
    """Run a SELECT over views that the actor may open for a purpose, each view's own without one.

    Every view is opened, and that is on record, before a row is read; of each only the columns that the query may need are decrypted.
    """
    asked = check_query(sql)
    with plane.database.read() as session:
        scope = find_project(session, project)
        rows = {name: find_view(session, scope.id, name) for name in asked.views}
        columns = {name: tuple(row.columns) for name, row in rows.items()}
        groups = max(limits_of(session, row).groups for row in rows.values())
        if groups:
            asked = aggregates_alone(asked, groups, _kinds(session, rows[asked.views[0]]))
    tables: dict[str, Any] = {}
    events = []
    for name in asked.views:
        needed = asked.columns_of(columns[name])
        question = Question(frozenset(needed), asked.digest, aggregated=bool(groups), packed=True)
        opened = open_view(plane, actor, project, name, purpose, question=question)
        events.append(opened.event)
        tables[name] = _held(opened.schema, opened.batches, MOST_BYTES - sum(t.nbytes for t in tables.values()))
    reader = _run(asked, tables, seconds)
    schema = next(reader)
    return Answered(tuple(events), schema, reader)


def _kinds(session: Session, view: View) -> dict[str, str]:
    """What the columns of a view hold, as far as constants go: pseudonyms and masks are text."""
    types = session.get_one(DatasetVersion, view.version_id).columns["types"]
    texts = {*view.pseudonyms, *limits_of(session, view).masks}
    return {c: "text" if c in texts or types[c] in {"string", "large_string"} else "number" if types[c].startswith(_NUMBERS) else types[c] for c in view.columns}  # fmt: skip


def _held(schema: Any, batches: Iterator[Any], most: int) -> Any:
    """A table in memory, if it fits."""
    kept, size = [], 0
    for batch in batches:
        size += batch.nbytes
        if size > most:
            raise Unavailable(
                "TP-DATA-082", f"the views hold more than {MOST_BYTES >> 30} GB in the columns that are asked for"
            )
        kept.append(batch)
    return pa.Table.from_batches(kept, schema=schema)


def _run(asked: Asked, tables: dict[str, Any], seconds: float) -> Iterator[Any]:
    """The schema of the answer, and then its batches."""
    try:
        import duckdb
    except ImportError:
        raise no_extra() from None
    with duckdb.connect(":memory:", config=_LOCKED) as connection, _limited(connection, seconds) as late:
        for name, table in tables.items():
            connection.register(name, table)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            relation = connection.sql(asked.text)
            if relation is None:  # not a query, whatever it is
                raise BadInput("TP-DATA-080", "the query cannot be run", why="it gives no rows")
            reader = relation.to_arrow_reader(BATCH)
            yield reader.schema
            for batch in reader:
                if batch.num_rows:
                    yield batch
        except (duckdb.Error, pa.ArrowException) as error:
            raise _told(duckdb, error, late=late.is_set(), seconds=seconds) from None


@contextmanager
def _limited(connection: Any, seconds: float) -> Iterator[threading.Event]:
    """Interrupt the connection after some seconds; gives whether that happened."""
    late = threading.Event()

    def interrupt() -> None:
        late.set()
        connection.interrupt()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _told(duckdb: Any, error: Exception, *, late: bool, seconds: float) -> Exception:
    """What went wrong, without a value of a row: only errors about the text of the query are quoted."""
    if late:
        return Unavailable("TP-DATA-082", f"the query did not end within {seconds:g} seconds")
    if isinstance(error, duckdb.OutOfMemoryException):
        return Unavailable("TP-DATA-082", f"the query needs more than {MEMORY} of memory")
    if isinstance(
        error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException | duckdb.SyntaxException
    ):
        said = str(error).splitlines()[0][:300]
        return BadInput("TP-DATA-080", "the query cannot be run", why=said)
    return BadInput("TP-DATA-080", "the query failed on a value", why=type(error).__name__)
