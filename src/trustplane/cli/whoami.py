"""``trustplane whoami``."""

import typer

from trustplane.cli.context import connected
from trustplane.cli.output import details, emit, say, table

app = typer.Typer(add_completion=False)


@app.command()
def whoami() -> None:
    """Who the token speaks for, with which roles."""
    with connected() as client:
        who = client.whoami()

    def show() -> None:
        details(who, ["name", "kind", "id", "scopes"])
        say("")
        table(who.roles, [("role", "role"), ("at", "scope_kind"), ("scope", "scope_id")], "no roles")

    emit(who, show)
