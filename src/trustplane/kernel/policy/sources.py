"""Policy texts: the built-in ones, and finding the line that a problem is about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)
_PREAMBLE = re.compile(r"(?:\s|//[^\n]*(?:\n|\Z))*")


@dataclass(frozen=True, slots=True)
class Source:
    """A text of policies and the name that problems in it are reported under."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One policy of a source, and the line (from 1) on which it begins."""

    source: str
    line: int
    text: str


def statements(source: Source) -> Iterator[Statement]:
    """The policies of a source, in order; each ends at a semicolon outside strings and comments."""
    start = 0
    for token in _TOKEN.finditer(source.text):
        if token.group() == ";":
            yield from _statement(source, start, token.end())
            start = token.end()
    yield from _statement(source, start, len(source.text))


def _statement(source: Source, start: int, end: int) -> Iterator[Statement]:
    preamble = _PREAMBLE.match(source.text, start, end)
    begin = preamble.end() if preamble else start
    if begin < end:
        yield Statement(source.name, source.text.count("\n", 0, begin) + 1, source.text[begin:end])


@cache
def schema_text() -> str:
    """The built-in Cedar schema."""
    return _rules().joinpath("schema.cedarschema").read_text("utf-8")


@cache
def builtin_sources() -> tuple[Source, ...]:
    """The built-in policies, one source per file, by name."""
    return tuple(sorted(_walk(_rules(), "rules"), key=lambda source: source.name))


def _walk(folder: Traversable, name: str) -> Iterator[Source]:
    for entry in folder.iterdir():
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, path)
        elif entry.name.endswith(".cedar"):
            yield Source(path, entry.read_text("utf-8"))


def _rules() -> Traversable:
    return files("trustplane.kernel.policy").joinpath("rules")
