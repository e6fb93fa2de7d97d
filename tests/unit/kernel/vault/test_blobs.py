"""Objects under their own digest: whole or not there, private, and never under a wrong address."""

import os
import stat
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustplane.kernel.vault.blobs import BlobStore
from trustplane.values.digests import sha256
from trustplane.values.errors import NotFound, Tampered, Unavailable


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    return BlobStore(str(tmp_path / "blobs") if request.param == "folder" else "memory:///")


def put(store, data):
    with store.writer() as sink:
        sink.write(data)
        return sink.commit()


@given(data=st.binary(max_size=3000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_an_object_lies_under_its_digest(store, data):
    digest = put(store, data)
    assert digest == sha256(data)
    with store.open(digest) as file:
        assert bytes(file.read()) == data
    store.verify(digest)


def test_an_object_is_seekable(store):
    digest = put(store, bytes(range(256)) * 10)
    with store.open(digest) as file:
        file.seek(-6, 2)
        assert bytes(file.read(3)) == bytes([250, 251, 252])
        assert file.tell() == 2557
        file.seek(3)
        assert bytes(file.read(2)) == b"\x03\x04"


def test_writing_twice_is_writing_once(store):
    assert put(store, b"same") == put(store, b"same")


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    store = BlobStore(str(tmp_path))

    def fail():
        with store.writer() as sink:
            sink.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_writer_without_commit_leaves_nothing(tmp_path):
    store = BlobStore(str(tmp_path))
    with store.writer() as sink:
        sink.write(b"half")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_files_and_folder_are_private(tmp_path):
    store = BlobStore(str(tmp_path / "blobs"))
    old = os.umask(0)
    try:
        digest = put(store, b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE(store.path(digest).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "blobs").stat().st_mode) == 0o700


def test_a_changed_object_is_found(tmp_path):
    store = BlobStore(str(tmp_path))
    digest = put(store, b"content")
    store.path(digest).write_bytes(b"CONTENT")
    with pytest.raises(Tampered) as told:
        store.verify(digest)
    assert told.value.code == "TP-VAULT-011"


def test_a_missing_object_is_said_to_be_missing(store):
    with pytest.raises(NotFound) as told:
        store.open(sha256(b"never written"))
    assert told.value.code == "TP-VAULT-010"


def test_deleting_what_is_not_there_is_fine(store):
    digest = put(store, b"x")
    store.delete(digest)
    store.delete(digest)
    with pytest.raises(NotFound):
        store.open(digest)


def test_what_a_crash_left_is_swept_once_it_is_old(tmp_path):
    store = BlobStore(str(tmp_path))
    kept = put(store, b"kept")
    (tmp_path / "staging" / "half-written").write_bytes(b"x")
    assert store.sweep() == 0
    assert store.sweep(older_than=timedelta(seconds=-60)) == 1
    assert store.path(kept).exists()


def test_a_store_that_cannot_be_written_says_so(tmp_path, monkeypatch):
    store = BlobStore(str(tmp_path))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable) as told:
        put(store, b"x")
    assert told.value.code == "TP-VAULT-012"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
