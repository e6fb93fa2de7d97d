"""What a run prints, while it runs: read from the folder in which it is executed, and from what was kept once it has ended."""

import codecs
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.training.logged import regular
from trustplane.training.runs import LOG, find_run, run_target, scratch_of, subject_of
from trustplane.training.tables import Run

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

STREAMS = ("stdout", "stderr")
LOOK = 0.25
"""Seconds between two looks at a run that is followed."""
_CHUNK = 64 << 10


@dataclass(frozen=True, slots=True)
class Said:
    """A part of what a script printed, on ``stdout`` or ``stderr``."""

    stream: str
    text: str


SILENCE = Said("", "")
"""Said now and then while a run prints nothing, so that whoever waits sees that the connection lives."""
_QUIET = 60  # so many looks without a word are a silence


@dataclass(slots=True)
class _Tail:
    """One stream of a run that is executed: its file stays open, so that its end is read also after the folder was removed."""

    name: str
    file: BinaryIO | None = None
    decoder: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))

    def read(self, stack: ExitStack, folder: Path) -> Iterator[Said]:
        if self.file is None:
            self.file = stack.enter_context(regular(folder / f"{self.name}.log"))
        while self.file is not None and (data := self.file.read(_CHUNK)):
            if text := self.decoder.decode(data):
                yield Said(self.name, text)


def follow_log(
    plane: "Plane", actor: "Actor", project: str, run_id: str, pause: Callable[[float], None] = time.sleep
) -> Iterator[Said]:
    """What a run has printed and prints until it ends. That it was opened is on durable record before the first word leaves.

    A run that is executed on another machine shows what it printed when it has ended.
    """
    with plane.database.read() as session:
        row = find_run(session, find_project(session, project).id, run_id)
    with plane.operation(actor, "run.open", run_target(row)) as op:
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [row.key_id])[row.key_id]
        op.record(output=LOG, live=row.state == "queued")

    def parts() -> Iterator[Said]:
        seen = False
        for said in _live(plane, run_id, pause):
            seen = seen or said is not SILENCE
            yield said
        if not seen:
            kept = _now(plane, run_id).log_blob
            if kept is not None:
                whole = msgspec.json.decode(
                    b"".join(unseal(plane.blobs, key, kept, subject_of(run_id))), type=dict[str, str]
                )
                yield from (Said(name, whole[name]) for name in STREAMS if whole[name])

    return parts()


def _live(plane: "Plane", run_id: str, pause: Callable[[float], None]) -> Iterator[Said]:
    folder = scratch_of(plane, run_id) / "logs"
    tails = [_Tail(name) for name in STREAMS]
    with ExitStack() as stack:
        quiet = 0
        while _now(plane, run_id).state == "queued":
            quiet += 1
            for tail in tails:
                for said in tail.read(stack, folder):
                    quiet = 0
                    yield said
            if quiet and quiet % _QUIET == 0:
                yield SILENCE
            pause(LOOK)
        if any(tail.file is not None for tail in tails):  # else what was kept tells all of it
            for tail in tails:
                yield from tail.read(stack, folder)


def _now(plane: "Plane", run_id: str) -> Run:
    with plane.database.read() as session:
        return session.get_one(Run, run_id)
