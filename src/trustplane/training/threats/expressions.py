"""The language of relations and derived features: arithmetic, comparison and logic over the features of a row, and nothing else.

::

    truth   = truth "implies" truth | truth "or" truth | truth "and" truth | "not" truth | number (< <= == != >= >) number ...
    number  = 12.5 | feature | "a feature with blanks" | - number | number (+ - * /) number | number ** number
            | min(number, ...) | max(number, ...) | abs(number) | floor(number) | ceil(number)

Python's parser reads it; a tree of three kinds of nodes comes out, and whatever else Python knows is refused. Nothing is ever evaluated as Python.
"""

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS, MOST_DEPTH = 4000, 40
CALLS = {"min": (2, 99), "max": (2, 99), "abs": (1, 1), "floor": (1, 1), "ceil": (1, 1), "implies": (2, 2)}
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=", ast.GtE: ">=", ast.Gt: ">"}
COMPARISONS = frozenset(_COMPARISONS.values())
LOGIC = frozenset({"and", "or", "not", "implies"})
_BEFORE_A_CALL = frozenset({"", "(", ",", "and", "or", "not", "implies"})
"""What stands before ``implies(a, b)``; before the word between two truths stands the end of one."""
_WORD = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_]\w*|.""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a feature."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation on others; ``op`` is as it is written."""

    op: str
    args: tuple["Expression", ...]


Expression = Number | Name | Apply


class Ungrammatical(ValueError):
    """The text is no expression of the language; the message says where it leaves it."""


def parse_truth(text: str) -> Expression:
    """A relation; raise :class:`Ungrammatical`."""
    found = _parse(text)
    if not is_truth(found):
        raise Ungrammatical("it is a number; a relation compares, as in 'a <= b'")
    return found


def parse_number(text: str) -> Expression:
    """A derived value; raise :class:`Ungrammatical`."""
    found = _parse(text)
    if is_truth(found):
        raise Ungrammatical("it is true or false; a derived feature is a number")
    return found


def is_truth(expression: Expression) -> bool:
    """Whether it is true or false rather than a number."""
    return isinstance(expression, Apply) and (expression.op in COMPARISONS or expression.op in LOGIC)


def names_in(expression: Expression) -> Iterator[str]:
    """The features that it speaks of, each as often as it does."""
    if isinstance(expression, Name):
        yield expression.name
    elif isinstance(expression, Apply):
        for arg in expression.args:
            yield from names_in(arg)


def _parse(text: str) -> Expression:
    if len(text) > MOST_CHARACTERS:
        raise Ungrammatical(f"it is longer than {MOST_CHARACTERS} characters")
    parts = _implications(text)
    found = [_read(p) for p in parts]
    result = found[-1]
    for premise in reversed(found[:-1]):
        result = _apply("implies", (premise, result))
    return result


def _implications(text: str) -> list[str]:
    """The parts between the words ``implies`` that stand outside of brackets; it binds the weakest, to the right."""
    parts, depth = [""], 0
    words = _WORD.findall(text)
    for place, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        before = next((w for w in reversed(words[:place]) if not w.isspace()), "")
        if word == "implies" and depth == 0 and before not in _BEFORE_A_CALL:
            parts.append("")
        else:
            parts[-1] += word
    return parts


def _read(text: str) -> Expression:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Ungrammatical(f"{text.strip()[:80]!r} is no expression") from None
    return _node(tree.body, 0)


def _node(node: ast.expr, depth: int) -> Expression:
    if depth > MOST_DEPTH:
        raise Ungrammatical("it is nested too deeply")
    found = _leaf(node) or _logic(node, depth) or _arithmetic(node, depth)
    if found is None:
        raise Ungrammatical(f"{ast.unparse(node)[:80]!r} is not part of the language of relations")
    return found


def _leaf(node: ast.expr) -> Expression | None:
    match node:
        case ast.Constant(value=bool()):
            raise Ungrammatical("it holds True or False; compare instead")
        case ast.Constant(value=int() | float() as value) if math.isfinite(value):
            return Number(float(value))
        case ast.Constant(value=str() as name) | ast.Name(id=name):
            return Name(name)
    return None


def _arithmetic(node: ast.expr, depth: int) -> Expression | None:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _apply("negative", (_node(operand, depth + 1),))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _apply(_BINARY[type(op)], (_node(left, depth + 1), _node(right, depth + 1)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in CALLS:
            least, most = CALLS[name]
            if not least <= len(args) <= most:
                raise Ungrammatical(f"{name} takes {least if least == most else f'{least} or more'} values")
            return _apply(name, tuple(_node(a, depth + 1) for a in args))
    return None


def _logic(node: ast.expr, depth: int) -> Expression | None:
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _apply("not", (_node(operand, depth + 1),))
        case ast.BoolOp(op=op, values=values):
            name = "and" if isinstance(op, ast.And) else "or"
            return _apply(name, tuple(_node(v, depth + 1) for v in values))
        case ast.Compare():
            return _comparison(node, depth)
    return None


def _comparison(node: ast.Compare, depth: int) -> Expression:
    sides = [_node(s, depth + 1) for s in (node.left, *node.comparators)]
    found: list[Expression] = []
    for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
        if type(op) not in _COMPARISONS:
            raise Ungrammatical("'in' and 'is' are not part of the language of relations")
        found.append(_apply(_COMPARISONS[type(op)], (left, right)))
    return found[0] if len(found) == 1 else Apply("and", tuple(found))


def _apply(op: str, args: tuple[Expression, ...]) -> Expression:
    wanted = op in LOGIC
    if any(is_truth(a) != wanted for a in args):
        raise Ungrammatical(f"{op!r} takes {'what is true or false' if wanted else 'numbers'}")
    return Apply(op, args)
