"""``trustplane logout``."""

import typer

from trustplane.cli.context import connected, settings
from trustplane.cli.output import emit, say
from trustplane.client import credentials

app = typer.Typer(add_completion=False)


@app.command()
def logout() -> None:
    """Revoke the token that this machine keeps, and forget it."""
    with connected() as client:
        client.log_out()
        credentials.forget(client.target, settings.user)
    emit({"logged_out": True}, lambda: say("logged out"))
