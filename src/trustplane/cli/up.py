"""``trustplane up``."""

from typing import Annotated

import typer

from trustplane.cli.context import Usage, settings
from trustplane.cli.output import note
from trustplane.client import embedded
from trustplane.client.connection import locate

app = typer.Typer(add_completion=False)


@app.command()
def up(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8350,
) -> None:
    """Serve the API, the console, the log and the inference gateway until you stop it.

    Put a proxy with TLS in front of any address but this machine's own: tokens travel in a header.
    """
    place = locate(settings.workspace)
    if isinstance(place, str):
        raise Usage("up serves a workspace on this machine; a URL is served already")
    if host not in {"127.0.0.1", "::1", "localhost"}:
        note("this address can be reached from other machines: put a proxy with TLS before it")
    note(
        f"console http://{host}:{port}/console/  API http://{host}:{port}/api/v1/openapi.json  log http://{host}:{port}/log/checkpoint"
    )
    embedded.serve(place, host, port)
