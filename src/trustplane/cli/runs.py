"""``trustplane runs``."""

from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import details, emit, note, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at runs.")
Id = Annotated[str, typer.Argument(help="The id of the run.")]


@app.command("list")
def list_() -> None:
    """The runs of the project, the newest first."""
    with working() as (_, project):
        rows = project.runs.list()
    columns = [("run", "id"), ("script", "script"), ("state", "state"), ("author", "author"), ("started", "created")]
    emit({"items": rows}, lambda: table(rows, columns, "no run yet: trustplane run SCRIPT --view VIEW"))


@app.command("show")
def show_(run: Id) -> None:
    """A run, with everything that made it so."""
    with working() as (_, project):
        found = project.runs.get(run)

    def show() -> None:
        details(
            found,
            [
                "id",
                "script",
                "state",
                "ended",
                "author",
                "sandbox",
                "code",
                "git",
                "seed",
                "parameters",
                "created",
                "finished",
            ],
        )
        say("")
        table(
            [{"name": n, **i} for n, i in found.inputs.items()],
            [("view", "name"), ("rows", "rows"), ("object", "digest")],
            "no inputs",
        )
        say("")
        table(
            [{"path": p, **o} for p, o in found.outputs.items()],
            [("output", "path"), ("bytes", "size"), ("sha256", "sha256")],
            "no outputs",
        )
        say("")
        details(found.metrics)

    emit(found, show)


@app.command()
def log(run: Id) -> None:
    """What the script printed."""
    with working() as (_, project):
        said = project.runs.log(run)

    def show() -> None:
        say(said["stdout"].rstrip("\n"))
        if said["stderr"].strip():
            note(said["stderr"].rstrip("\n"))

    emit(said, show)


@app.command()
def fetch(
    run: Id,
    path: Annotated[str, typer.Argument(help="The output.")],
    file: Annotated[Path | None, typer.Argument(help="Where to; its own name without one.")] = None,
) -> None:
    """Fetch an output. That you opened it is recorded."""
    with working() as (_, project):
        out = project.runs.output(run, path, file or Path(Path(path).name))
    emit({"file": str(out)}, lambda: say(f"wrote {out}"))


@app.command()
def scan(
    run: Id,
    path: Annotated[str, typer.Argument(help="The output.")],
) -> None:
    """Judge an output by its content, without loading it. The outcome is recorded."""
    with working() as (_, project):
        found = project.runs.scan(run, path)

    def show() -> None:
        say(f"{found.verdict}: {found.artifact}, {found.format}, {found.sha256}")
        for objection in found.objections:
            at = "" if objection["offset"] is None else f" at byte {objection['offset']:,}"
            say(f"  {objection['rule']}: {objection['message']}{at}")

    emit(found, show)
    if found.verdict != "passed":
        raise typer.Exit(1 if found.verdict == "refused" else 3)


@app.command()
def scans() -> None:
    """The scans of the project's artifacts."""
    with working() as (_, project):
        found = project.runs.scans()
    columns = [
        ("when", "created"),
        ("verdict", "verdict"),
        ("artifact", "artifact"),
        ("format", "format"),
        ("run", "run"),
        ("by", "by"),
    ]
    emit({"items": list(found)}, lambda: table(found, columns, "nothing was scanned yet"))
