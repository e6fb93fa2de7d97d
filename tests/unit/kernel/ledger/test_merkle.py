"""The tree is the tree of RFC 6962: by the published vectors, by a literal implementation, and by its laws."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    node_hash,
    range_root,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)
from trustplane.values.errors import BadInput, Tampered

LEAVES = [f"leaf {i}".encode() for i in range(130)]


def reader(entries):
    """A hash reader that makes each subtree from its leaves."""

    def read(level, index):
        part = entries[index << level : (index + 1) << level]
        assert len(part) == 1 << level, "only full subtrees are read"
        return subtree_root(b"".join(leaf_hashes(part)))

    return read


def root(entries):
    return range_root(reader(entries), 0, len(entries))


def unhex(proof):
    return [bytes.fromhex(h) for h in proof]


def test_roots_are_those_published(vectors):
    published = vectors["rfc6962"]
    leaves = unhex(published["leaves"])
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == bytes.fromhex(published["roots"][0])
    for leaf, expected in zip(leaves, published["roots"][1:], strict=True):
        frontier.append(leaf_hash(leaf))
        assert frontier.root().hex() == expected
        assert root(leaves[: frontier.size]).hex() == expected


def test_proofs_are_those_published_and_hold(vectors):
    published = vectors["rfc6962"]
    leaves, roots = unhex(published["leaves"]), unhex(published["roots"])
    for case in published["inclusion"]:
        proof = inclusion_proof(case["index"], case["size"], reader(leaves))
        assert proof == unhex(case["proof"])
        verify_inclusion(leaf_hash(leaves[case["index"]]), case["index"], case["size"], proof, roots[case["size"]])
    for case in published["consistency"]:
        proof = consistency_proof(case["old"], case["new"], reader(leaves))
        assert proof == unhex(case["proof"])
        verify_consistency(case["old"], roots[case["old"]], case["new"], roots[case["new"]], proof)


@given(st.integers(0, len(LEAVES)))
def test_root_is_what_the_text_of_the_rfc_says(size):
    def mth(d):
        if len(d) < 2:
            return hashlib.sha256(b"\x00" + d[0] if d else b"").digest()
        k = 1 << (len(d) - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()

    frontier = Frontier()
    frontier.extend(leaf_hashes(LEAVES[:size]))
    assert frontier.root() == root(LEAVES[:size]) == mth(LEAVES[:size])


@given(st.lists(st.binary(max_size=40), max_size=80), st.integers(0, 80))
def test_frontier_goes_on_after_being_stored(entries, stop):
    whole, first = Frontier(), Frontier()
    whole.extend(leaf_hashes(entries))
    first.extend(leaf_hashes(entries[:stop]))
    resumed = Frontier(first.size, first.hashes)
    for entry in entries[stop:]:
        resumed.append(leaf_hash(entry))
    assert (resumed.size, resumed.hashes, resumed.root()) == (whole.size, whole.hashes, whole.root())


@pytest.mark.parametrize(
    ("size", "hashes"), [(1, []), (3, [b"x" * 32]), (0, [b"x" * 32]), (-1, [b"x" * 32]), (1, [b"x" * 31])]
)
def test_frontier_that_does_not_fit_its_size_is_refused(size, hashes):
    with pytest.raises(Tampered, match="TP-LEDGER-001"):
        Frontier(size, hashes)


@given(st.data())
def test_every_inclusion_proof_holds_and_only_where_it_belongs(data):
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, reader(LEAVES))
    verify_inclusion(leaf_hash(LEAVES[index]), index, size, proof, root(LEAVES[:size]))
    other = data.draw(st.integers(-1, size + 1).filter(lambda i: i != index))
    with pytest.raises(Tampered, match="TP-LEDGER-003"):
        verify_inclusion(leaf_hash(LEAVES[index]), other, size, proof, root(LEAVES[:size]))


@given(st.data())
def test_every_consistency_proof_holds_and_only_between_its_trees(data):
    new = data.draw(st.integers(0, len(LEAVES)))
    old = data.draw(st.integers(0, new))
    proof = consistency_proof(old, new, reader(LEAVES))
    verify_consistency(old, root(LEAVES[:old]), new, root(LEAVES[:new]), proof)
    if old:
        with pytest.raises(Tampered, match="TP-LEDGER-004"):
            verify_consistency(old, leaf_hash(b"another tree"), new, root(LEAVES[:new]), proof)
    with pytest.raises(Tampered, match="TP-LEDGER-004"):
        verify_consistency(old, root(LEAVES[:old]), new, leaf_hash(b"another tree"), proof if old else [b"x" * 32])


def corruptions(proof, *roots):
    """The ways in which the reference tests corrupt a proof."""
    yield [*proof, b""]
    yield [b"", *proof]
    for extra in roots:
        yield [*proof, extra]
        yield [extra, *proof]
    for i, h in enumerate(proof):
        yield [*proof[:i], bytes([h[0] ^ 8]) + h[1:], *proof[i + 1 :]]
        yield (
            [*proof[:i], h[:-1], h[-1:] + proof[i + 1], *proof[i + 2 :]] if i + 1 < len(proof) else [*proof[:i], h[:-1]]
        )
    if proof:
        yield proof[:-1]
        yield proof[1:]
        yield []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 100])
def test_corrupt_inclusion_proofs_are_refused(size):
    for index in {0, size // 2, size - 1}:
        proof, top, leaf = inclusion_proof(index, size, reader(LEAVES)), root(LEAVES[:size]), leaf_hash(LEAVES[index])
        for bad in corruptions(proof, top):
            with pytest.raises(Tampered):
                verify_inclusion(leaf, index, size, bad, top)
        for args in (
            (leaf, index, size * 2),
            (leaf, index, size // 2),
            (b"WrongLeaf", index, size),
            (top + leaf, index, size),
        ):
            with pytest.raises(Tampered):
                verify_inclusion(*args, [*proof], EMPTY_ROOT if args[2] == 0 else top)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (1, 8), (6, 8), (2, 5), (6, 7), (4, 8), (99, 130)])
def test_corrupt_consistency_proofs_are_refused(old, new):
    proof, first, second = consistency_proof(old, new, reader(LEAVES)), root(LEAVES[:old]), root(LEAVES[:new])
    for bad in corruptions(proof, first, second):
        with pytest.raises(Tampered):
            verify_consistency(old, first, new, second, bad)
    for sizes in ((old - 1, new), (old + 1, new), (new, old), (old, new * 2), (old, new // 2)):
        with pytest.raises(Tampered):
            verify_consistency(sizes[0], first, sizes[1], second, proof)
    with pytest.raises(Tampered):
        verify_consistency(old, second, new, first, proof)


@pytest.mark.parametrize(
    ("old", "old_root", "new", "new_root", "proof"),
    [
        (0, leaf_hash(b""), 1, leaf_hash(b"x"), []),
        (0, EMPTY_ROOT, 1, leaf_hash(b"x"), [EMPTY_ROOT]),
        (1, leaf_hash(b"x"), 1, leaf_hash(b"x"), [EMPTY_ROOT]),
        (1, leaf_hash(b"x"), 1, leaf_hash(b"y"), []),
        (2, leaf_hash(b"x"), 1, leaf_hash(b"x"), []),
        (1, leaf_hash(b"x"), 2, leaf_hash(b"x"), []),
    ],
)
def test_trivial_consistency_is_judged_too(old, old_root, new, new_root, proof):
    with pytest.raises(Tampered, match="TP-LEDGER-004"):
        verify_consistency(old, old_root, new, new_root, proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 3)])
def test_no_proof_of_what_is_not_in_the_tree(index, size):
    with pytest.raises(BadInput, match="TP-LEDGER-002"):
        inclusion_proof(index, size, reader(LEAVES))


def test_no_proof_from_the_larger_tree_to_the_smaller():
    with pytest.raises(BadInput, match="TP-LEDGER-002"):
        consistency_proof(3, 2, reader(LEAVES))


def test_leaves_and_nodes_are_hashed_apart():
    """RFC 6962 section 2.1: without the prefixes an inner node could pass for an entry."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)


def test_frontier_does_not_spell_out_its_hashes():
    assert repr(Frontier(1, [b"x" * 32])) == "Frontier(size=1)"
