"""Row filters of views: a small closed language, parsed and never executed.

``age >= 18 and (country in ["SE", "NO"] or not is_null(score))``. Comparisons, ``in``, ``and``, ``or``, ``not`` and ``is_null`` on columns
and constants; ``col("odd name")`` names a column that is no identifier.
"""

import ast
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trustplane.values.errors import BadInput, nearest

LONGEST = 2000
_DEEPEST = 20
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}


def columns_of(text: str, schema: Any) -> tuple[str, ...]:
    """The columns that a filter looks at; raise :class:`BadInput` where it is not one for tables of ``schema``."""
    if not text:
        return ()
    parser = _Parser(schema)
    expression = parser.parse(text)
    try:
        pa.Table.from_batches([], schema).filter(expression)
    except (pa.ArrowException, TypeError):
        raise _bad("a column is compared with a value of another type") from None
    return tuple(dict.fromkeys(parser.columns))


def compile_filter(text: str, schema: Any) -> Any:
    """The filter as an Arrow expression."""
    return _Parser(schema).parse(text)


class _Parser:
    def __init__(self, schema: Any) -> None:
        self._names = list(schema.names)
        self.columns: list[str] = []

    def parse(self, text: str) -> Any:
        if len(text) > LONGEST:
            raise _bad(f"it is longer than {LONGEST} characters")
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise _bad("it cannot be read") from None
        return self._condition(tree.body, 0)

    def _condition(self, node: ast.expr, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _bad(f"it is nested more than {_DEEPEST} deep")
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = [self._condition(v, depth + 1) for v in values]
                whole = parts[0]
                for part in parts[1:]:
                    whole = whole & part if isinstance(op, ast.And) else whole | part
                return whole
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self._condition(operand, depth + 1)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self._comparison(left, ops, rights)
            case ast.Call(func=ast.Name(id="is_null"), args=[column], keywords=[]):
                return self._column(column).is_null()
            case _:
                raise _bad(f"{type(node).__name__} is no condition")

    def _comparison(self, left: ast.expr, ops: list[ast.cmpop], rights: list[ast.expr]) -> Any:
        whole = None
        for op, right in zip(ops, rights, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                part = self._column(left).isin(_values(right))
                part = ~part if isinstance(op, ast.NotIn) else part
            elif type(op) in _COMPARISONS:
                part = _COMPARISONS[type(op)](self._operand(left), self._operand(right))
            else:
                raise _bad(f"{type(op).__name__} is no comparison")
            whole = part if whole is None else whole & part
            left = right
        return whole

    def _operand(self, node: ast.expr) -> Any:
        constant = _constant(node)
        return self._column(node) if constant is None else pc.scalar(constant)

    def _column(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                pass
            case ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str() as name)], keywords=[]):
                pass
            case _:
                raise _bad(f"{type(node).__name__} is neither a column nor a constant")
        if name not in self._names:
            raise BadInput("TP-DATA-033", f"there is no column {name[:80]!r}", why=nearest(name, self._names))
        self.columns.append(name)
        return pc.field(name)


def _constant(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return None


def _values(node: ast.expr) -> list[Any]:
    if isinstance(node, ast.List | ast.Tuple):
        values = [_constant(each) for each in node.elts]
        if values and None not in values:
            return values
    raise _bad("'in' needs a list of constants")


def _bad(why: str) -> BadInput:
    return BadInput("TP-DATA-032", "the row filter is not usable", why=why)
