"""``trustplane demo``."""

import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from trustplane.cli.context import Usage, settings
from trustplane.cli.demo import steps
from trustplane.cli.demo.cast import gather
from trustplane.cli.demo.story import Story
from trustplane.cli.demo.tampering import tamper
from trustplane.cli.output import emit

app = typer.Typer(add_completion=False)
MARK = ".demo"


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="The workspace that it makes, over an earlier one of its own.")] = Path(
        "demo-workspace"
    ),
) -> None:
    """Run the whole lifecycle on a real table of credit-card clients, then tamper with copies of the workspace.

    It works on SQLite and a local folder, and takes about a minute. Exit code 1 if any step fails or anything goes unnoticed.
    """
    place = Path(settings.workspace) if settings.workspace else folder
    _make_room(place)
    began, story = time.monotonic(), Story()
    story.line("Trustplane: from raw rows to a governed prediction and an auditor's proof")
    cast = gather(place)
    (place / MARK).touch()
    _keep(place / "console-password", cast.password)
    try:
        with TemporaryDirectory() as scratch:
            table = Path(scratch) / "clients.csv"
            steps.data(story, cast, table)
            run = steps.training(story, cast)
            steps.release_candidate(story, cast, run)
            steps.release(story, cast)
            steps.serving(story, cast, table)
        steps.monitoring(story, cast)
        steps.compliance(story, cast, place)
        steps.verification(story, cast, place)
    finally:
        cast.owner.close()
    tamper(story, place, cast.token)
    seconds = round(time.monotonic() - began, 1)
    passed = sum(s.verdict == "passed" for s in story.steps)
    caught = sum(t.caught for t in story.tamperings)
    story.line(f"\n{passed} of 8 steps passed, {caught} of 4 falsifications caught, in {seconds:.0f} seconds")
    story.line(f"the workspace: {place}; look around with: trustplane -w {place} -u auditor ledger list")
    story.line(f"the console: make up, then log in as owner; the password lies in {place / 'console-password'}")
    emit({**story.facts(), "workspace": str(place), "seconds": seconds}, lambda: None)
    if not story.sound:
        raise typer.Exit(1)


def _make_room(place: Path) -> None:
    if not place.exists() or not any(place.iterdir()):
        return
    if not (place / MARK).exists():
        raise Usage(f"{place} holds something else than an earlier demo; name another folder")
    shutil.rmtree(place)


def _keep(file: Path, secret: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(f"{secret}\n")
