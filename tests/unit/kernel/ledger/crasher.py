"""Rounds of writing that end in ``kill -9``. Run as a script: URL FOLDER OUT ROUNDS SEED.

In each round a child process opens the ledger and lets 64 producers append, each waiting for its own acknowledgement, which it tells the
parent; the parent kills it after a random while. After each round the published files must hold by themselves. What was acknowledged goes
to OUT/acknowledged, the checkpoints that were seen go to OUT/seen.jsonl.
"""

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from trustplane.kernel.ledger.events import Entry, Event, Outcome
from trustplane.kernel.ledger.log import Ledger
from trustplane.kernel.ledger.notes import Signer, open_checkpoint
from trustplane.kernel.ledger.tiles import FolderTiles, root
from trustplane.kernel.plugins import load_tables
from trustplane.kernel.store.engine import Database
from trustplane.values.clock import SystemClock
from trustplane.values.ids import new_id

PRODUCERS = 64
ORIGIN = "crash.example/ledger"
SEED = bytes(range(32))


def produce(url, folder, pipe):
    """The child: append until killed."""
    database = Database(url)
    ledger = Ledger(database, folder, Signer.from_seed(ORIGIN, SEED), SystemClock())
    ledger.start()
    os.write(pipe, b"ready\n")

    async def producer(number):
        while True:
            one = Event(
                new_id(), SystemClock().now(), f"producer-{number}", "view.read", "View::1", Outcome.DONE, {"facts": {}}
            )
            await ledger.journal.append(Entry.of(one))
            os.write(pipe, f"{one.id}\n".encode())  # shorter than PIPE_BUF, so it is one piece

    async def run():
        await asyncio.gather(*(producer(number) for number in range(PRODUCERS)))

    asyncio.run(run())


def one_round(url, folder, rng):
    """Fork, let it write, kill it; return the ids that it told of."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            produce(url, folder, writer)
        finally:
            os._exit(1)
    os.close(writer)
    told = bytearray()
    until = None
    while True:
        left = None if until is None else max(0.0, until - time.monotonic())
        if until is not None and left == 0.0:
            os.kill(child, signal.SIGKILL)
        if select.select([reader], [], [], left)[0]:
            data = os.read(reader, 1 << 16)
            if not data:
                break
            told += data
            if until is None:
                until = time.monotonic() + rng.choice((0.002, 0.02, 0.1, 0.4)) * rng.random()
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise SystemExit(f"the child ended by itself: {status}")
    first, *ids = told.decode().splitlines()
    if first != "ready":
        raise SystemExit("the child did not begin")
    return ids


def judge(folder, seen):
    """The published checkpoint is signed, and the tiles make up its root, with nothing repaired."""
    files = FolderTiles(folder)
    note = files.read("checkpoint")
    if note is None:
        return
    checkpoint = open_checkpoint(note.decode(), [Signer.from_seed(ORIGIN, SEED).vkey])
    if root(files, checkpoint.size) != checkpoint.root:
        raise SystemExit(f"the tiles do not make up the root at {checkpoint.size}")
    seen.write(json.dumps(note.decode()) + "\n")


def warm(url, folder):
    """Do once in the parent what each child would do anew: import the driver, configure the mappers."""
    database = Database(url)
    ledger = Ledger(database, folder, Signer.from_seed(ORIGIN, SEED), SystemClock())
    one = Event(new_id(), SystemClock().now(), "producer", "view.read", "View::1", Outcome.DONE, {"facts": {}})
    ledger.append(one)
    ledger.close()
    database.close()


def main(url, folder, out, rounds, seed):
    load_tables()
    warm(url, Path(folder))
    rng = random.Random(int(seed))
    with (Path(out) / "acknowledged").open("w") as acknowledged, (Path(out) / "seen.jsonl").open("w") as seen:
        for _ in range(int(rounds)):
            acknowledged.writelines(f"{one}\n" for one in one_round(url, Path(folder), rng))
            judge(Path(folder), seen)


if __name__ == "__main__":
    main(*sys.argv[1:])
