"""``trustplane ledger``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from trustplane.cli.context import connected
from trustplane.cli.output import details, emit, note, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The ledger: list, show, prove, verify, export.")
Event = Annotated[str, typer.Argument(help="The id of the event.")]


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="How many.")] = 30,
    action: Annotated[str | None, typer.Option(help="Of this action alone.")] = None,
    outcome: Annotated[str | None, typer.Option(help="done, denied, refused or failed.")] = None,
    resource: Annotated[str | None, typer.Option(help="About this resource alone, as Type::id.")] = None,
) -> None:
    """Events, the newest first."""
    found: list[Any] = []
    cursor: str | None = None
    with connected() as client:
        while len(found) < limit:
            page = client.ledger.events(min(limit, 500), cursor, action=action, outcome=outcome, resource=resource)
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
    rows = found[:limit]
    columns = [
        ("#", "position"),
        ("time", "time"),
        ("who", "actor_name"),
        ("action", "action"),
        ("outcome", "outcome"),
        ("by", lambda e: e["decision"].get("policies", [])),
        ("event", "id"),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "no event"))


@app.command("show")
def show_(event: Event) -> None:
    """An event with its payload, which is checked against the commitment in the log."""
    with connected() as client:
        found = client.ledger.show(event)

    def show() -> None:
        details(found.leaf)
        say(f"place in the tree: {found.position if found.position is not None else 'not taken in yet'}")
        opens = "the payload is the recorded one" if found.commitment == "opens" else "the payload was erased"
        say(f"commitment: {opens}")
        say(json.dumps(found.payload, indent=2, ensure_ascii=False))

    emit(found, show)


@app.command()
def prove(
    event: Event,
    file: Annotated[Path | None, typer.Option("--out", "-o", help="Write it here; stdout without one.")] = None,
) -> None:
    """The receipt of an event: a proof that verify_log.py --receipt checks."""
    with connected() as client:
        receipt = client.ledger.prove(event)
    if file is None:
        emit({"receipt": receipt}, lambda: say(receipt.rstrip("\n")))
    else:
        file.write_text(receipt, "utf-8")
        emit({"file": str(file)}, lambda: say(f"wrote {file}"))


@app.command()
def verify() -> None:
    """Recompute the whole log, and compare the database and the objects with it. Exit code 1 if anything is wrong."""
    note("recomputing the log")
    with connected() as client:
        report = client.ledger.verify()

    def show() -> None:
        say(f"{report['size']:,} events, root {report['root']}")
        if report["sound"]:
            say("everything holds: the tree, the commitments, the rows of the database, the objects")
        else:
            table(report["discrepancies"], [("what", "kind"), ("entry", "index"), ("detail", "detail")])

    emit(report, show)
    if not report["sound"]:
        raise typer.Exit(1)


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="The folder to write.")]) -> None:
    """Write the log as a folder that verify_log.py checks on a machine without Trustplane."""
    with connected() as client:
        out = client.ledger.export(folder)
    emit({"folder": str(out)}, lambda: say(f"wrote {out}; check it with: python verify_log.py {out} --vkey FILE"))


@app.command()
def checkpoint() -> None:
    """The newest signed checkpoint."""
    with connected() as client:
        text = client.ledger.checkpoint()
    emit({"checkpoint": text}, lambda: say(text.rstrip("\n")))


@app.command()
def vkey() -> None:
    """The key that verifies checkpoints. Keep it apart from the log."""
    with connected() as client:
        text = client.ledger.vkey()
    emit({"vkey": text.strip()}, lambda: say(text.strip()))
