"""``trustplane user``."""

import getpass
import os
from typing import Annotated

import typer

from trustplane.cli.context import connected, settings
from trustplane.cli.output import details, emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Users, services and roles.")
Name = Annotated[str, typer.Argument(help="The name of the user or service.")]


@app.command("list")
def list_() -> None:
    """Everybody that you may see."""
    with connected() as client:
        rows = client.users.list()
    emit(
        {"items": rows},
        lambda: table(rows, [("name", "name"), ("kind", "kind"), ("disabled", "disabled"), ("made", "created")]),
    )


@app.command()
def create(
    name: Name,
    service: Annotated[bool, typer.Option("--service", help="A service.")] = False,
    owner: Annotated[str | None, typer.Option(help="Who answers for the service; you, without one.")] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password, to log in with.")] = False,
) -> None:
    """Make a user or a service. A password comes from the prompt or from TRUSTPLANE_NEW_PASSWORD."""
    secret = os.environ.get("TRUSTPLANE_NEW_PASSWORD") or (
        getpass.getpass(f"Password for {name}: ") if password else None
    )
    with connected() as client:
        made = client.users.create(name, kind="service" if service else "user", password=secret, owner=owner)
    emit(made, lambda: details(made, ["name", "kind", "id"]))


@app.command()
def disable(name: Name) -> None:
    """Accept nothing of theirs any more, from now on."""
    with connected() as client:
        made = client.users.disable(name)
    emit(made, lambda: say(f"{name} is disabled"))


@app.command()
def grant(
    name: Name,
    role: Annotated[
        str, typer.Argument(help="owner, data-steward, scientist, reviewer, operator, auditor or consumer.")
    ],
    environment: Annotated[str | None, typer.Option(help="In this environment of the project alone.")] = None,
) -> None:
    """Give a role: in the project where -p names one, else at the whole plane."""
    with connected() as client:
        made = client.users.grant(name, role, project=settings.project, environment=environment)
    emit(made, lambda: say(f"{name} is {role} at the {made.scope_kind} {made.scope_id} (binding {made.id})"))


@app.command()
def revoke(binding: Annotated[str, typer.Argument(help="The id that 'user roles' shows.")]) -> None:
    """Take a role back."""
    with connected() as client:
        client.users.revoke(binding)
    emit({"revoked": binding}, lambda: say("taken back"))


@app.command()
def roles(name: Annotated[str | None, typer.Argument(help="Of this user or service alone.")] = None) -> None:
    """Which roles are given to whom."""
    with connected() as client:
        rows = client.users.bindings(name)
    emit(
        {"items": rows},
        lambda: table(
            rows,
            [("who", "principal"), ("role", "role"), ("at", "scope_kind"), ("scope", "scope_id"), ("binding", "id")],
        ),
    )
