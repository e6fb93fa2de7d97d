"""``trustplane plugins``."""

from importlib.metadata import entry_points

import typer

from trustplane.cli.output import emit, table

app = typer.Typer(add_completion=False)
KINDS = (
    "recognisers",
    "readers",
    "sandboxes",
    "attacks",
    "checks",
    "formats",
    "runtimes",
    "keystores",
    "controls",
    "frameworks",
)


@app.command()
def plugins() -> None:
    """The installed plug-ins of every kind, built in or a stranger's."""
    rows = [
        {
            "kind": kind,
            "name": entry.name,
            "module": entry.value,
            "package": "" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}",
        }
        for kind in KINDS
        for entry in sorted(entry_points(group=f"trustplane.{kind}"), key=lambda e: e.name)
    ]
    emit(
        {"items": rows},
        lambda: table(rows, [("kind", "kind"), ("name", "name"), ("module", "module"), ("package", "package")]),
    )
