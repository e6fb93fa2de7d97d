"""Our tiles, checkpoints and proofs read by an independent implementation, ``tlog-scales``, and by the auditor's tool, at every size.

Every size from 1 to 1,100 crosses the first tiles; those around 65,536 cross the first tile of the third level.
"""

import random

import pytest
from cryptography.exceptions import InvalidSignature
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey as OracleVkey
from tlog_scales.tlog import Checkpoint as OracleCheckpoint
from tlog_scales.tlog import InclusionProofInvalid

from trustplane.kernel.ledger import merkle, tiles
from trustplane.kernel.ledger.notes import Checkpoint, sign

SMALL = range(1, 1101)
LARGE = range(65_530, 65_546)


class Backend:
    """Our files as ``tlog-scales`` asks for them."""

    def __init__(self, files):
        self.files = files

    def get(self, *path):
        return self.files.get("/".join(path))


def entry(index):
    return b"entry %d" % index


@pytest.fixture(params=[SMALL, LARGE], ids=["1-1100", "65530-65545"])
def grown(request, tile_store, signer):
    """A log that grows by one entry at a time; each step gives its size, its tiles and its signed checkpoint."""
    sizes = request.param
    store = tile_store()
    tiles.append(store, 0, [entry(i) for i in range(sizes[0] - 1)])

    def steps():
        for size in sizes:
            assert tiles.append(store, size - 1, [entry(size - 1)]) == size
            store.files["checkpoint"] = sign(
                Checkpoint(signer.vkey.name, size, tiles.root(store, size)), signer
            ).encode()
            yield size, store

    return steps


def test_an_independent_reader_agrees_at_every_size(grown, signer):
    rng = random.Random(7)
    key = OracleVkey.from_string(str(signer.vkey))
    roots = {}
    for size, store in grown():
        reader = TilesReader(Backend(store.files))
        checkpoint = reader.get_checkpoint()
        checkpoint.verify(key)
        roots[size] = checkpoint.root_hash
        assert (checkpoint.origin, checkpoint.size) == (signer.vkey.name, size)
        assert reader.calculate_root_hash() == checkpoint.root_hash
        read = tiles.TileHashes(store, size)
        for index in {0, size - 1, rng.randrange(size)}:
            theirs = reader.get_inclusion_proof(index, size)
            theirs.check(merkle.leaf_hash(entry(index)), checkpoint.root_hash)
            assert merkle.inclusion_proof(index, size, read) == theirs.node_hashes
            assert reader.get_entry(index) == entry(index)
        old = rng.choice([*roots])
        theirs = reader.get_consistency_proof(old, size)
        theirs.check(roots[old], checkpoint.root_hash)
        assert merkle.consistency_proof(old, size, read) == theirs.node_hashes


def test_the_auditors_tool_agrees_at_every_size(grown, signer, verify_log, tmp_path):
    held, seen = {}, []
    for size, store in grown():
        for path in held.keys() - store.files.keys():
            (tmp_path / path).unlink()
        for path, data in store.files.items():
            if held.get(path) != data:
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_bytes(data)
        held = dict(store.files)
        verify_log.read_bundle.cache_clear()
        signed = verify_log.verify_folder(tmp_path, str(signer.vkey), seen[-3:])
        assert signed == (size, tiles.root(store, size))
        seen.append(store.files["checkpoint"].decode())


def test_their_note_is_ours(signer):
    """A checkpoint that the other implementation writes from the same facts has the same bytes."""
    root = bytes(range(32))
    ours = sign(Checkpoint(signer.vkey.name, 5, root), signer)
    theirs = OracleCheckpoint.from_text(ours)
    assert theirs.serialize() == ours
    assert OracleVkey.from_string(str(signer.vkey)).serialize() == str(signer.vkey)


def test_the_oracle_refuses_what_was_changed(tile_store, signer):
    store = tile_store()
    tiles.append(store, 0, [entry(i) for i in range(300)])
    note = sign(Checkpoint(signer.vkey.name, 300, tiles.root(store, 300)), signer)
    store.files["checkpoint"] = note.replace("\n300\n", "\n299\n").encode()
    with pytest.raises(InvalidSignature):
        TilesReader(Backend(store.files)).get_checkpoint().verify(OracleVkey.from_string(str(signer.vkey)))
    store.files["checkpoint"] = note.encode()
    path = tiles.tile_path(0, 0)
    store.files[path] = bytes(32) + store.files[path][32:]
    reader = TilesReader(Backend(store.files))
    proof = reader.get_inclusion_proof(1, reader.get_checkpoint().size)
    with pytest.raises(InclusionProofInvalid):
        proof.check(merkle.leaf_hash(entry(1)), reader.get_checkpoint().root_hash)
