"""Tiles are those of C2SP tlog-tiles, at every size, however the log grew and wherever it crashed."""

import hashlib
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey as OracleVkey
from tlog_scales.tiles import leaf_hash as oracle_leaf_hash
from tlog_scales.tlog import Checkpoint as OracleCheckpoint
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from trustplane.kernel.ledger import tiles
from trustplane.kernel.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    range_root,
)
from trustplane.kernel.ledger.notes import Checkpoint, sign
from trustplane.kernel.ledger.tiles import FolderTiles, TileHashes
from trustplane.values.errors import BadInput, Tampered, Unavailable


def entries(start, end):
    return [b"entry %d" % i for i in range(start, end)]


def in_force(files, size):
    """The files that a tree of ``size`` entries consists of, by the text of the specification."""
    due = {}
    for level in ("entries", *range(8)):
        count = size >> 8 * (level if level != "entries" else 0)
        for index in range(-(-count // 256)):
            width = min(256, count - 256 * index)
            path = f"tile/{level}/{index:03d}" + (f".p/{width}" if width < 256 else "")
            due[path] = files[path]
    return due


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (tiles.tile_path(0, 0), "tile/0/000"),
        (tiles.tile_path(3, 999, 7), "tile/3/999.p/7"),
        (tiles.tile_path(0, 1000), "tile/0/x001/000"),
        (tiles.tile_path(63, 1234067, 255), "tile/63/x001/x234/067.p/255"),
        (tiles.bundle_path(1234067), "tile/entries/x001/x234/067"),
        (tiles.bundle_path(5, 1), "tile/entries/005.p/1"),
    ],
)
def test_paths_are_in_groups_of_three_digits(path, expected):
    assert path == expected


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_give_back_their_entries(some):
    assert tiles.decode_bundle(tiles.encode_bundle(some)) == some


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), st.data())
def test_bundles_that_are_cut_within_an_entry_are_refused(some, data):
    whole = tiles.encode_bundle(some)
    cut = data.draw(st.integers(len(whole) - len(some[-1]) - 1, len(whole) - 1))
    with pytest.raises(Tampered, match="TP-LEDGER-008"):
        tiles.decode_bundle(whole[:cut])


def test_longest_entry_fits_and_a_longer_one_is_refused():
    assert tiles.decode_bundle(tiles.encode_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    with pytest.raises(BadInput, match="TP-LEDGER-007"):
        tiles.encode_bundle([b"x" * 65_536])


def test_tiles_are_those_of_the_vectors(vectors, build_log):
    expected = vectors["trustplane"]["tiles"]
    files = in_force(build_log(600).tiles.files, 600)
    assert {path: hashlib.sha256(data).hexdigest() for path, data in files.items()} == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_growing_in_steps_leaves_the_same_tiles_as_at_once(tile_store, steps):
    stepwise, at_once = tile_store(), tile_store()
    size = 0
    for step in steps:
        size = tiles.append(stepwise, size, entries(size, size + step))
    assert tiles.append(at_once, 0, entries(0, size)) == size == sum(steps)
    assert in_force(stepwise.files, size) == in_force(at_once.files, size) == at_once.files
    assert not [p for p in stepwise.files if ".p/" in p and p.split(".p/")[0] in stepwise.files], "stale partial tiles"
    frontier = Frontier()
    frontier.extend(leaf_hashes(entries(0, size)))
    assert tiles.root(stepwise, size) == frontier.root()


class Crash(Exception):
    """The process died here."""


def crashing(store_type, files, after):
    """A store that dies at its change number ``after``."""

    class Crashing(store_type):
        changes = 0

        def _count(self):
            if self.changes == after:
                raise Crash
            self.changes += 1

        def write(self, path, data):
            self._count()
            super().write(path, data)

        def delete(self, folder):
            for path in [p for p in self.files if p.startswith(f"{folder}/")]:
                self._count()
                del self.files[path]

    return Crashing(files)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (100, 700), (250, 257), (511, 513), (256, 300), (65_530, 65_540)])
