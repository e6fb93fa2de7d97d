"""``trustplane init``."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import settings
from trustplane.cli.output import emit, say
from trustplane.client import credentials, embedded

app = typer.Typer(add_completion=False)


@app.command()
def init(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where the workspace is made; else what -w or TRUSTPLANE_WORKSPACE names, or 'workspace'."),
    ] = None,
    owner: Annotated[str, typer.Option(help="The name of the first owner.")] = "",
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password, to log in to the console with.")
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring the workspace that is there to this version instead.")
    ] = False,
) -> None:
    """Make a workspace: keys, database, log, and a first owner.

    The owner's token is kept in the workspace, readable by you alone. A password comes from the prompt or from
    TRUSTPLANE_PASSWORD, never from the command line.
    """
    place = folder or Path(settings.workspace or os.environ.get("TRUSTPLANE_WORKSPACE") or "workspace")
    if upgrade:
        done = embedded.upgrade(place)
        emit(done, lambda: say(f"the workspace {place} has the schema {done['after']} (before: {done['before']})"))
        return
    name = owner or _name()
    secret = os.environ.get("TRUSTPLANE_PASSWORD") or (getpass.getpass(f"Password of {name}: ") if password else None)
    made = embedded.found(place, name, secret)
    file = credentials.save(place.resolve(), name, made["token"])

    def show() -> None:
        say(f"made the workspace {place} (log {made['origin']})")
        say(f"you are its owner, {name}; your token lies in {file}")
        say(f"next: trustplane -w {place} project create NAME, or trustplane -w {place} up")

    emit({"workspace": str(place), "origin": made["origin"], "owner": name, "owner_id": made["owner_id"]}, show)


def _name() -> str:
    """The user's name on this machine, where it can be a name here; else ``owner``."""
    kept = "".join(c for c in getpass.getuser().lower() if c.isalnum() and c.isascii())
    return kept or "owner"
