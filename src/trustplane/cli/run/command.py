"""``trustplane run``: start runs, look at them, follow, cancel and verify them."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trustplane.cli.context import Usage, working
from trustplane.cli.output import details, emit, follow, note, say, table
from trustplane.cli.run.asked import asked_limits, parameters_of
from trustplane.cli.run.shown import say_why, show_comparison, show_run, show_usage


class ScriptOrVerb(TyperGroup):
    """``run train.py`` is short for ``run start train.py``: what is no verb and looks like a file is a script."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = next((a for a in args if not a.startswith("-")), "")
        if first and first not in self.commands and (Path(first).suffix in {".py", ".ipynb"} or Path(first).is_file()):
            args = ["start", *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest


app = typer.Typer(
    cls=ScriptOrVerb,
    add_completion=False,
    no_args_is_help=True,
    help="Runs: start one with 'trustplane run SCRIPT', and look at them.",
)
Id = Annotated[str, typer.Argument(help="The id of the run.")]
Script = Annotated[Path, typer.Argument(help="A Python script or a notebook.")]
Views = Annotated[list[str], typer.Option(help="A view that it may read; may be repeated.")]
Params = Annotated[list[str], typer.Option(help="A parameter, as name=value.")]
Seed = Annotated[int, typer.Option(help="Its seed.")]
With = Annotated[list[Path], typer.Option("--with", help="Another file or folder of code beside it.")]
Profile = Annotated[str, typer.Option(help="The most that it may use: strict, research or gpu.")]
Memory = Annotated[float | None, typer.Option(help="Less memory than the profile gives, in GiB.")]
Time = Annotated[float | None, typer.Option(help="Less wall time than the profile gives, in seconds.")]


@app.command()
def start(
    script: Script,
    view: Views = [],
    param: Params = [],
    seed: Seed = 0,
    with_: With = [],
    profile: Profile = "strict",
    memory: Memory = None,
    time: Time = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Hold nothing in; needs the owner role and a reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why without a sandbox.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
) -> None:
    """Run a script or a notebook in the sandbox: no network, its views read-only, one folder to write to, everything on record.

    It finds TRUSTPLANE_INPUT (a Parquet file per view), TRUSTPLANE_OUTPUT, TRUSTPLANE_SEED and TRUSTPLANE_PARAMETERS; a notebook gets the
    parameters as a cell of their own.

    trustplane run train.py --view training --param depth=3 --seed 7
    """
    with working() as (_, project):
        started = project.runs.start(
            script,
            views=view,
            parameters=parameters_of(param),
            seed=seed,
            files=with_,
            profile=profile,
            limits=asked_limits(memory, time),
            sandbox="unsafe-none" if no_sandbox else None,
            reason=reason,
        )
        if detach:
            emit(started, lambda: say(started.id))
            return
        follow(project.runs.job(started.id), script.name)
        ended = project.runs.get(started.id)
        if ended.state != "done":
            say_why(project, ended)
    emit(
        ended,
        lambda: details({**ended, "outputs": list(ended.outputs)}, ["id", "state", "ended", "metrics", "outputs"]),
    )
    if ended.state != "done":
        raise typer.Exit(1)


@app.command("list")
def list_() -> None:
    """The runs of the project, the newest first."""
    with working() as (_, project):
        rows = project.runs.list()
    columns = [
        ("run", "id"),
        ("script", "script"),
        ("state", "state"),
        ("author", "author"),
        ("started", "created"),
        ("seconds", lambda r: r.used.get("wall_seconds")),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "no run yet: trustplane run SCRIPT --view VIEW"))


@app.command("show")
def show_(run: Id) -> None:
    """A run, with everything that made it so: what it used, its figures and their curves, its outputs, its repetitions."""
    with working() as (_, project):
        found = project.runs.get(run)
        series = project.runs.series(run) if found.series else {}
    emit({**found, "points": series}, lambda: show_run(found, series))


@app.command()
def logs(run: Id, go_on: Annotated[bool, typer.Option("--follow", "-f", help="Until it ends.")] = False) -> None:
    """What the script printed. That you opened it is recorded."""
    with working() as (_, project):
        if go_on:
            for part in project.runs.follow(run):
                emit(part, partial(_print, part.stream, part.text))
            return
        said = project.runs.log(run)
    emit(said, lambda: _print_all(said))


app.command("log", hidden=True)(logs)


def _print_all(said: dict[str, str]) -> None:
    for name in ("stdout", "stderr"):
        if said[name].strip():
            _print(name, said[name])


def _print(stream: str, text: str) -> None:
    (note if stream == "stderr" else say)(text.rstrip("\n"))


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
def cancel(run: Id) -> None:
    """End a run: its script is killed, and it has failed."""
    with working() as (_, project):
        found = project.runs.cancel(run)
    emit(found, lambda: say(f"{run} is {found.state}"))


@app.command()
def verify(
    run: Id,
    tolerance: Annotated[float, typer.Option(help="How far metrics may lie apart, as a share of the first.")] = 0.0,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
) -> None:
    """Run it again as it was, and say what differs: outputs by digest, metrics, the environment."""
    with working() as (_, project):
        again = project.runs.verify(run, tolerance)
        if detach:
            emit(again, lambda: say(again.id))
            return
        follow(project.runs.job(again.id), f"repeating {run[-12:]}")
        ended = project.runs.get(again.id)
    compared = ended.comparison or {}
    verdict = compared.get("verdict", f"failed: {ended.ended}")
    facts = {"repetition": ended.id, "verdict": verdict, **{k: v for k, v in compared.items() if k != "verdict"}}
    emit(facts, lambda: show_comparison(run, facts))
    if verdict not in {"identical", "alike"}:
        raise typer.Exit(1)


@app.command()
def usage() -> None:
    """What the runs of the project used, in all and by author."""
    with working() as (_, project):
        found = project.runs.usage()
    emit(found, lambda: show_usage(found))


@app.command()
def profiles() -> None:
    """The profiles of the sandbox: the most that a run may use."""
    with working() as (_, project):
        rows = project.runs.profiles()
    columns = [
        ("profile", "name"),
        ("GiB", lambda r: r.memory_bytes / (1 << 30)),
        ("hours", lambda r: r.wall_seconds / 3600),
        ("processes", "processes"),
        ("cards", "cards"),
        ("for", "title"),
    ]
    emit({"items": rows}, lambda: table(rows, columns))


@app.command()
def manifest(
    script: Script,
    image: Annotated[str, typer.Option(help="The image, as name@sha256:...")] = "",
    view: Views = [],
    param: Params = [],
    seed: Seed = 0,
    with_: With = [],
    profile: Profile = "strict",
    memory: Memory = None,
    time: Time = None,
    namespace: Annotated[str | None, typer.Option(help="The namespace.")] = None,
    name: Annotated[str | None, typer.Option(help="The name of the Job.")] = None,
    claim: Annotated[str | None, typer.Option(help="The volume claim with the views' Parquet files.")] = None,
) -> None:
    """The run as a Kubernetes Job with the same limits, as YAML; nothing is started."""
    if not image:
        raise Usage("a manifest needs --image")
    with working() as (_, project):
        text = project.runs.manifest(
            script,
            files=with_,
            image=image,
            views=view,
            parameters=parameters_of(param),
            seed=seed,
            profile=profile,
            limits=asked_limits(memory, time),
            namespace=namespace,
            name=name,
            claim=claim,
        )
    emit({"manifest": text}, lambda: say(text.rstrip("\n")))


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
