"""Two hundred times ``kill -9`` under 64 producers: no acknowledged event is lost, and no checkpoint is ever taken back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from trustplane.kernel.ledger.log import Ledger
from trustplane.kernel.ledger.notes import Signer
from trustplane.kernel.ledger.tables import LedgerEvent
from trustplane.kernel.ledger.verification import Logged, audit
from trustplane.kernel.plugins import load_tables
from trustplane.kernel.store.engine import Database
from trustplane.kernel.store.schema import migrate
from trustplane.values.clock import SystemClock

CRASHER = Path(__file__).with_name("crasher.py")
ORIGIN, SEED = "crash.example/ledger", bytes(range(32))
ROUNDS = 200


@pytest.mark.slow
def test_no_acknowledged_event_is_lost(database_url, tmp_path):
    load_tables()
    database = Database(database_url)
    migrate(database)
    database.close()
    folder = tmp_path / "ledger"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, CRASHER, database_url, folder, tmp_path, str(ROUNDS), "5"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    acknowledged = (tmp_path / "acknowledged").read_text().split()
    seen = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert len(acknowledged) == len({*acknowledged}) > 10 * ROUNDS
    assert len({*seen}) > ROUNDS / 10

    database = Database(database_url)
    ledger = Ledger(database, folder, Signer.from_seed(ORIGIN, SEED), SystemClock())
    size = ledger.sequencer.integrate()
    with database.read() as session:
        rows = session.execute(
            select(LedgerEvent.id, LedgerEvent.leaf, LedgerEvent.payload, LedgerEvent.salt).order_by(
                LedgerEvent.position
            )
        ).all()
    assert {*acknowledged} <= {row.id for row in rows}
    assert size == len(rows)
    report = audit(
        [Logged(row.leaf, row.payload, row.salt) for row in rows],
        ledger.tiles,
        ledger.checkpoint().note,
        [ledger.vkey],
        seen,
    )
    report.require_sound()
    assert report.size == size
    ledger.close()
    database.close()
