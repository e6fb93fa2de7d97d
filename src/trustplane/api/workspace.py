"""The workspace itself: is it well?"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter
from sqlalchemy import text

from trustplane import __version__
from trustplane.api.access import PREFIX, PROBLEMS, Asked
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import PLANE
from trustplane.release.shipped import verify_shipped
from trustplane.training.sandboxes.registry import installed_sandboxes, open_sandbox
from trustplane.values.errors import TrustplaneError
from trustplane.values.outcomes import Failed

router = APIRouter(prefix=PREFIX, tags=["workspace"], responses=PROBLEMS)
Check = dict[str, str]


@router.get("/health")
def health() -> dict[str, str]:
    """Whether the application answers."""
    return {"status": "ok", "version": __version__}


@router.get("/doctor")
def doctor(door: Asked) -> dict[str, Any]:
    """Whether the workspace can do its work: database, keys, objects, log, jobs, sandbox."""
    door.may("plane.read", PLANE)
    checks: list[Check] = []
    for name, look in (
        ("database", _database),
        ("keys", _keys),
        ("objects", _objects),
        ("ledger", _ledger),
        ("jobs", _jobs),
        ("policy", _policy),
        ("names", _names),
    ):
        checks.append(_looked(name, look, door.plane))
    checks.extend(_sandboxes())
    return {"checks": checks, "workspace": door.plane.workspace.id, "origin": door.plane.workspace.origin}


def _looked(name: str, look: Callable[[Plane], Check], plane: Plane) -> Check:
    try:
        return {"name": name, **look(plane)}
    except TrustplaneError as error:
        return {"name": name, "status": "failing", "detail": str(error), "fix": error.fix or ""}


def _ok(detail: str) -> Check:
    return {"status": "ok", "detail": detail, "fix": ""}


def _names(_plane: Plane) -> Check:
    held = verify_shipped()
    return _ok(f"the model of names in text is the one that was signed on {held['signed'][:10]}, and its log says so")


def _database(plane: Plane) -> Check:
    with plane.database.read() as session:
        session.execute(text("SELECT 1"))
    return _ok(f"{plane.database.place}")


def _keys(plane: Plane) -> Check:
    for purpose in ("log-signing", "model-signing", "token"):
        plane.system_key(purpose)
    return _ok(f"the root {plane.keystore.current()} opens the plane's keys")


def _objects(plane: Plane) -> Check:
    swept = plane.blobs.sweep()
    return _ok(f"{plane.blobs.url}" + (f"; {swept} half-written objects were swept away" if swept else ""))


def _ledger(plane: Plane) -> Check:
    waiting, newest = plane.ledger.waiting(), plane.ledger.checkpoint()
    size = 0 if newest is None else newest.size
    if waiting > 10_000:
        fix = "see whether the process that integrates is alive: it publishes a checkpoint each second"
        return {"status": "warning", "detail": f"{waiting:,} events wait to be taken into the tree", "fix": fix}
    return _ok(f"{size:,} events are in the signed tree, {waiting} wait")


def _jobs(plane: Plane) -> Check:
    running = [j for j in plane.jobs.list(500) if not j.state.final]
    return _ok(f"{len(running)} jobs wait or run")


def _policy(plane: Plane) -> Check:
    return _ok(f"{len(plane.policy.sources)} texts are in force")


def _sandboxes() -> Iterator[Check]:
    for name in sorted(installed_sandboxes()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unsafe one warns when it is built; here it is told of in words
            sandbox = open_sandbox(name)
        if sandbox.descriptor.unsafe:
            detail = f"{name} holds nothing in; only an owner may use it, with a reason, on record"
            yield {"name": f"sandbox {name}", "status": "warning", "detail": detail, "fix": "use a real sandbox"}
            continue
        match sandbox.capability():
            case Failed() as failed:
                yield {
                    "name": f"sandbox {name}",
                    "status": "failing",
                    "detail": failed.reason,
                    "fix": failed.remedy,
                }
            case passed:
                yield {"name": f"sandbox {name}", **_ok(passed.reason)}
