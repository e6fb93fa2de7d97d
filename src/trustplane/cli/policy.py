"""``trustplane policy``."""

from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage, chosen, connected
from trustplane.cli.output import emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Policies: list, explain, test, propose, accept.")


@app.command("list")
def list_() -> None:
    """Every text of policies, built in or proposed."""
    with connected() as client:
        rows = client.policies.list()
    emit({"items": rows}, lambda: table(rows, [("name", "name"), ("state", "state")]))


@app.command("show")
def show_(name: Annotated[str, typer.Argument(help="The name that 'policy list' shows.")]) -> None:
    """The text of policies."""
    with connected() as client:
        found = [r for r in client.policies.list() if r.name in {name, f"{name}.cedar"}]
    emit({"items": found}, lambda: say("\n".join(r.text for r in found)))
    if not found:
        raise typer.Exit(2)


@app.command()
def explain(
    principal: Annotated[str, typer.Argument(help="Who.")],
    action: Annotated[str, typer.Argument(help="What, such as dataset.ingest.")],
    environment: Annotated[str | None, typer.Option(help="In this environment of the project.")] = None,
) -> None:
    """May they do this here, by which policies, and which roles might? Exit code 4 if not.

    trustplane policy explain kim dataset.ingest -p credit
    """
    with connected() as client:
        answer = client.policies.explain(principal, action, project=chosen(client), environment=environment)

    def show() -> None:
        say(f"{action} by {principal}: {'allowed' if answer.decision == 'allow' else 'denied, ' + answer.reason}")
        table(
            answer.policies,
            [("policy", "id"), ("effect", "effect"), ("file", "source"), ("line", "line"), ("advice", "advice")],
            "no policy decides it",
        )
        say(f"roles that would let them do it: {', '.join(answer.own_roles) or 'none'}")
        say(f"roles that would let somebody else do it: {', '.join(answer.other_roles) or 'none'}")
        if answer.assumed:
            say(f"taken for granted: {'; '.join(answer.assumed)}")

    emit(answer, show)
    if answer.decision != "allow":
        raise typer.Exit(4)


@app.command()
def test() -> None:
    """Run the cases beside the policies against all that is in force. Exit code 1 if one fails."""
    with connected() as client:
        result = client.policies.test()

    def show() -> None:
        say(f"{result.passed:,} cases hold, {len(result.failed)} do not")
        if result.failed:
            table(result.failed, [("case", "case"), ("action", "action"), ("why", "why")])

    emit(result, show)
    if result.failed:
        raise typer.Exit(1)


@app.command()
def propose(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    file: Annotated[Path, typer.Argument(help="A file of Cedar policies.", exists=True, dir_okay=False)],
) -> None:
    """Propose policies. They are in force once somebody else accepts them."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise Usage(f"{file} is not text in UTF-8") from None
    with connected() as client:
        made = client.policies.propose(name, text)
    emit(
        made, lambda: say(f"proposed {made.name}; somebody else accepts it with 'trustplane policy accept {made.name}'")
    )


@app.command()
def accept(name: Annotated[str, typer.Argument(help="The name.")]) -> None:
    """Put proposed policies in force."""
    with connected() as client:
        made = client.policies.accept(name)
    emit(made, lambda: say(f"{made.name} is in force"))
