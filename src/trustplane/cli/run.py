"""``trustplane run``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from trustplane.cli.context import Usage, working
from trustplane.cli.output import details, emit, follow, note, say

app = typer.Typer(add_completion=False)
GIB = 1 << 30


@app.command()
def run(
    script: Annotated[Path, typer.Argument(help="A Python script.")],
    view: Annotated[list[str], typer.Option(help="A view that it may read; may be repeated.")] = [],
    param: Annotated[list[str], typer.Option(help="A parameter, as name=value.")] = [],
    seed: Annotated[int, typer.Option(help="Its seed.")] = 0,
    with_: Annotated[list[Path], typer.Option("--with", help="Another file or folder of code beside it.")] = [],
    memory: Annotated[float | None, typer.Option(help="Memory, in GiB.")] = None,
    time: Annotated[float | None, typer.Option(help="Wall time, in seconds.")] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Hold nothing in; needs the owner role and a reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why without a sandbox.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
) -> None:
    """Run a script in the sandbox: no network, its views read-only, one folder to write to, everything on record.

    The script finds TRUSTPLANE_INPUT (a Parquet file per view), TRUSTPLANE_OUTPUT, TRUSTPLANE_SEED and TRUSTPLANE_PARAMETERS.

    trustplane run train.py --view training --param depth=3 --seed 7
    """
    limits: dict[str, float] = {}
    if memory is not None:
        limits["memory_bytes"] = int(memory * GIB)
    if time is not None:
        limits["wall_seconds"] = time
    with working() as (_, project):
        started = project.runs.start(
            script,
            views=view,
            parameters=dict(_parameter(p) for p in param),
            seed=seed,
            files=with_,
            limits=limits,
            sandbox="unsafe-none" if no_sandbox else None,
            reason=reason,
        )
        if detach:
            emit(started, lambda: say(started.id))
            return
        follow(project.runs.job(started.id), script.name)
        ended = project.runs.get(started.id)
        if ended.state != "done":
            _say_why(project, ended)
    emit(
        ended,
        lambda: details({**ended, "outputs": list(ended.outputs)}, ["id", "state", "ended", "metrics", "outputs"]),
    )
    if ended.state != "done":
        raise typer.Exit(1)


def _say_why(project: Any, ended: Any) -> None:
    if ended.get("ended", "").startswith("TP-"):
        return
    said = project.runs.log(ended.id)
    for name in ("stdout", "stderr"):
        for line in said[name].splitlines()[-15:]:
            note(f"{name}: {line}")


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Usage(f"{text!r} is not of the form name=value")
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    return name, read if isinstance(read, str | int | float | bool) else value
