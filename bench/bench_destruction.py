"""Destroying the keys of 100,000 people in one operation, with a certificate and its receipt, beside deleting as many rows bare."""

import sqlite3
import time
from pathlib import Path

from sqlalchemy import select

from measure import Figure, folder, options, report
from planes import plane_with_steward
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.target import Target
from trustplane.kernel.vault.destruction import destroy, settle
from trustplane.kernel.vault.keyring import KeySpec, hold_root, mint, release
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.clock import SystemClock


def bare(place: Path, count: int) -> float:
    """Seconds to blank as many rows of 200 bytes in SQLite, durably."""
    with sqlite3.connect(place / "bare.db") as database:
        database.execute("CREATE TABLE keys (id TEXT PRIMARY KEY, wrapped BLOB)")
        database.executemany("INSERT INTO keys VALUES (?, ?)", ((f"{n:036d}", bytes(200)) for n in range(count)))
        database.commit()
        start = time.perf_counter()
        database.executemany("UPDATE keys SET wrapped = NULL WHERE id = ?", ((f"{n:036d}",) for n in range(count)))
        database.commit()
        return time.perf_counter() - start


def main() -> None:
    settings = options("Destroying the keys of many people.")
    count = 10_000 if settings.quick else 100_000
    with folder(settings.folder) as name, plane_with_steward(Path(name)) as (plane, owner, _):
        with plane.database.read() as session:
            scope = find_project(session, "credit")
        now = SystemClock().now()
        target = Target("Key", scope.key_id, project=scope.id, attributes={"held": False})
        with plane.operation(owner, "key.destroy", target) as op:
            parent = release(op, op.session, plane.keystore, [scope.key_id])[scope.key_id]
            made = [mint(parent, KeySpec("decisions", f"person:{n}", scope.id), now)[0] for n in range(count)]
            op.session.add_all(made)
            op.record(made=count)
        start = time.perf_counter()
        with plane.operation(owner, "key.destroy", target) as op:
            hold_root(op.session)
            doomed = op.session.scalars(select(VaultKey).where(VaultKey.subject.like("person:%"))).all()
            certificate = destroy(op.session, plane.keystore, doomed, "the contract ended", plane.clock.now())
            op.record(**certificate.facts())
        settle(plane.database, plane.keystore)
        spent = time.perf_counter() - start
        assert op.receipt
        assert len(certificate.keys) == count
        floor = bare(Path(name), count)
    figures = [
        Figure(f"destroying {count:,} keys, with receipt", spent, "s", 10, least=False),
        Figure("beside blanking as many rows bare", spent / floor, "times", 50, least=False),
    ]
    report(figures, settings)


if __name__ == "__main__":
    main()
