"""What a conversion is given: its source, and what the source's run left beside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.identity.tables import Project
from trustplane.training.conversion.beside import BESIDE, CARRIED
from trustplane.training.runs import find_run, open_output
from trustplane.training.tables import Run
from trustplane.values.digests import Digest, sha256_file
from trustplane.values.errors import Refused

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

RUN, ARTIFACT, SHA256 = "source_run", "artifact", "source_sha256"
"""Parameters of a conversion whose source is an output of another run."""
THROUGH = "through"
"""In the inputs of a conversion: the run whose views these were. The conversion itself did not open them."""


def carried_inputs(plane: "Plane", row: Run, own: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a conversion: views that it opened itself, and those whose rows went into its source."""
    source = row.parameters.get(RUN)
    if not source:
        return own
    with plane.database.read() as session:
        held = find_run(session, row.project_id, source).inputs
    carried = {
        name if name not in own else f"{name}@{source[-8:]}": {**said, THROUGH: source} for name, said in held.items()
    }
    return {**carried, **own}


def write_source(plane: "Plane", actor: Actor, row: Run, code: Path, views: Path, cause: str) -> None:
    """Write the source where the runner looks for it, and what its run left beside the folder of the views; each opening is recorded."""
    source = row.parameters.get(RUN)
    if not source:
        return
    with plane.database.read() as session:
        project = session.get_one(Project, row.project_id).name
        outputs = dict(find_run(session, row.project_id, source).outputs)
    artifact = row.parameters[ARTIFACT]
    _write(plane, actor, project, source, artifact, code / row.script, cause)
    if not _digest(code / row.script) == row.parameters[SHA256] == outputs[artifact]["sha256"]:
        raise Refused("TP-RUN-061", "the source of the conversion is not the file that was scanned")
    folder = views / BESIDE
    folder.mkdir(mode=0o700)
    for name in CARRIED:
        if name in outputs:
            _write(plane, actor, project, source, name, folder / name, cause)


def _write(plane: "Plane", actor: Actor, project: str, run: str, output: str, path: Path, cause: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for chunk in open_output(plane, actor, project, run, output, cause=cause):
            file.write(chunk)


def _digest(path: Path) -> Digest:
    with path.open("rb") as file:
        return sha256_file(file)
