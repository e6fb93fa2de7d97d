"""Runs, and what a working tree says of itself."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trustplane.client.functions import source_of
from trustplane.client.jobs import Job
from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment
from trustplane.values.errors import BadInput


class Runs:
    """The runs of a project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._project = f"/projects/{segment(project)}"
        self._at = f"{self._project}/runs"

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
        """Start a script or a notebook in the sandbox. ``files`` are others that it needs, beside it or below its folder.

        ``said`` may hold ``profile``, ``limits``, ``sandbox`` and ``reason``.
        """
        path = Path(script)
        inputs = {"views": list(views), "parameters": dict(parameters or {}), "seed": seed}
        return Record(self._wire.post(self._at, {**script_body(path, files), **inputs, **_given(said)}))

    def train(
        self,
        function: Callable[..., Any],
        *,
        views: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        seed: int = 0,
        **said: Any,
    ) -> Record:
        """Start a function in the sandbox. It is sent as source, with the modules beside it that it imports; nothing is pickled.

        It is called with the parameters by name, and with those of ``views`` (a mapping of names to Parquet files), ``output`` (the folder
        for what it leaves) and ``seed`` that it asks for. What it returns, a mapping of numbers or nothing, becomes its metrics.
        """
        sent = source_of(function)
        body = {
            "kind": "callable",
            "script": sent.script,
            "entry": sent.entry,
            "files": {name: base64.b64encode(data).decode() for name, data in sent.files.items()},
            "git": git_state(sent.folder),
        }
        inputs = {"views": list(views), "parameters": dict(parameters or {}), "seed": seed}
        return Record(self._wire.post(self._at, {**body, **inputs, **_given(said)}))

    def manifest(self, script: str | Path, *, files: Sequence[str | Path] = (), **said: Any) -> str:
        """A script or a notebook as a Kubernetes Job with the limits of its profile, as YAML. Nothing is started.

        ``said`` holds ``image`` (by digest), and may hold ``namespace``, ``name``, ``claim``, ``views``, ``parameters``, ``seed``, ``profile``
        and ``limits``.
        """
        body = {**script_body(Path(script), files), **_given(said)}
        with self._wire.asked(f"{self._project}/run-manifest", body) as answer:
            answer.read()
            return answer.text

    def cancel(self, run: str) -> Record:
        """Take a run back: its script is ended, and the run has failed."""
        return Record(self._wire.post(f"{self._at}/{segment(run)}/cancel"))

    def verify(self, run: str, tolerance: float = 0.0) -> Record:
        """Run it again as it was; the repetition is a run of its own, whose ``comparison`` says what differs once it has ended."""
        return Record(self._wire.post(f"{self._at}/{segment(run)}/verify", {"tolerance": tolerance}))

    def series(self, run: str) -> dict[str, dict[str, Any]]:
        """The metrics that a run logged, by step: for each ``steps``, ``values`` and ``times``."""
        found: dict[str, dict[str, Any]] = self._wire.get(f"{self._at}/{segment(run)}/series")["series"]
        return found

    def usage(self) -> Record:
        """What the runs of the project used: ``total``, and ``authors``."""
        return Record(self._wire.get(f"{self._project}/run-usage"))

    def profiles(self) -> Records:
        """The profiles of the sandbox."""
        return Records(map(Record, self._wire.get("/run-profiles")["items"]))

    def follow(self, run: str) -> Iterator[Record]:
        """What a run prints, from its beginning until it ends: ``stream`` and ``text``."""
        with self._wire.stream(f"{self._at}/{segment(run)}/log") as answer:
            for line in answer.iter_lines():
                if line:  # an empty one says that the run prints nothing
                    yield Record(json.loads(line))

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


def script_body(path: Path, files: Sequence[str | Path]) -> dict[str, Any]:
    """A script or a notebook with its files, as the API takes it."""
    if not path.is_file():
        raise BadInput("TP-CLIENT-005", f"there is no file {path}")
    return {
        "kind": "notebook" if path.suffix == ".ipynb" else "script",
        "script": path.name,
        "files": {name: base64.b64encode(data).decode() for name, data in _gather(path, files).items()},
        "git": git_state(path.resolve().parent),
    }


def _given(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


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
