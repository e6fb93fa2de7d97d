"""Answers on stdout, progress and errors on stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unicodedata import category

from trustplane.cli.context import settings
from trustplane.values.errors import TrustplaneError

if TYPE_CHECKING:
    from trustplane.client.jobs import Job

SCHEMA = "trustplane/1"
_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WIDE = 400
"""Columns of a table that goes to a file or a pipe: nothing in it is folded."""
Column = tuple[str, Any]
"""A heading, and the member or function that gives the cell."""


def emit(facts: Any, show: Callable[[], None]) -> None:
    """Answer with facts: as JSON where that is asked for, else as ``show`` does."""
    if settings.json:
        body = {"schema": SCHEMA, **facts} if isinstance(facts, Mapping) else {"schema": SCHEMA, "items": list(facts)}
        sys.stdout.write(json.dumps(body, default=_plain, ensure_ascii=False) + "\n")
    else:
        show()


def say(text: str) -> None:
    """A line of the answer."""
    if not settings.json:
        sys.stdout.write(f"{tame(text)}\n")


def note(text: str) -> None:
    """A line beside the answer."""
    sys.stderr.write(f"{tame(text)}\n")


def tame(text: str, but: str = "\n\t") -> str:
    """Text with its control characters written out, so that no name, reason or log can steer the terminal of whoever reads it.

    Also those that turn the direction of writing (Unicode Technical Report 36, 2.6), and halves of characters.
    """
    if text.isprintable():
        return text
    return "".join(ascii(c)[1:-1] if c not in but and (c in _TURNING or category(c) in _STEERING) else c for c in text)


def table(rows: Iterable[Any], columns: Sequence[Column], empty: str = "nothing") -> None:
    """Rows as a table, as wide as the terminal allows."""
    from rich.console import Console
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading, _ in columns:
        made.add_column(tame(heading, but=""), overflow="fold")
    count = 0
    for row in rows:
        made.add_row(*(shown(c(row) if callable(c) else row.get(c)) for _, c in columns))
        count += 1
    if not count:
        say(empty)
        return
    # What stands in a cell is not ours: it is no markup.
    Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE).print(made)


def details(facts: Mapping[str, Any], names: Sequence[str] = ()) -> None:
    """Facts, one a line."""
    chosen = names or [n for n, v in facts.items() if not isinstance(v, dict | list)]
    width = max((len(n) for n in chosen), default=0)
    for name in chosen:
        say(f"{name.replace('_', ' '):<{width}}  {shown(facts.get(name))}")


def shown(value: Any) -> str:
    """A value in a cell."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case float():
            text = f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:,.4g}"
        case int():
            text = f"{value:,}"
        case list() | tuple():
            text = ", ".join(shown(v) for v in value)
        case dict():
            text = ", ".join(f"{k}={shown(v)}" for k, v in value.items())
        case _:
            text = str(value)
            text = text.replace("T", " ")[:19] if _is_moment(text) else text
    return tame(text, but="")


def _is_moment(text: str) -> bool:
    return len(text) >= 20 and text[4:5] == "-" and text[10:11] == "T" and text.endswith("Z")


def fail(error: TrustplaneError) -> int:
    """Tell an error, and return its exit code."""
    if settings.json:
        sys.stderr.write(json.dumps({"schema": SCHEMA, "error": error.problem()}, default=_plain) + "\n")
        return error.exit
    lines = [f"{error.code} {error.what}"]
    if error.why:
        lines.append(f"  why: {error.why}")
    for held in error.facts.get("blocking", []) if isinstance(error.facts.get("blocking"), list) else []:
        if isinstance(held, Mapping):
            lines.append(f"  {held.get('control')} {held.get('status')}: {held.get('reason')}")
            if held.get("remedy"):
                lines.append(f"    to do: {held.get('remedy')}")
    if error.fix:
        lines.append(f"  to do: {error.fix}")
    lines.append(f"  more: trustplane explain {error.code}")
    note("\n".join(lines))
    return error.exit


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on stderr; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(tame(label, but=""), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def follow(job: "Job", label: str) -> Any:
    """Show the progress of a job until its end, and return its result."""
    with bar(label) as told:
        last = ""
        for step in job.follow():
            told(step.done, step.total)
            if step.message and step.message != last and not sys.stderr.isatty():
                note(f"{label}: {step.message}")
            last = step.message
    return job.wait()


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
