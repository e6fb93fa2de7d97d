"""What a person is called in tables that a recipe made: the pseudonyms and tokens of what they are called themselves."""

from collections.abc import Callable, Sequence

import pyarrow as pa
from sqlalchemy.orm import Session

from trustplane.data.blind_index import Identifier
from trustplane.data.project_keys import find_project_key
from trustplane.data.tables import DatasetVersion
from trustplane.data.transforms.registry import make_transform
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import release
from trustplane.values.errors import BadInput

PURPOSES = ("pseudonym", "token")
Others = Callable[[DatasetVersion, Sequence[Identifier]], list[Identifier]]


def other_names(op: Operation, session: Session, project_id: str, versions: Sequence[DatasetVersion]) -> Others:
    """Tells what somebody is called in a version. Where a key was destroyed, its names are nobody's any more and none is told."""
    made = {v.id: {c: p["made"] for c, p in v.proposals.items() if "made" in p} for v in versions}
    ids = {p: find_project_key(session, project_id, p) for p in PURPOSES} if any(made.values()) else {}
    released = release(op, session, op.plane.keystore, [key for key in ids.values() if key])
    keys = {purpose: released[key] for purpose, key in ids.items() if key}

    def told(version: DatasetVersion, identifiers: Sequence[Identifier]) -> list[Identifier]:
        found = []
        for column, said in made[version.id].items():
            transform = make_transform(said["do"], said["options"])
            if not transform.needs <= set(keys):
                continue
            for each in identifiers:
                if each.column not in (None, column):
                    continue
                try:
                    [name] = transform.apply(pa.array([each.value], pa.string()), keys).to_pylist()
                except BadInput:  # the value does not fit the step, so the step never saw it
                    continue
                found.append(Identifier(name, column))
        return found

    return told
