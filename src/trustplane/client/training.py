"""Runs, and what a working tree says of itself."""

import base64
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trustplane.client.jobs import Job
from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment
from trustplane.values.errors import BadInput


class Runs:
    """The runs of a project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/runs"

    def list(self) -> Records:
        """Every run that you may see, the newest first."""
        return Records(map(Record, self._wire.pages(self._at)))

    def get(self, run: str) -> Record:
        """A run, with everything that made it so."""
        return Record(self._wire.get(f"{self._at}/{segment(run)}"))

    def start(
        self,
        script: str | Path,
        *,
        views: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        seed: int = 0,
        files: Sequence[str | Path] = (),
        **said: Any,
    ) -> Record:
        """Start a script in the sandbox. ``files`` are others that it needs, beside it or below its folder.

        ``said`` may hold ``limits``, ``sandbox`` and ``reason``.
        """
        path = Path(script)
        if not path.is_file():
            raise BadInput("TP-CLIENT-005", f"there is no file {path}")
        body = {
            "script": path.name,
            "files": {name: base64.b64encode(data).decode() for name, data in _gather(path, files).items()},
            "views": list(views),
            "parameters": dict(parameters or {}),
            "seed": seed,
            "git": git_state(path.resolve().parent),
            **{k: v for k, v in said.items() if v is not None},
        }
        return Record(self._wire.post(self._at, body))

    def job(self, run: str) -> Job:
        """The job of a run."""
        return Job(self._wire, self.get(run).job)

    def output(self, run: str, path: str, target: str | Path) -> Path:
        """Fetch an output into a file."""
        inside = "/".join(segment(part) for part in path.split("/"))
        return self._wire.fetch(f"{self._at}/{segment(run)}/outputs/{inside}", target)

    def scan(self, run: str, artifact: str) -> Record:
        """Have an output judged by its content, without loading it: format, verdict, and what speaks against it."""
        return Record(self._wire.post(f"{self._at}/{segment(run)}/scans", {"artifact": artifact}))

    def scans(self) -> Records:
        """Every scan that you may see, the newest first."""
        return Records(map(Record, self._wire.get(self._at.removesuffix("/runs") + "/scans")["items"]))

    def log(self, run: str) -> dict[str, str]:
        """What the script printed: ``stdout`` and ``stderr``."""
        said: dict[str, str] = json.loads(self._wire.text(f"{self._at}/{segment(run)}/outputs/log"))
        return said


def _gather(script: Path, others: Sequence[str | Path]) -> dict[str, bytes]:
    base = script.resolve().parent
    files = {script.name: script.read_bytes()}
    for other in map(Path, others):
        if not other.exists():
            raise BadInput("TP-CLIENT-005", f"there is no file {other}")
        for path in sorted(other.rglob("*")) if other.is_dir() else [other]:
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            resolved = path.resolve()
            if not resolved.is_relative_to(base):
                raise BadInput("TP-RUN-011", f"{path} does not lie below the script's folder")
            files[str(resolved.relative_to(base))] = resolved.read_bytes()
    return files


def git_state(folder: Path) -> dict[str, Any] | None:
    """The commit of the working tree in ``folder``, and whether it has changes; None where there is none."""

    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603 - fixed words
                ["git", "-C", str(folder), *words],  # noqa: S607 - git is found as the user has it
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    if not commit:
        return None
    return {"commit": commit, "dirty": bool(ask("status", "--porcelain"))}
