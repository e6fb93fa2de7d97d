"""What every installed key store must keep to (trustplane.kernel.vault.keystores.contract).

A plug-in passes by being installed: the suite runs over the entry points of the group ``trustplane.keystores``. One whose locations are
not paths brings its own way to make one, by the environment variable ``TRUSTPLANE_TEST_KEYSTORE_<NAME>``.
"""

import os

import pytest

from trustplane.kernel.plugins import group, load
from trustplane.kernel.vault.keys import fresh
from trustplane.values.errors import Conflict, Tampered, Unavailable

INSTALLED = group("keystores")


@pytest.fixture(params=INSTALLED, ids=[entry.name for entry in INSTALLED])
def kind(request):
    return request.param


@pytest.fixture
def location(kind, tmp_path):
    named = os.environ.get(f"TRUSTPLANE_TEST_KEYSTORE_{kind.name.upper().replace('-', '_')}")
    return named or str(tmp_path / "keystore")


@pytest.fixture
def store(kind, location):
    return load(kind).create(location)


def test_it_describes_itself_by_its_entry_point(kind):
    descriptor = load(kind).descriptor
    assert descriptor.name == kind.name
    assert isinstance(descriptor.hardware, bool)
    assert isinstance(descriptor.external, bool)


def test_what_it_wraps_it_unwraps_in_its_place_alone(store):
    material = fresh("k").material
    sealed = store.wrap(material, b"place")
    assert material not in sealed
    assert store.unwrap(store.current(), sealed, b"place") == material
    with pytest.raises(Tampered):
        store.unwrap(store.current(), sealed, b"another place")
    with pytest.raises(Tampered):
        store.unwrap(store.current(), sealed[:-1] + bytes([sealed[-1] ^ 1]), b"place")
    with pytest.raises(Tampered):
        store.unwrap(store.current(), b"", b"place")


def test_it_outlives_its_process(kind, location, store):
    sealed = store.wrap(b"m" * 32, b"place")
    again = load(kind).open(location)
    assert again.current() == store.current()
    assert again.unwrap(store.current(), sealed, b"place") == b"m" * 32


def test_a_rotation_has_two_steps(kind, location, store):
    old = store.current()
    sealed = store.wrap(b"m" * 32, b"place")
    new = store.begin_rotation()
    assert new == store.current() != old
    assert set(store.roots()) == {old, new}
    assert store.unwrap(old, sealed, b"place") == b"m" * 32
    assert load(kind).open(location).unwrap(old, sealed, b"place") == b"m" * 32
    moved = store.wrap(b"m" * 32, b"place")
    store.finish_rotation()
    assert store.roots() == (new,)
    assert store.unwrap(new, moved, b"place") == b"m" * 32
    with pytest.raises(Unavailable):
        store.unwrap(old, sealed, b"place")


def test_another_process_sees_the_new_root_at_once(kind, location, store):
    other = load(kind).open(location)
    store.begin_rotation()
    assert other.current() == store.current()


def test_a_second_rotation_before_the_first_is_finished_loses_nothing(store):
    first = store.current()
    sealed = store.wrap(b"m" * 32, b"place")
    store.begin_rotation()
    store.begin_rotation()
    assert store.unwrap(first, sealed, b"place") == b"m" * 32
    store.finish_rotation()
    store.finish_rotation()
    assert len(store.roots()) == 1


def test_it_is_made_once(kind, location, store):
    root = store.current()
    with pytest.raises(Conflict):
        load(kind).create(location)
    assert load(kind).open(location).current() == root


def test_what_is_not_there_cannot_be_opened(kind, tmp_path):
    with pytest.raises(Unavailable) as told:
        load(kind).open(str(tmp_path / "nothing-here"))
    assert told.value.fix


def test_it_shows_no_key(store):
    sealed = store.wrap(b"m" * 32, b"place")
    for shown in (repr(store), str(store)):
        assert "m" * 32 not in shown
        assert sealed.hex() not in shown
