"""``trustplane scan``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from trustplane.cli.context import settings
from trustplane.cli.output import emit, note, say
from trustplane.client.embedded import sarif as as_sarif
from trustplane.client.embedded import scanned

app = typer.Typer(add_completion=False, no_args_is_help=True)
_SHOWN = 5


@app.command()
def scan(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    sarif: Annotated[Path | None, typer.Option(help="Write the outcome as SARIF 2.1.0 here.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every objection, and files that pass.")] = False,
) -> None:
    """Judge files by their content, without loading them. Nothing is sent or kept, and no workspace is needed.

    Exit codes: 0 nothing speaks against any file, 1 a file is refused, 2 usage, 3 a file could not be checked.

    trustplane scan model.pkl models/ --sarif scan.sarif
    """

    def show(item: dict[str, Any]) -> None:
        if settings.json or (item["verdict"] == "passed" and not (every or len(paths) == 1)):
            return
        say(f"{item['verdict']:<11} {item['path']}  ({item['format']})")
        for objection in item["objections"][: None if every else _SHOWN]:
            place = f" of {'!'.join(objection['place'])}" if objection["place"] else ""
            at = f" at byte {objection['offset']:,}" if objection["offset"] is not None else ""
            say(f"  {objection['rule']}: {objection['message']}{at}{place}")
        if not every and len(item["objections"]) > _SHOWN:
            say(f"  and {len(item['objections']) - _SHOWN} more; see them with --all")
        if item["verdict"] == "passed" and item["loads_code"]:
            say(
                f"  a pickle: it builds objects by {len(item['globals'])} names, all of which its libraries need; convert it before you "
                f"pass it on: trustplane model convert {item['path']}"
            )

    outcome = scanned(paths, show)
    if sarif is not None:
        sarif.write_text(json.dumps(as_sarif(outcome["items"]), indent=2) + "\n", "utf-8")
        note(f"wrote {sarif}")
    counts = f"{outcome['passed']} passed, {outcome['refused']} refused, {outcome['not_checked']} could not be checked"
    emit(outcome, lambda: say(counts))
    if outcome["refused"] or outcome["not_checked"]:
        raise typer.Exit(1 if outcome["refused"] else 3)