def test_running_again_after_a_crash_anywhere_leaves_the_same_bytes(tile_store, old, new):
    start = tile_store()
    tiles.append(start, 0, entries(0, old - old % 256))
    tiles.append(start, old - old % 256, entries(old - old % 256, old))
    expected = tile_store(start.files)
    tiles.append(expected, old, entries(old, new))
    for after in range(1000):
        store = crashing(tile_store, start.files, after)
        try:
            tiles.append(store, old, entries(old, new))
        except Crash:
            assert tiles.root(store, old) == tiles.root(start, old), "what was signed stays readable"
            recovered = tile_store(store.files)
            assert tiles.append(recovered, old, entries(old, new)) == new
            assert recovered.files == expected.files
        else:
            assert after >= 2
            break


def test_a_shorter_run_after_a_crash_of_a_longer_one_leaves_no_stale_partial_tile(tile_store):
    store = tile_store()
    tiles.append(store, 0, entries(0, 256))
    tiles.append(store, 256, entries(256, 600))
    tiles.append(store, 256, entries(256, 300))
    tiles.append(store, 300, entries(300, 1024))
    assert {p for p in store.files if ".p/" in p} == {"tile/1/000.p/1", "tile/1/000.p/2", "tile/1/000.p/4"}


def read_all(store, size):
    list(tiles.read_entries(store, size))
    for level in range(tiles.levels(size)):
        for index in range(-(-(size >> 8 * level) // 256)):
            tiles.read_tile(store, level, index, min(256, (size >> 8 * level) - index * 256))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_a_missing_or_short_tile_is_named(tile_store, size):
    whole = tile_store()
    tiles.append(whole, 0, entries(0, size))
    read_all(whole, size)
    for path, data in whole.files.items():
        missing = tile_store({p: d for p, d in whole.files.items() if p != path})
        for store in (missing, tile_store({**whole.files, path: data[:-1]})):
            with pytest.raises(Tampered, match=f"TP-LEDGER-008 {path} cannot be used"):
                read_all(store, size)


@pytest.mark.parametrize("start", [0, 1, 255, 256, 300, 599, 600])
def test_entries_are_read_from_anywhere(tile_store, start):
    store = tile_store()
    tiles.append(store, 0, entries(0, 600))
    assert list(tiles.read_entries(store, 600, start)) == entries(start, 600)
    assert list(tiles.read_entries(store, 256, min(start, 256))) == entries(min(start, 256), 256)


def test_a_reader_that_keeps_few_tiles_gives_the_same_hashes(tile_store):
    store = tile_store()
    tiles.append(store, 0, entries(0, 1500))
    one, many = TileHashes(store, 1500, keep=1), TileHashes(store, 1500)
    for index in (0, 700, 1499):
        assert inclusion_proof(index, 1500, one) == inclusion_proof(index, 1500, many)


def test_empty_log_has_no_tiles(tile_store):
    store = tile_store()
    assert tiles.append(store, 0, []) == 0
    assert store.files == {}
    assert tiles.root(store, 0) == EMPTY_ROOT


class TestFolder:
    """A folder holds what was written, whole or not at all."""

    def test_log_in_a_folder_reads_back(self, tmp_path):
        store = FolderTiles(tmp_path)
        size = tiles.append(store, 0, entries(0, 300))
        size = tiles.append(store, size, entries(300, 700))
        assert list(tiles.read_entries(store, size)) == entries(0, 700)
        held = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
        assert held == {
            *(f"tile/{level}/{name}" for level in ("0", "entries") for name in ("000", "001", "002.p/188")),
            "tile/1/000.p/1",
            "tile/1/000.p/2",
        }

    def test_files_can_be_read_by_every_account(self, tmp_path):
        before = os.umask(0o077)
        try:
            FolderTiles(tmp_path).write("tile/0/000", b"x")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "tile/0/000").stat().st_mode) == 0o644

    def test_what_is_not_there_is_none(self, tmp_path):
        store = FolderTiles(tmp_path)
        store.write("tile/0/000", b"x")
        assert store.read("tile/0/001") is None
        assert store.read("tile/0") is None
        assert store.read("tile/0/000/p") is None
        store.delete("tile/0/000.p")

    @pytest.mark.parametrize(
        "path", ["", "/etc/passwd", "../x", "tile/../../x", "tile//0", "tile/0/", "tile/0/.x", "tile\\0", "tile/0\n"]
    )
    def test_paths_that_lead_elsewhere_are_refused(self, tmp_path, path):
        with pytest.raises(BadInput, match="TP-LEDGER-006"):
            FolderTiles(tmp_path).read(path)

    def test_a_failed_write_leaves_what_was_there(self, tmp_path):
        (tmp_path / "tile").mkdir()
        (tmp_path / "tile" / "0").write_bytes(b"a file where a folder is due")
        with pytest.raises(Unavailable, match="TP-LEDGER-005 tile/0/000 cannot be written"):
            FolderTiles(tmp_path).write("tile/0/000", b"x")
        (tmp_path / "tile" / "1").mkdir()
        (tmp_path / "tile" / "1" / "000").mkdir()
        with pytest.raises(Unavailable, match="TP-LEDGER-005"):
            FolderTiles(tmp_path).write("tile/1/000", b"x")
        assert [p.name for p in (tmp_path / "tile" / "1").iterdir()] == ["000"], "no temporary file is left"


