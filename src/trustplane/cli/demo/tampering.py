"""Four attempts to falsify a copy of the workspace, by somebody who holds its files and its database."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from trustplane.cli.demo.story import Story
from trustplane.client.connection import connect

Falsify = Callable[[Path], str]
"""Changes a workspace; returns a word that the finding must hold."""


def tamper(story: Story, workspace: Path, token: str) -> None:
    """Falsify four copies, and verify each."""
    story.line("\nTampering with copies of the workspace")
    for what, falsify in (
        ("one recorded event is rewritten in the database", _event),
        ("one byte of the model is changed", _model),
        ("one byte of the dataset's Parquet file is changed", _table),
        ("the row of the approval is deleted", _row),
    ):
        with TemporaryDirectory(dir=workspace.parent, prefix=".tampered-") as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(workspace, copy)
            marks = falsify(copy)
            with connect(copy, token=token) as client:
                report = client.ledger.verify()
            named = [
                d
                for d in report.discrepancies
                if marks in f"{d['index']} {d['kind']} {d.get('where', '')} {d['detail']}"
            ]
            story.tampered(what, None if report.sound or not named else _words(named[0]))


def _words(discrepancy: dict[str, object]) -> str:
    at = "" if discrepancy.get("index") is None else f" at entry {discrepancy['index']}"
    return f"{discrepancy['kind']}{at}: {discrepancy['detail']}"


def _event(copy: Path) -> str:
    with closing(sqlite3.connect(copy / "state.sqlite")) as database, database:
        position, payload = database.execute(
            "SELECT position, payload FROM ledger_events WHERE payload IS NOT NULL ORDER BY position LIMIT 1 OFFSET 9"
        ).fetchone()
        database.execute(
            "UPDATE ledger_events SET payload = ? WHERE position = ?",
            (bytes(payload).replace(b"allow", b"ALLOW"), position),
        )
    return str(position)


def _model(copy: Path) -> str:
    with closing(sqlite3.connect(copy / "state.sqlite")) as database:
        version, digest = database.execute("SELECT id, blob FROM model_versions").fetchone()
    _flip(copy, digest)
    return f"model-version:{version}"


def _table(copy: Path) -> str:
    with closing(sqlite3.connect(copy / "state.sqlite")) as database:
        version, digest = database.execute("SELECT id, digest FROM dataset_versions").fetchone()
    _flip(copy, digest)
    return f"dataset-version:{version}"


def _row(copy: Path) -> str:
    with closing(sqlite3.connect(copy / "state.sqlite")) as database, database:
        (approval,) = database.execute("SELECT id FROM approvals").fetchone()
        database.execute("DELETE FROM approvals WHERE id = ?", (approval,))
    return f"approvals:{approval}"


def _flip(copy: Path, digest: str) -> None:
    name = digest.removeprefix("sha256:")
    path = copy / "blobs" / "sha256" / name[:2] / name[2:]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
