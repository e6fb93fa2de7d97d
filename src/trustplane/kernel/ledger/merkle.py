"""The Merkle tree of RFC 6962 section 2.1: hashes, the frontier of a growing tree, inclusion and consistency proofs.

Nothing here reads or writes. A proof is made from a :data:`HashReader`, which gives the roots of full subtrees, and is
checked against roots alone. Checking raises; it never answers with a boolean.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from trustplane.values.errors import BadInput, Tampered

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

HashReader = Callable[[int, int], bytes]
"""``read(level, index)`` is the root of the full subtree over leaves ``[index * 2**level, (index + 1) * 2**level)``."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The hashes of ``entries``, in order."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: bytes) -> bytes:
    """The root of a full subtree, given the concatenated hashes of one of its levels: a power of two of them."""
    while len(hashes) > HASH_SIZE:
        hashes = b"".join([sha256(b"\x01" + hashes[i : i + 64]).digest() for i in range(0, len(hashes), 64)])
    return hashes


class Frontier:
    """The least that must be kept of a tree to append to it: the roots of its full subtrees, the largest first.

    ``Frontier(f.size, f.hashes)`` is ``f`` again, also in another process. Appending costs one node hash, amortised.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count() or any(len(h) != HASH_SIZE for h in hashes):
            raise Tampered("TP-LEDGER-001", f"{len(hashes)} hashes are not the frontier of a tree of {size} entries")
        self._size = size
        self._hashes = list(hashes)

    def __repr__(self) -> str:
        return f"Frontier(size={self._size})"

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the full subtrees, the largest first; as many as ``size`` has one bits."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes in order."""
        size, stack = self._size, self._hashes
        for leaf in leaves:
            root, rest = leaf, size
            while rest & 1:
                root = sha256(b"\x01" + stack.pop() + root).digest()
                rest >>= 1
            stack.append(root)
            size += 1
        self._size = size

    def root(self) -> bytes:
        """The root of the tree; of the empty tree SHA-256 of nothing."""
        return _fold(self._hashes)


def _fold(subtrees: Sequence[bytes]) -> bytes:
    """Hash neighbouring full subtrees, the largest first, into the root over all of them."""
    if not subtrees:
        return EMPTY_ROOT
    *others, root = subtrees
    for subtree in reversed(others):
        root = node_hash(subtree, root)
    return root


def range_root(read: HashReader, start: int, end: int) -> bytes:
    """MTH(D[start:end]), for a range that RFC 6962 splits a tree into.

    Of such a range ``start`` is a multiple of the smallest power of two that is not below its length.
    """
    subtrees = []
    while start < end:
        level = (end - start).bit_length() - 1
        subtrees.append(read(level, start >> level))
        start += 1 << level
    return _fold(subtrees)


def _split(start: int, end: int) -> int:
    """Where a range of two leaves or more is split: after the largest power of two smaller than its length."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf's sibling to the child of the root."""
    if not 0 <= index < size:
        raise BadInput("TP-LEDGER-002", f"entry {index} is not in a tree of {size} entries")
    path = []
    start, end = 0, size
    while end - start > 1:
        split = _split(start, end)
        if index < split:
            path.append(range_root(read, split, end))
            end = split
        else:
            path.append(range_root(read, start, split))
            start = split
    path.reverse()
    return path


def consistency_proof(old: int, new: int, read: HashReader) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 section 2.1.2.

    It is empty where there is nothing to prove: from the empty tree, or to the same size.
    """
    if not 0 <= old <= new:
        raise BadInput("TP-LEDGER-002", f"a tree of {new} entries does not continue one of {old}")
    if old in (0, new):
        return []
    proof = []
    start, end, whole = 0, new, True
    while end != old:
        split = _split(start, end)
        if old <= split:
            proof.append(range_root(read, split, end))
            end = split
        else:
            proof.append(range_root(read, start, split))
            start, whole = split, False
    if not whole:
        proof.append(range_root(read, start, end))
    proof.reverse()
    return proof


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check by RFC 9162 section 2.1.3.2 that the leaf hash stands at ``index`` of the tree of ``size`` leaves.

    Raises :class:`Tampered` if the proof does not show it.
    """
    failed = Tampered("TP-LEDGER-003", f"the proof does not show entry {index} in the tree of {size} entries")
    # Hashes of another length could move the border between two children of a node.
    if not 0 <= index < size or any(len(h) != HASH_SIZE for h in (leaf, root, *proof)):
        raise failed
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise failed
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or computed != root:
        raise failed


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check by RFC 9162 section 2.1.4.2 that the tree of ``new`` leaves begins with the tree of ``old`` leaves.

    Raises :class:`Tampered` if the proof does not show it.
    """
    failed = Tampered("TP-LEDGER-004", f"the tree of {new} entries does not continue the tree of {old} entries")
    if not 0 <= old <= new or any(len(h) != HASH_SIZE for h in (old_root, new_root, *proof)):
        raise failed
    if old in (0, new):
        if proof or old_root != (new_root if old == new else EMPTY_ROOT):
            raise failed
        return
    if not proof:
        raise failed
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    # A complete old tree is a node of the new one, and its root is left out of the proof (step 2 of the clause).
    first, *rest = (old_root, *proof) if old & (old - 1) == 0 else proof
    old_computed = new_computed = first
    for sibling in rest:
        if last == 0:
            raise failed
        if node & 1 or node == last:
            old_computed = node_hash(sibling, old_computed)
            new_computed = node_hash(sibling, new_computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or old_computed != old_root or new_computed != new_root:
        raise failed
