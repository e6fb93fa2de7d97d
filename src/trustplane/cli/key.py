"""``trustplane key``."""

from typing import Annotated

import typer

from trustplane.cli.context import connected, settings
from trustplane.cli.output import emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Keys: list, rotate, destroy.")


@app.command("list")
def list_() -> None:
    """What each key protects, and whether it still can; of one project with -p."""
    with connected() as client:
        rows = client.keys.list(settings.project)
    columns = [("key", "id"), ("purpose", "purpose"), ("class", "class"), ("protects", "subject"), ("state", "state")]
    emit({"items": rows}, lambda: table(rows, columns))


@app.command()
def rotate() -> None:
    """Put every key under a new root. Data is not touched."""
    with connected() as client:
        made = client.keys.rotate()
    emit(made, lambda: say(f"the root is now {made.root}; make a new backup of the key file"))


@app.command()
def destroy(
    key: Annotated[str, typer.Argument(help="The id of the key.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy a key and all below it: what they protect can never be read again."""
    if not yes and not typer.confirm(f"What the key {key} protects can never be read again. Destroy it?"):
        raise typer.Exit(1)
    with connected() as client:
        made = client.keys.destroy(key, reason=reason)
    emit(made, lambda: say(f"destroyed {len(made['keys'])} keys of {', '.join(made.subjects)}"))
