"""What a query asks for, judged before anything is opened: one SELECT, over views by their bare names, and which columns it may touch."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trustplane.values.errors import BadInput, Unavailable

LONGEST = 20_000
_DIALECT = "duckdb"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that may run. ``text`` is written anew from what was checked; ``words`` are the names it uses, lower case.

    ``digest`` is of the text without its literals, which may name a person.
    """

    text: str
    views: tuple[str, ...]
    words: frozenset[str]
    everything: bool
    digest: str

    def columns_of(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Which of a view's columns the query may need: those that it names, or all of them where it asks for all.

        A name that is also the view's own or an alias may mean a whole row, so then all are needed. At least one column is read, since
        rows must be counted.
        """
        known = tuple(columns)
        if self.everything:
            return known
        named = tuple(c for c in known if c.casefold() in self.words)
        return named or known[:1]


def check_query(sql: str) -> Asked:
    """Judge a query; raise :class:`BadInput` (TP-DATA-080) for anything but one SELECT over bare names of views."""
    exp, tree = _parsed(sql)
    if not isinstance(tree, exp.Query):
        raise _refused("it is no SELECT")
    for node in tree.walk():
        if isinstance(node, exp.Command | exp.DDL | exp.DML | exp.Into | exp.Pragma | exp.Set | exp.Lateral):
            raise _refused(f"it holds {type(node).__name__.upper()}, which reads nothing of a view")
    scoped = _names_of_ctes(exp, tree)
    views: dict[str, None] = {}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise _refused("it calls a table function, and only views may be read")
        if table.db or table.catalog:
            raise _refused("a view is named by its bare name")
        if table.name.casefold() not in scoped:
            views.setdefault(table.name)
    if not views:
        raise _refused("it names no view")
    words = frozenset(i.name.casefold() for i in tree.find_all(exp.Identifier))
    columns = {c.name.casefold() for c in tree.find_all(exp.Column)}
    tables = {name.casefold() for t in tree.find_all(exp.Table) for name in (t.name, t.alias_or_name)}
    everything = bool(columns & tables) or _asks_for_all(exp, tree)  # the first: a row as a value, SELECT v FROM v
    return Asked(tree.sql(dialect=_DIALECT), tuple(views), words, everything, _digest(exp, tree))


def _parsed(sql: str) -> tuple[Any, Any]:
    if len(sql) > LONGEST:
        raise _refused(f"it has {len(sql):,} characters, more than {LONGEST:,}")
    try:
        import sqlglot
        from sqlglot import exp
        from sqlglot.errors import SqlglotError
    except ImportError:
        raise no_extra() from None
    try:
        trees = [t for t in sqlglot.parse(sql, dialect=_DIALECT) if t is not None]
    except (SqlglotError, RecursionError):
        raise _refused("it is no SQL that DuckDB reads") from None
    if len(trees) != 1:
        raise _refused(f"it holds {len(trees)} statements, and one is run")
    return exp, trees[0]


def no_extra() -> Unavailable:
    """The error where the extra is not installed."""
    return Unavailable("TP-DATA-081", "the extra 'sql' is not installed", why="queries need duckdb and sqlglot")


def _names_of_ctes(exp: Any, tree: Any) -> set[str]:
    """Names that the query itself makes. One that would hide a view of that name anywhere hides it everywhere: it is no view then."""
    return {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}


def _asks_for_all(exp: Any, tree: Any) -> bool:
    """Whether a star that is not that of ``count(*)``, a NATURAL join or COLUMNS(…) stands anywhere."""
    for star in tree.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            return True
    if any(join.args.get("method") for join in tree.find_all(exp.Join)):
        return True
    return any(True for _ in tree.find_all(exp.Columns, exp.Pivot))


def _digest(exp: Any, tree: Any) -> str:
    plain = tree.copy().transform(lambda node: exp.Placeholder() if isinstance(node, exp.Literal) else node)
    return "sha256:" + hashlib.sha256(plain.sql(dialect=_DIALECT).encode()).hexdigest()


def _refused(why: str) -> BadInput:
    return BadInput("TP-DATA-080", "the query cannot be run", why=why)
