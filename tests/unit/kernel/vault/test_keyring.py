"""The hierarchy of keys, and the door through which they leave."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from trustplane.kernel.target import PLANE
from trustplane.kernel.vault.keyring import PARTS, KeySpec, mint, release, release_parts, unwrap_chain
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import NotFound, Refused, Tampered, Unavailable

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class Door:
    live: bool = True
    releases_keys: bool = True
    released: list = field(default_factory=list)

    def note_release(self, key_ids):
        self.released += key_ids


@pytest.fixture
def chain(plane):
    """A project key, a key under it, and a key under that; kept in the database without an event, for these tests alone."""
    project, top = mint(plane.keystore, KeySpec("project", "project:p", "p"), NOW)
    middle, lower = mint(top, KeySpec("dataset", "dataset-version:v", "p"), NOW)
    leaf, lowest = mint(lower, KeySpec("column", "dataset-version:v", "p", "identifier"), NOW)
    with plane.database.write() as session:
        session.add_all([project, middle, leaf])
    return [project.id, middle.id, leaf.id], [top, lower, lowest]


def test_a_key_unwraps_down_from_the_root(plane, chain):
    ids, keys = chain
    with plane.database.read() as session:
        for one, key in zip(ids, keys, strict=True):
            assert unwrap_chain(session, plane.keystore, one).material == key.material


def test_a_key_in_another_rows_place_does_not_unwrap(plane, chain):
    ids, _ = chain
    with plane.database.write() as session:
        middle, leaf = session.get_one(VaultKey, ids[1]), session.get_one(VaultKey, ids[2])
        leaf.wrapped, leaf.parent_id = middle.wrapped, middle.parent_id
    with plane.database.read() as session, pytest.raises(Tampered):
        unwrap_chain(session, plane.keystore, ids[2])


def test_a_destroyed_parent_closes_what_is_below(plane, chain):
    ids, _ = chain
    with plane.database.write() as session:
        row = session.get_one(VaultKey, ids[1])
        row.wrapped, row.destroyed_at = None, NOW
    with plane.database.read() as session, pytest.raises(Unavailable) as told:
        unwrap_chain(session, plane.keystore, ids[2])
    assert told.value.code == "TP-VAULT-008"
    assert "2026-01-02" in told.value.what


def test_an_unknown_key_and_a_circle_are_errors(plane, chain):
    ids, _ = chain
    with plane.database.read() as session, pytest.raises(NotFound):
        unwrap_chain(session, plane.keystore, "no-such-key")
    with plane.database.write() as session:
        session.get_one(VaultKey, ids[0]).parent_id = ids[2]
    with plane.database.read() as session, pytest.raises(NotFound):
        unwrap_chain(session, plane.keystore, ids[2])


def test_keys_leave_through_an_open_door_that_notes_them(plane, chain):
    ids, keys = chain
    door = Door()
    with plane.database.read() as session:
        given = release(door, session, plane.keystore, [ids[2], ids[1], ids[2]])
    assert {one: key.material for one, key in given.items()} == {ids[2]: keys[2].material, ids[1]: keys[1].material}
    assert door.released == [ids[2], ids[1]]


@pytest.mark.parametrize("door", [Door(live=False), Door(releases_keys=False)])
def test_no_key_leaves_through_another(plane, chain, door):
    with plane.database.read() as session, pytest.raises(Refused) as told:
        release(door, session, plane.keystore, chain[0])
    assert told.value.code == "TP-VAULT-009"
    assert door.released == []


def test_an_operation_that_is_over_releases_nothing(plane, owner, chain):
    with plane.operation(owner, "key.rotate", PLANE) as op:
        op.session.get_one(VaultKey, chain[0][0]).project_id = "q"
    with plane.database.read() as session, pytest.raises(Refused):
        release(op, session, plane.keystore, chain[0])


def test_the_event_names_the_keys_and_not_their_material(plane, owner, chain):
    ids, keys = chain
    with plane.operation(owner, "key.rotate", PLANE) as op:
        op.session.get_one(VaultKey, ids[0]).project_id = "q"
        release(op, op.session, plane.keystore, [ids[2]])
    event = plane.ledger.get(op.id)
    assert event.payload["keys"] == [ids[2]]
    assert keys[2].material.hex() not in str(event)


@pytest.fixture
def parted(plane, chain):
    row, key = mint(chain[1][0], KeySpec(PARTS, "dataset-version:v", "p", "special"), NOW)
    with plane.database.write() as session:
        session.add(row)
    return key


def test_a_key_of_parts_stays_and_its_parts_leave_one_by_one(plane, parted):
    door = Door()
    with plane.database.read() as session:
        given = release_parts(door, session, plane.keystore, {parted.id: ["diagnosis"]})
        again = release_parts(Door(), session, plane.keystore, {parted.id: ["diagnosis", "religion"]})
        with pytest.raises(Refused, match="does not leave the vault"):
            release(door, session, plane.keystore, [parted.id])
    assert list(given) == ["diagnosis"]
    assert door.released == [f"{parted.id}/diagnosis"]
    assert again["diagnosis"].material == given["diagnosis"].material
    assert len({parted.material, again["religion"].material, again["diagnosis"].material}) == 3


def test_other_keys_have_no_parts(plane, chain):
    door = Door()
    with plane.database.read() as session, pytest.raises(Refused, match="has no parts"):
        release_parts(door, session, plane.keystore, {chain[0][2]: ["name"]})
    assert door.released == []


@pytest.mark.parametrize("door", [Door(live=False), Door(releases_keys=False)])
def test_parts_leave_through_an_open_door_alone(plane, parted, door):
    with plane.database.read() as session, pytest.raises(Refused, match="only through an operation"):
        release_parts(door, session, plane.keystore, {parted.id: ["name"]})
