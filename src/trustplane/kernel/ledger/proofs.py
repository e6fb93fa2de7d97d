"""Receipts: an entry with its inclusion proof and signed checkpoint in one text, C2SP ``tlog-proof@v1``.

The format leaves the meaning of its ``extra`` line to the application. Here it is the entry itself, so that a receipt
stands alone. The specification warns that the line is not authenticated; it need not be, for the proof is of its hash.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from trustplane.kernel.ledger.merkle import HASH_SIZE, HashReader, inclusion_proof, leaf_hash, verify_inclusion
from trustplane.kernel.ledger.notes import Checkpoint, Vkey, decode_base64, encode_base64, open_checkpoint
from trustplane.values.errors import BadInput

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)
_MAX_PATH = 64  # a tree of 2**64 entries is this deep


@dataclass(frozen=True, slots=True)
class Receipt:
    """The claim that an entry stands at an index of the tree that ``note``, a signed checkpoint, speaks of.

    Nothing of it is checked yet.
    """

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Proven:
    """What a receipt proves: this entry, at this index, in the tree of this checkpoint."""

    entry: bytes
    index: int
    checkpoint: Checkpoint


def make_receipt(entry: bytes, index: int, checkpoint: Checkpoint, note: str, read: HashReader) -> Receipt:
    """The receipt of the entry at ``index`` in the tree of ``checkpoint``, which ``note`` signs."""
    return Receipt(entry, index, tuple(inclusion_proof(index, checkpoint.size, read)), note)


def encode_receipt(receipt: Receipt) -> str:
    """The text of a receipt, as a ``.tlog-proof`` file holds it."""
    lines = [
        _HEADER,
        f"extra {encode_base64(receipt.entry)}",
        f"index {receipt.index}",
        *map(encode_base64, receipt.path),
    ]
    return "\n".join(lines) + "\n\n" + receipt.note


def decode_receipt(text: str) -> Receipt:
    """Read the text of a receipt; raise :class:`BadInput` if it is not one."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != _HEADER:
        raise _malformed(f"it does not begin with {_HEADER}")
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise _malformed("the entry and its index are not in its second and third line")
    if len(lines) - 3 > _MAX_PATH or not _INDEX.match(lines[2][6:]):
        raise _malformed("the index is not a number, or the path is too long")
    try:
        entry, *path = map(decode_base64, [lines[1][6:], *lines[3:]])
    except ValueError as error:
        raise _malformed("a line is not base64") from error
    if any(len(h) != HASH_SIZE for h in path):
        raise _malformed("a line of the path is not a SHA-256 hash")
    return Receipt(entry, int(lines[2][6:]), tuple(path), note)


def verify_receipt(text: str, vkeys: Iterable[Vkey]) -> Proven:
    """Check the signature and the proof of a receipt and return what it proves; raise if it proves nothing."""
    receipt = decode_receipt(text)
    checkpoint = open_checkpoint(receipt.note, vkeys)
    verify_inclusion(leaf_hash(receipt.entry), receipt.index, checkpoint.size, receipt.path, checkpoint.root)
    return Proven(receipt.entry, receipt.index, checkpoint)


def _malformed(why: str) -> BadInput:
    return BadInput("TP-LEDGER-014", "the receipt is malformed", why=why)
