"""Retention: what has expired is destroyed, what is held is kept."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from trustplane.data.ingestion import ingest
from trustplane.data.retention import (
    expire_version,
    lift_hold,
    overdue,
    place_hold,
    schedule_retention,
    start_expiry,
)
from trustplane.data.storage import has_keys
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.divergence import Kind
from trustplane.values.clock import FixedClock
from trustplane.values.errors import BadInput, Denied, Refused, Unavailable


@pytest.fixture
def steward(cast):
    return cast["data-steward"]


@pytest.fixture
def short(plane, steward, spec, csv):
    """A dataset that is kept for ten days, with a view of it."""
    made = ingest(plane, steward, "credit", replace(spec, retention_days=10), [csv(50)])
    view = ViewSpec("all", "clients", ("age",), spec.purposes[0], timedelta(days=100))
    create_view(plane, steward, "credit", view)
    return made


@pytest.fixture
def later(plane):
    """Move the clock of the plane forward."""

    def move(days):
        plane.clock = FixedClock(plane.clock.now() + timedelta(days=days))

    return move


def run(plane, owner):
    return plane.jobs.wait(start_expiry(plane, owner, "credit"), timeout=60).returned()


def test_what_is_in_time_is_kept(plane, owner, short, later):
    later(9)
    assert run(plane, owner) == {"due": 0, "destroyed": 0}


def test_what_has_expired_is_destroyed_and_a_view_of_it_says_so(plane, owner, steward, short, later):
    later(10)
    objects = {p for p in Path(plane.workspace.blobs).rglob("*") if p.is_file()}
    assert run(plane, owner) == {"due": 1, "destroyed": 1}
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, short.version_id)
        assert not has_keys(session, version)
        assert version.statistics == {}
        assert version.rows == 50
    assert {p for p in Path(plane.workspace.blobs).rglob("*") if p.is_file()} < objects
    with pytest.raises(Unavailable) as told:
        open_view(plane, steward, "credit", "all")
    assert told.value.code == "TP-VAULT-008"
    assert run(plane, owner) == {"due": 0, "destroyed": 0}
    event = next(e for e in plane.ledger.feed(limit=20) if e.leaf.action == "dataset.erase")
    assert event.payload["facts"]["certificate"] == "key-destruction/1"
    plane.ledger.sequencer.integrate()
    # The clock of the test was moved, and the ledger tells; nothing else is wrong.
    assert {d.kind for d in verify(plane).discrepancies} <= {Kind.BACK_DATED}


def test_a_hold_keeps_it_and_lifting_the_hold_lets_it_go(plane, owner, steward, short, later):
    place_hold(plane, steward, "credit", "clients", "a claim is in court")
    later(11)
    assert run(plane, owner) == {"due": 0, "destroyed": 0}
    with pytest.raises(Refused):
        place_hold(plane, steward, "credit", "clients", "again")
    lift_hold(plane, steward, "credit", "clients", "it was settled")
    with pytest.raises(Refused):
        lift_hold(plane, steward, "credit", "clients", "again")
    assert run(plane, owner) == {"due": 1, "destroyed": 1}


def test_a_hold_that_comes_while_expiry_runs_is_heeded(plane, steward, short, later):
    later(11)
    with plane.database.read() as session:
        dataset = session.get_one(Dataset, short.dataset_id)
        [late] = overdue(session, dataset.project_id, plane.clock.now())
    place_hold(plane, steward, "credit", "clients", "just now")
    assert expire_version(plane, PLANE_ACTOR, late.id) is None
    with plane.database.read() as session:
        assert has_keys(session, late)
        assert overdue(session, dataset.project_id, plane.clock.now()) == []


def test_a_hold_says_why(plane, steward, short):
    with pytest.raises(BadInput):
        place_hold(plane, steward, "credit", "clients", "  ")


@pytest.mark.parametrize("role", ["scientist", "reviewer", "operator", "auditor", "consumer"])
def test_others_set_no_hold_and_start_no_expiry(plane, cast, short, role):
    with pytest.raises(Denied):
        place_hold(plane, cast[role], "credit", "clients", "mine")
    with pytest.raises(Denied):
        start_expiry(plane, cast[role], "credit")


def test_it_runs_by_the_calendar(plane, owner, short):
    name = schedule_retention(plane, owner, "credit", "0 4 * * *")
    assert [(s.name, s.cron, s.job) for s in plane.jobs.schedules()] == [(name, "0 4 * * *", "data.expire")]
