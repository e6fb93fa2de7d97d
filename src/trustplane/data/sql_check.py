"""What a query asks for, judged before anything is opened: one SELECT, over views by their bare names, and which columns it may touch."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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


def aggregates_alone(asked: Asked, least: int, kinds: Mapping[str, str]) -> Asked:
    """The query, with every group of fewer than ``least`` rows left out; raise :class:`BadInput` (TP-DATA-080) where more than
    aggregates could leave. ``kinds`` are the columns with ``text``, ``number`` or another word.

    It is one SELECT of one view: plain columns, grouped, counted, summed or averaged, under conditions that compare a column with a
    constant of its own kind. Nothing else: an expression that fails on one row would tell that the row is there.
    """
    exp, tree = _parsed(asked.text)
    if not isinstance(tree, exp.Select) or len(asked.views) != 1 or asked.everything:
        raise _not_aggregate("it is one SELECT from the view")
    if {k for k, v in tree.args.items() if v} - {"expressions", "from", "from_", "where", "group", "order", "limit"}:
        raise _not_aggregate("it has FROM, WHERE, GROUP BY, ORDER BY and LIMIT alone")
    if tree.find(exp.TableSample, exp.Subquery, exp.Window, exp.Filter, exp.Join):
        raise _not_aggregate("it has no sample, subquery, window, filter or join")
    group, limit = tree.args.get("group"), tree.args.get("limit")
    keys = [] if group is None else list(group.expressions)
    if group is not None and ({k for k, v in group.args.items() if v} != {"expressions"} or not all(isinstance(k, exp.Column) for k in keys)):  # fmt: skip
        raise _not_aggregate("groups are plain columns")
    if limit is not None and not isinstance(limit.expression, exp.Literal):
        raise _not_aggregate("LIMIT is a number")
    named = {k.name.casefold() for k in keys}
    for each in tree.expressions:
        inner = each.unalias()
        if not (isinstance(inner, exp.Column) and inner.name.casefold() in named) and not _is_aggregate(exp, inner):
            raise _not_aggregate("it gives its groups, and count, sum, avg, stddev and variance of plain columns")
    for each in tree.args["order"].expressions if tree.args.get("order") else ():
        if not isinstance(each.this, exp.Column | exp.Literal):
            raise _not_aggregate("the order is by names of the answer")
    where = tree.args.get("where")
    if where is not None and not _is_plain(exp, where.this, {c.casefold(): k for c, k in kinds.items()}):
        raise _not_aggregate("conditions compare a column with a constant of its own type")
    bounded = tree.having(exp.GTE(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(least)))
    return replace(asked, text=bounded.sql(dialect=_DIALECT))


def _is_aggregate(exp: Any, node: Any) -> bool:
    if isinstance(node, exp.Count):
        return isinstance(node.this, exp.Column | exp.Star) and not node.expressions
    kinds = (exp.Sum, exp.Avg, exp.Stddev, exp.StddevSamp, exp.Variance)
    return isinstance(node, kinds) and isinstance(node.this, exp.Column)


def _is_plain(exp: Any, node: Any, kinds: Mapping[str, str]) -> bool:
    if isinstance(node, exp.And | exp.Or):
        return _is_plain(exp, node.left, kinds) and _is_plain(exp, node.right, kinds)
    if isinstance(node, exp.Not | exp.Paren):
        return _is_plain(exp, node.this, kinds)
    return isinstance(node.this, exp.Column) and _compares(exp, node, kinds.get(node.this.name.casefold(), ""))


def _compares(exp: Any, node: Any, kind: str) -> bool:
    """Whether a condition on a column of a kind compares it with nothing but constants of that kind."""
    if isinstance(node, exp.Is):
        return isinstance(node.expression, exp.Null)
    if isinstance(node, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return _is_constant(exp, node.expression, kind)
    if isinstance(node, exp.Between):
        return all(_is_constant(exp, node.args[end], kind) for end in ("low", "high"))
    inside = {k for k, v in node.args.items() if v} == {"this", "expressions"}
    return isinstance(node, exp.In) and inside and all(_is_constant(exp, e, kind) for e in node.expressions)


def _is_constant(exp: Any, node: Any, kind: str) -> bool:
    plain = node.this if isinstance(node, exp.Neg) else node
    return isinstance(plain, exp.Literal) and kind == ("text" if plain.is_string else "number")


def _not_aggregate(why: str) -> BadInput:
    return _refused(f"the view gives aggregates alone: {why}")


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
