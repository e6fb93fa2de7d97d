"""Turning tokens of a protected table back: an operation of its own, with a right of its own and a reason."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trustplane.data.catalog import dataset_target, find_dataset, find_version
from trustplane.data.project_keys import find_project_key
from trustplane.data.transforms.contract import Reversible
from trustplane.data.transforms.registry import make_transform
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.vault.keyring import release
from trustplane.values.errors import BadInput, Refused, nearest

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

MOST = 1_000


def reveal(
    plane: "Plane", actor: "Actor", project: str, dataset: str, column: str, made: Sequence[str], reason: str
) -> list[str]:
    """What stands behind values of a column of the newest version, in their order; on durable record, with the reason, before it leaves."""
    if not 1 <= len(made) <= MOST:
        raise BadInput("TP-DATA-134", f"1 to {MOST:,} values are revealed at once")
    if not reason.strip():
        raise BadInput("TP-DATA-134", "a reason is needed")
    with plane.database.read() as session:
        scope = find_project(session, project)
        row = find_dataset(session, scope.id, dataset)
        version = find_version(session, row)
        target = dataset_target(session, row)
        if column not in version.classes:
            raise BadInput(
                "TP-DATA-033", f"there is no column {column[:80]!r}", why=nearest(column, list(version.classes))
            )
        said = version.proposals.get(column, {}).get("made")
        key_id = find_project_key(session, scope.id, "token")
    with plane.operation(actor, "dataset.reveal", target) as op:
        transform: object = None if said is None else make_transform(said["do"], said["options"])
        if not isinstance(transform, Reversible):
            raise Refused("TP-DATA-133", f"no step that can be turned back made the column {column[:80]!r}")
        if key_id is None:
            raise Refused("TP-DATA-133", "the key of the tokens was destroyed: nobody can turn them back")
        with plane.database.read() as session:
            keys = {"token": release(op, session, plane.keystore, [key_id])[key_id]}
        values = [transform.reveal(each, keys) for each in made]
        op.record(version=version.id, column=column, revealed=len(values), reason=reason.strip()[:500])
    return values
