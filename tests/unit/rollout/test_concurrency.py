"""Two deployments at once: one takes the name, the other takes its place, and never are both active."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import select

from trustplane.kernel.identity.principals import create_environment
from trustplane.rollout import deployments
from trustplane.rollout.deployments import deploy
from trustplane.serving.tables import Deployment
from trustplane.values.errors import Conflict


@pytest.fixture
def at_once(monkeypatch):
    """Hold each deployment, once it knows whether its name is free, until the other knows it too or cannot."""
    both, made = Barrier(2), deployments.mint

    def held(*said):
        with suppress(BrokenBarrierError):
            both.wait(1)
        return made(*said)

    monkeypatch.setattr(deployments, "mint", held)

    def run(*calls):
        with ThreadPoolExecutor(2) as threads:
            return [future.exception() or future.result() for future in [threads.submit(*call) for call in calls]]

    return run


def active(plane):
    with plane.database.read() as session:
        return list(session.scalars(select(Deployment).where(Deployment.status == "active")))


def test_in_one_environment_the_later_replaces_the_earlier(plane, cast, ready, at_once):
    said = (deploy, plane, cast["scientist"], "credit", "staging", "risk")
    made = at_once(said, said)
    assert len({each[0] for each in made}) == 2
    (row,) = active(plane)
    assert row.id in {each[0] for each in made}


def test_in_two_environments_the_later_finds_the_name_taken(plane, cast, ready, at_once):
    deployments_of = [
        (deploy, plane, cast["scientist"], "credit", place, "risk", 1, "x") for place in ("staging", "trial")
    ]
    create_environment(plane, cast["owner"], "credit", "trial")
    made = at_once(*deployments_of)
    (refused,) = [each for each in made if isinstance(each, Exception)]
    assert isinstance(refused, Conflict)
    assert refused.code == "TP-ROLLOUT-002"
    assert len(active(plane)) == 1
