"""SQL over views: rows are decrypted by the keys that a decision released while DuckDB works on them, and it sees nothing else.

No more of a view than a few row groups is in memory at a time; a query that walks a view twice decrypts it twice. The connection lives in memory, reaches no file, no network and no extension, spills nothing to disk, and its settings are locked.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
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
from trustplane.values.errors import BadInput, TrustplaneError, Unavailable

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

SECONDS = 60.0
MEMORY = "2GB"
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
    sources, events = {}, []
    for name in asked.views:
        needed = asked.columns_of(columns[name])
        question = Question(frozenset(needed), asked.digest, aggregated=bool(groups), packed=True)
        opened = open_view(plane, actor, project, name, purpose, question=question)
        events.append(opened.event)
        sources[name] = _Source(opened.schema, opened.scan)
    reader = _run(asked, sources, seconds)
    schema = next(reader)
    return Answered(tuple(events), schema, reader)


def _kinds(session: Session, view: View) -> dict[str, str]:
    """What the columns of a view hold, as far as constants go: pseudonyms and masks are text."""
    types = session.get_one(DatasetVersion, view.version_id).columns["types"]
    texts = {*view.pseudonyms, *limits_of(session, view).masks}
    return {c: "text" if c in texts or types[c] in {"string", "large_string"} else "number" if types[c].startswith(_NUMBERS) else types[c] for c in view.columns}  # fmt: skip


class _Source:
    """A view as DuckDB scans it, as often as the query asks. ``failed`` keeps our own error, of which DuckDB would tell the words alone."""

    def __init__(self, schema: Any, scan: Callable[[], Iterator[Any]]) -> None:
        self.failed: TrustplaneError | None = None
        self._schema, self._scan = schema, scan

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pa.RecordBatchReader.from_batches(self._schema, self._rows()).__arrow_c_stream__(requested_schema)

    def _rows(self) -> Iterator[Any]:
        try:
            yield from self._scan()
        except TrustplaneError as error:
            self.failed = error
            raise


def _run(asked: Asked, sources: Mapping[str, _Source], seconds: float) -> Iterator[Any]:
    """The schema of the answer, and then its batches."""
    try:
        import duckdb
    except ImportError:
        raise no_extra() from None
    with duckdb.connect(":memory:", config=_LOCKED) as connection, _limited(connection, seconds) as late:
        for name, source in sources.items():
            connection.register(name, source)
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
            own = next((s.failed for s in sources.values() if s.failed is not None), None)
            raise own or _told(duckdb, error, late=late.is_set(), seconds=seconds) from None


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
