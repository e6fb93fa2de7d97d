"""Encrypted streams: nothing of them can be changed, cut, moved or read as another's."""

from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustplane.kernel.vault.blobs import BlobStore
from trustplane.kernel.vault.keys import fresh
from trustplane.kernel.vault.streams import decrypt, encrypt
from trustplane.values.digests import CHUNK
from trustplane.values.errors import Tampered, Unavailable

KEY = fresh("key")


@pytest.fixture
def store(tmp_path):
    return BlobStore(str(tmp_path))


def stored(store, data, key=KEY, context=b"run:1"):
    return encrypt(store, key, [data], context)[0]


def read(store, digest, key=KEY, context=b"run:1"):
    return b"".join(decrypt(store, key, digest, context))


@given(chunks=st.lists(st.binary(max_size=500), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_went_in_comes_out(store, chunks):
    digest, size = encrypt(store, KEY, chunks, b"run:1")
    assert read(store, digest) == b"".join(chunks)
    assert size > sum(map(len, chunks))


@pytest.mark.parametrize("size", [CHUNK - 100, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_the_edges_of_segments_hold(store, size):
    data = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000 + 1)
    assert read(store, stored(store, data[:size])) == data[:size]


def test_no_plaintext_is_written(store):
    digest = stored(store, b"a secret that must not lie there" * 100)
    assert b"secret" not in store.path(digest).read_bytes()


def test_the_same_text_has_another_ciphertext_each_time(store):
    assert stored(store, b"same") != stored(store, b"same")


def test_another_key_or_another_subject_reads_nothing(store):
    digest = stored(store, b"data" * 1000)
    for options in ({"key": fresh("other")}, {"context": b"run:2"}):
        with pytest.raises(Tampered) as told:
            read(store, digest, **options)
        assert told.value.code == "TP-VAULT-014"


def damaged(store, digest, change):
    path = store.path(digest)
    data = bytearray(path.read_bytes())
    path.write_bytes(change(data))
    return digest


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d[:-1],
        lambda d: d[:CHUNK],
        lambda d: d[:10],
        lambda d: b"",
        lambda d: d + b"\0",
        lambda d: d[: CHUNK // 2] + bytes([d[CHUNK // 2] ^ 1]) + d[CHUNK // 2 + 1 :],
        lambda d: d[:-1] + bytes([d[-1] ^ 1]),
        lambda d: bytes([d[0] ^ 1]) + d[1:],
        lambda d: d[:CHUNK] + d[2 * CHUNK : 3 * CHUNK] + d[CHUNK : 2 * CHUNK] + d[3 * CHUNK :],
        lambda d: d[:CHUNK] + d[2 * CHUNK :],
    ],
    ids=["cut-by-one", "cut-at-segment", "cut-in-header", "emptied", "longer", "flip-inside", "flip-last", "flip-first", "reordered", "dropped"],
)  # fmt: skip
def test_tampering_is_found(store, change):
    digest = damaged(store, stored(store, b"0123456789" * (4 * CHUNK // 10)), change)
    with pytest.raises(Tampered) as told:
        read(store, digest)
    assert told.value.code == "TP-VAULT-014"


def test_memory_does_not_grow_with_the_stream(store):
    """A stream of 64 segments is read one at a time: no chunk is larger than a segment."""
    digest, _ = encrypt(store, KEY, (b"x" * CHUNK for _ in range(64)), b"run:1")
    sizes = [len(chunk) for chunk in decrypt(store, KEY, digest, b"run:1")]
    assert sum(sizes) == 64 * CHUNK
    assert max(sizes) <= CHUNK


@pytest.mark.parametrize("size", [10, 3 * CHUNK])
def test_a_full_disk_has_its_code_and_leaves_nothing(tmp_path, size, monkeypatch):
    """The library in between turns errors of the sink into its own, which quote where they came from."""
    store = BlobStore(str(tmp_path))
    full = OSError(28, "No space left on device")
    whole = BlobStore.writer

    @contextmanager
    def writer(self):
        with whole(self) as sink:
            sink.file = Failing(sink.file, full)
            yield sink

    monkeypatch.setattr(BlobStore, "writer", writer)
    with pytest.raises(Unavailable, match="TP-VAULT-012") as told:
        encrypt(store, KEY, [b"x" * size], b"run:1")
    assert "blobs.py" not in str(told.value)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_an_object_that_cannot_be_read_was_not_tampered_with(store, monkeypatch):
    digest = stored(store, b"data")
    opened = BlobStore.open
    monkeypatch.setattr(
        BlobStore, "open", lambda self, one: Failing(opened(self, one), OSError(5, "Input/output error"))
    )
    with pytest.raises(Unavailable, match="TP-VAULT-013"):
        read(store, digest)


class Failing:
    """A file on a disk that fails."""

    def __init__(self, file, error):
        self._file, self._error = file, error

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, _data):
        raise self._error

    def read(self, _size=-1):
        raise self._error


def test_what_fails_while_it_is_made_leaves_nothing(tmp_path):
    store = BlobStore(str(tmp_path))

    def chunks():
        yield b"x" * 3 * CHUNK
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        encrypt(store, KEY, chunks(), b"run:1")
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_two_objects_in_each_others_place_are_found(store):
    """Both are whole and under the same key; each is bound to what it belongs to."""
    one, two = stored(store, b"one", context=b"run:1"), stored(store, b"two", context=b"run:2")
    first, second = store.path(one).read_bytes(), store.path(two).read_bytes()
    store.path(one).write_bytes(second)
    store.path(two).write_bytes(first)
    for digest, context in ((one, b"run:1"), (two, b"run:2")):
        with pytest.raises(Tampered, match="TP-VAULT-014"):
            read(store, digest, context=context)
        with pytest.raises(Tampered, match="TP-VAULT-011"):
            store.verify(digest)


def test_a_segment_of_another_stream_under_the_same_key_does_not_fit(store):
    data = b"x" * 3 * CHUNK
    one, two = stored(store, data), stored(store, data)
    first, second = store.path(one).read_bytes(), store.path(two).read_bytes()
    store.path(one).write_bytes(first[:CHUNK] + second[CHUNK : 2 * CHUNK] + first[2 * CHUNK :])
    with pytest.raises(Tampered, match="TP-VAULT-014"):
        read(store, one)
