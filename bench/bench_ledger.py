"""The ledger, beside raw commits and raw fsyncs of the same disk in the same run."""

import asyncio
import sqlite3
import time
from pathlib import Path

from measure import Figure, best, folder, fsync_rate, options, report
from trustplane.kernel.founding import found
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.ledger.events import Entry, Event, Outcome
from trustplane.kernel.ledger.log import Ledger
from trustplane.kernel.ledger.merkle import inclusion_proof, leaf_hash, verify_inclusion
from trustplane.kernel.ledger.notes import Checkpoint, Signer, sign
from trustplane.kernel.ledger.tiles import FolderTiles, TileHashes, append, read_entries, root
from trustplane.kernel.ledger.verification import Logged, audit
from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings
from trustplane.kernel.target import PLANE
from trustplane.values.clock import SystemClock
from trustplane.values.ids import new_id

PRODUCERS = 64
FACTS = {
    "decision": {"effect": "allow", "policies": ["role-consumer"]},
    "facts": {"rows": 1},
    "refers": {},
    "state": {},
}


def bare_commits(place: Path, seconds: float) -> float:
    """One-row transactions of SQLite, WAL and synchronous=FULL."""
    with sqlite3.connect(place / "bare.sqlite", isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, body BLOB)")
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rows VALUES (?, ?)", (new_id(), bytes(400)))
            connection.execute("COMMIT")
            count += 1
        return count / (time.perf_counter() - start)


def operations(plane: Plane, owner: str, seconds: float) -> float:
    """Operations one by one through the door: a decision, a changed row, its event, one transaction."""
    from trustplane.kernel.identity import principals as people

    actor = plane.stand_in(owner, ("*",))
    project = people.create_project(plane, actor, f"p{new_id()[-12:]}")
    with plane.database.read() as session:
        target = project_target(session.get_one(Project, project))
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        with plane.operation(actor, "project.update", target) as op:
            op.session.get_one(Project, project).description = f"the {count}th"
            op.record(number=count)
        count += 1
    return count / (time.perf_counter() - start)


def openings(plane: Plane, owner: str, seconds: float) -> float:
    """Operations one by one that open something and change no row: a decision and its event, durable before it ends."""
    actor = plane.stand_in(owner, ("*",))
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        with plane.operation(actor, "ledger.export", PLANE) as op:
            op.record(number=count)
        count += 1
    return count / (time.perf_counter() - start)


def event(number: int) -> Event:
    return Event(
        new_id(), SystemClock().now(), f"producer-{number}", "deployment.infer", "Deployment::1", Outcome.DONE, FACTS
    )


def produced(ledger: Ledger, seconds: float) -> tuple[float, float]:
    """Events per second of 64 producers, each waiting for its own acknowledgement; and the 99th percentile of the wait."""
    waits: list[float] = []

    async def producer(number: int, until: float) -> None:
        while (start := time.perf_counter()) < until:
            await ledger.journal.append(Entry.of(event(number)))
            waits.append(time.perf_counter() - start)

    async def all_of_them() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(producer(n, start + seconds) for n in range(PRODUCERS)))
        return time.perf_counter() - start

    import uvloop

    took = uvloop.run(all_of_them())
    waits.sort()
    return len(waits) / took, waits[int(len(waits) * 0.99)]


def in_batches(ledger: Ledger, total: int) -> float:
    """Events per second of a writer that brings many at once, sealing included."""
    events = [event(n) for n in range(total)]
    start = time.perf_counter()
    ledger.journal.append_all([Entry.of(one) for one in events])
    return total / (time.perf_counter() - start)


def proving(place: Path, size: int) -> tuple[float, float]:
    """Seconds of an inclusion proof with its verification from ``size`` entries, and entries a second of a full audit."""
    signer = Signer.from_seed("bench.example/ledger", bytes(32))
    sealed = [event(n).seal() for n in range(1000)]
    store = FolderTiles(place / "tiles")
    append(store, 0, (sealed[n % 1000].leaf for n in range(size)))
    checkpoint = Checkpoint(signer.vkey.name, size, root(store, size))
    note = sign(checkpoint, signer)
    start, times = time.perf_counter(), 100
    for n in range(times):
        index = n * (size // times)
        proof = inclusion_proof(index, size, TileHashes(store, size))
        verify_inclusion(leaf_hash(sealed[index % 1000].leaf), index, size, proof, checkpoint.root)
    proof_seconds = (time.perf_counter() - start) / times
    start = time.perf_counter()
    logged = (
        Logged(entry, sealed[n % 1000].payload, sealed[n % 1000].salt)
        for n, entry in enumerate(read_entries(store, size))
    )
    audit(logged, store, note, [signer.vkey]).require_sound()
    return proof_seconds, size / (time.perf_counter() - start)


def main() -> None:
    settings = options("The ledger, beside raw commits of the same disk.")
    seconds, size = (1.0, 100_000) if settings.quick else (4.0, 1_000_000)
    with folder(settings.folder) as name:
        place = Path(name)
        made = found(place / "plane", "ada", settings=Settings())
        fsyncs = best(lambda: fsync_rate(place))
        with Plane(made.workspace) as plane:
            pairs = [
                (operations(plane, made.owner_id, seconds / 2), bare_commits(place, seconds / 2)) for _ in range(3)
            ]
            one_by_one = max(ours / theirs for ours, theirs in pairs)
            opened = max(
                openings(plane, made.owner_id, seconds / 2) / bare_commits(place, seconds / 2) for _ in range(3)
            )
            rates = [produced(plane.ledger, seconds) for _ in range(3)]
            rate, wait = max(rates)
            batches = best(lambda: in_batches(plane.ledger, 20_000 if settings.quick else 100_000))
        proof, audited = proving(place, size)
    figures = [
        Figure("openings one by one, beside bare commits", opened, "times", 0.4),
        Figure("changes one by one, beside bare commits", one_by_one, "times", 0.4),
        Figure(f"{PRODUCERS} producers, each acknowledged", rate, "per second", 40_000),
        Figure("the 99th percentile of their waits", wait * 1000, "ms", 10, least=False),
        Figure("their rate, beside raw fsyncs", rate / fsyncs, "times", 10),
        Figure("in batches", batches, "per second", 100_000),
        Figure(f"an inclusion proof from {size:,}", proof * 1000, "ms", 5, least=False),
        Figure("a full audit", audited, "per second", 200_000),
    ]
    bare = ", ".join(f"{theirs:,.0f}" for _, theirs in pairs)
    report(figures, settings, disk=f"{fsyncs:,.0f} raw fsyncs and {bare} bare commits per second")


if __name__ == "__main__":
    main()
