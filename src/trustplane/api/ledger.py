"""The ledger: events, receipts, verification, export; and the public log."""

import re
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Paged, listed, names_of, plane_of
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.log import Recorded
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import PLANE
from trustplane.values.digests import CHUNK
from trustplane.values.errors import NotFound

router = APIRouter(prefix=PREFIX, tags=["ledger"], responses=PROBLEMS)
log = APIRouter(prefix="/log", tags=["log"], responses=PROBLEMS)
_TILE = re.compile(r"tile/([0-9]{1,2}|entries)/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[0-9]{1,3})?\Z")
_SEEN = "seen.jsonl"


@router.get("/ledger/events")
def events(
    door: Asked,
    page: Paged,
    action: Annotated[str | None, Query(max_length=64)] = None,
    resource: Annotated[str | None, Query(max_length=200)] = None,
    actor: Annotated[str | None, Query(max_length=64)] = None,
    outcome: Annotated[str | None, Query(max_length=16)] = None,
) -> dict[str, Any]:
    """Events, the newest first. A page may be short where a filter leaves events out; go on while ``next`` is there."""
    door.may("ledger.read", PLANE)
    found = door.plane.ledger.feed(before=page.cursor, resource=resource, limit=page.limit)
    wanted = [
        e
        for e in found
        if action in (None, e.leaf.action) and actor in (None, e.leaf.actor) and outcome in (None, e.leaf.outcome)
    ]
    with door.plane.database.read() as session:
        names = names_of(session)
    following = found[-1].leaf.id if len(found) == page.limit else None
    return listed([_event(e, names) for e in wanted], following)


@router.get("/ledger/events/{event}")
def event(event: str, door: Asked) -> dict[str, Any]:
    """An event with its payload; that the payload is the recorded one was checked against the commitment in its leaf."""
    door.may("ledger.read", PLANE)
    found = door.plane.ledger.get(event)
    return {
        "id": event,
        "leaf": msgspec.to_builtins(found.leaf),
        "position": found.position,
        "payload": found.payload,
        "commitment": "erased" if found.payload is None else "opens",
    }


@router.get("/ledger/events/{event}/receipt", response_class=PlainTextResponse)
def receipt(event: str, door: Asked) -> str:
    """The proof that the event is in the signed log (c2sp.org/tlog-proof)."""
    door.may("ledger.read", PLANE)
    return door.plane.ledger.receipt(event)


@router.get("/ledger/checkpoint", response_class=PlainTextResponse)
def checkpoint(door: Asked) -> str:
    """The newest signed checkpoint."""
    door.may("ledger.read", PLANE)
    return _newest(door.plane)


@router.get("/ledger/vkey", response_class=PlainTextResponse)
def vkey(door: Asked) -> str:
    """The key that verifies the log's checkpoints. Keep it apart from the log."""
    door.may("ledger.read", PLANE)
    return f"{door.plane.ledger.vkey}\n"


@router.post("/ledger/verify")
def verify_ledger(door: Asked) -> dict[str, Any]:
    """Recompute the whole log and compare the database and the objects with it."""
    door.may("ledger.read", PLANE)
    report = verify(door.plane, door.plane.workspace.folder / _SEEN)
    return {
        "size": report.size,
        "root": report.root.hex(),
        "sound": not report.discrepancies,
        "discrepancies": [msgspec.to_builtins(d) for d in report.discrepancies],
    }


@router.get("/ledger/export", response_class=StreamingResponse)
def export(door: Asked) -> StreamingResponse:
    """The log as a tar of a folder that ``verify_log.py`` checks. The export is recorded."""
    with door.plane.operation(door.actor, "ledger.export", PLANE) as op:
        newest = door.plane.ledger.checkpoint()
        op.record(size=0 if newest is None else newest.size)
    return StreamingResponse(_exported(door.plane), media_type="application/x-tar")


def _exported(plane: Plane) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(dir=plane.workspace.folder) as folder:
        target = Path(folder) / "ledger"
        target.mkdir()
        plane.ledger.export(target)
        with tempfile.TemporaryFile(dir=plane.workspace.folder) as packed:
            with tarfile.open(fileobj=packed, mode="w") as tar:
                tar.add(target, "ledger")
            packed.seek(0)
            yield from iter(lambda: packed.read(CHUNK), b"")


def _event(found: Recorded, names: dict[str, str]) -> dict[str, Any]:
    payload = found.payload or {}
    return {
        **msgspec.to_builtins(found.leaf),
        "actor_name": names.get(found.leaf.actor, found.leaf.actor),
        "position": found.position,
        "decision": payload.get("decision", {}),
        "facts": payload.get("facts", {}),
    }


# --- the public log: leaves hold no more than commitments, so anybody may read it


@log.get("/checkpoint", response_class=PlainTextResponse)
def public_checkpoint(plane: Annotated[Plane, Depends(plane_of)]) -> Response:
    """The newest signed checkpoint (c2sp.org/tlog-checkpoint)."""
    return PlainTextResponse(_newest(plane), headers={"Cache-Control": "no-cache"})


@log.get("/tile/{path:path}", response_class=Response)
def tile(path: str, plane: Annotated[Plane, Depends(plane_of)]) -> Response:
    """A tile or an entry bundle (c2sp.org/tlog-tiles)."""
    name = f"tile/{path}"
    data = plane.ledger.tiles.read(name) if _TILE.match(name) else None
    if data is None:
        raise NotFound("TP-LEDGER-040", "the log has no such tile")
    fixed = "public, max-age=31536000, immutable" if ".p/" not in path else "public, max-age=60"
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": fixed})


def _newest(plane: Plane) -> str:
    newest = plane.ledger.checkpoint()
    if newest is None:
        plane.ledger.sequencer.integrate()
        newest = plane.ledger.checkpoint()
    if newest is None:
        raise NotFound("TP-LEDGER-040", "the log has no checkpoint yet")
    return newest.note
