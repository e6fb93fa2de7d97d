"""``trustplane login``."""

import getpass
import os
import sys
from typing import Annotated

import typer

from trustplane.cli.context import connected
from trustplane.cli.output import emit, say
from trustplane.client import credentials

app = typer.Typer(add_completion=False)


@app.command()
def login(
    name: Annotated[str, typer.Argument(help="Your name on the plane.")],
    token: Annotated[bool, typer.Option("--token", help="Read a token from stdin in place of a password.")] = False,
) -> None:
    """Log in, and keep the token in a file that you alone can read.

    The password comes from the prompt, or from TRUSTPLANE_PASSWORD.
    """
    with connected() as client:
        if token:
            secret = sys.stdin.readline().strip()
        else:
            password = os.environ.get("TRUSTPLANE_PASSWORD") or getpass.getpass(f"Password of {name}: ")
            secret = client.log_in(name, password).token
        who = client.as_user(secret).whoami()
        file = credentials.save(client.target, who.name, secret)
    emit({"name": who.name, "id": who.id}, lambda: say(f"logged in as {who.name}; the token lies in {file}"))