class Backend:
    """Our files as the oracle reads them."""

    def __init__(self, store):
        self.store = store

    def get(self, *path):
        return self.store.read("/".join(path))


def check_with_oracle(store, size, signer, picks):
    """An independent reader accepts tiles, checkpoint and proofs of the tree of ``size`` entries, and makes the same proofs."""
    note = sign(Checkpoint(signer.vkey.name, size, tiles.root(store, size)), signer)
    oracle = TilesReader(Backend(store))
    checkpoint = OracleCheckpoint.from_text(note)
    checkpoint.verify(OracleVkey.from_string(str(signer.vkey)))
    oracle.set_size(checkpoint.size)
    assert oracle.calculate_root_hash() == checkpoint.root_hash
    read = TileHashes(store, size)
    for index in {0, size - 1, *(p % size for p in picks)}:
        assert oracle.get_entry(index) == b"entry %d" % index
        proof = inclusion_proof(index, size, read)
        assert proof == oracle.get_inclusion_proof(index, size).node_hashes
        InclusionProof(index, size, proof).check(oracle_leaf_hash(b"entry %d" % index), checkpoint.root_hash)
        assert oracle_leaf_hash(b"entry %d" % index) == leaf_hash(b"entry %d" % index)
    for old in {1, size, *(1 + p % size for p in picks)}:
        proof = consistency_proof(old, size, read)
        assert proof == oracle.get_consistency_proof(old, size).node_hashes
        ConsistencyProof(old, size, proof).check(range_root(read, 0, old), checkpoint.root_hash)


@pytest.mark.slow
def test_an_independent_reader_accepts_every_size_up_to_1100(tile_store, signer):
    store = tile_store()
    for size in range(1, 1101):
        tiles.append(store, size - 1, entries(size - 1, size))
        check_with_oracle(store, size, signer, (size * 7919, size * 104_729))


@pytest.mark.slow
def test_an_independent_reader_accepts_the_sizes_around_65536(tile_store, signer):
    store = tile_store()
    size = tiles.append(store, 0, entries(0, 65_533))
    while size < 65_540:
        size = tiles.append(store, size, entries(size, size + 1))
        check_with_oracle(store, size, signer, (255, 256, 32_768, 65_279, 65_535))
