"""``trustplane token``."""

from typing import Annotated

import typer

from trustplane.cli.context import connected
from trustplane.cli.output import emit, note, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Tokens.")


@app.command()
def issue(
    name: Annotated[str, typer.Argument(help="For whom: yourself, or a service that you answer for.")],
    scope: Annotated[list[str], typer.Option(help="An action or pattern that it reaches, such as 'dataset.*'.")] = [
        "*"
    ],
    days: Annotated[float, typer.Option(help="How long it lives.")] = 90,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Issue a token. It is shown once and kept nowhere."""
    with connected() as client:
        made = client.users.issue_token(name, label=label, scopes=scope, days=days)

    def show() -> None:
        say(made.token)
        note(f"the token {made.id} lives for {days:g} days; this is the only time that it is shown")

    emit(made, show)


@app.command("list")
def list_(name: Annotated[str, typer.Argument(help="Whose.")]) -> None:
    """The tokens and sessions of a user or service."""
    with connected() as client:
        rows = client.users.tokens(name)
    emit(
        {"items": rows},
        lambda: table(
            rows,
            [
                ("token", "id"),
                ("kind", "kind"),
                ("label", "label"),
                ("scopes", "scopes"),
                ("expires", "expires"),
                ("revoked", "revoked"),
                ("last used", "last_used"),
            ],
        ),
    )


@app.command()
def revoke(token: Annotated[str, typer.Argument(help="The id of the token, not its secret.")]) -> None:
    """Revoke a token: it is accepted no more."""
    with connected() as client:
        client.users.revoke_token(token)
    emit({"revoked": token}, lambda: say("revoked"))
