"""Opening an artifact: decided, recorded, and whole or not at all."""

import pytest
from tests.unit.release.conftest import graph, spoil

from trustplane.kernel.operation import AccessDenied
from trustplane.release.opening import open_model
from trustplane.release.tables import ModelVersion
from trustplane.values.errors import NotFound, Tampered


def test_who_may_open_a_model_gets_its_bytes_and_leaves_an_event(plane, cast, made_version, newest):
    version = made_version()
    for role in ("scientist", "reviewer"):
        assert b"".join(open_model(plane, cast[role], version)) == graph()
        event = newest("model.open")
        assert (event.leaf.actor, event.leaf.outcome) == (cast[role].id, "done")
        assert event.payload["keys"] == [version.key_id]
        assert event.payload["refers"] == {"model": version.sha256}


def test_who_may_not_open_it_gets_nothing_and_leaves_a_denial(plane, cast, made_version, newest):
    version = made_version()
    for role in cast.keys() - {"scientist", "reviewer"}:
        with pytest.raises(AccessDenied):
            open_model(plane, cast[role], version)
        assert (newest().leaf.action, newest().leaf.outcome) == ("model.open", "denied")


def test_a_changed_byte_is_found(plane, cast, made_version):
    version = made_version()
    spoil(plane, version.blob)
    with pytest.raises(Tampered):
        b"".join(open_model(plane, cast["reviewer"], version))


def test_the_artifact_of_another_version_does_not_open_in_its_place(plane, cast, made_version, fetch):
    one, two = made_version(), made_version()
    with plane.database.write() as session:
        session.get_one(ModelVersion, one.id).blob = two.blob
    with pytest.raises(Tampered):
        b"".join(open_model(plane, cast["reviewer"], fetch(one)))


def test_a_lost_object_is_named(plane, cast, made_version):
    version = made_version()
    plane.blobs.path(version.blob).unlink()
    with pytest.raises(NotFound) as caught:
        b"".join(open_model(plane, cast["reviewer"], version))
    assert caught.value.code == "TP-VAULT-010"
