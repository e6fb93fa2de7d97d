"""``trustplane explain``."""

from dataclasses import asdict
from typing import Annotated

import typer

from trustplane.cli.context import Usage
from trustplane.cli.output import emit, say
from trustplane.values.errors import catalogue, nearest

app = typer.Typer(add_completion=False)


@app.command()
def explain(code: Annotated[str, typer.Argument(help="A code such as TP-DATA-003.")]) -> None:
    """What an error code means, and what to do."""
    entry = catalogue().get(code.upper())
    if entry is None:
        raise Usage(f"there is no error code {code!r}", nearest(code.upper(), list(catalogue())))

    def show() -> None:
        say(f"{entry.code} {entry.title}")
        say(f"  {entry.meaning}")
        say(f"  to do: {entry.fix}")
        say(f"  HTTP status {entry.status}, exit code {entry.exit}")

    emit(asdict(entry), show)
