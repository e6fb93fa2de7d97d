"""A receipt stands alone, and one that was changed anywhere proves nothing."""

from base64 import b64encode

import pytest

from trustplane.kernel.ledger.notes import Signer
from trustplane.kernel.ledger.proofs import Receipt, decode_receipt, encode_receipt, make_receipt, verify_receipt
from trustplane.kernel.ledger.tiles import TileHashes
from trustplane.values.errors import BadInput, Tampered


@pytest.fixture(scope="module")
def log(build_log):
    return build_log(600)


def receipt_of(log, index, size):
    read = TileHashes(log.tiles, size)
    return encode_receipt(make_receipt(log.events[index].entry, index, log.checkpoint(size), log.note(size), read))


def test_the_receipt_is_that_of_the_vectors(log, vectors, signer):
    known = vectors["trustplane"]["receipt"]
    assert receipt_of(log, 300, 600) == known
    proven = verify_receipt(known, [signer.vkey])
    assert (proven.entry, proven.index, proven.checkpoint) == (log.events[300].entry, 300, log.checkpoint(600))


@pytest.mark.parametrize("size", [512, 600])
def test_a_receipt_of_any_entry_holds_and_reads_back(log, signer, size):
    for at in (*range(0, size, 29), size - 1):
        text = receipt_of(log, at, size)
        assert encode_receipt(decode_receipt(text)) == text
        assert verify_receipt(text, [signer.vkey]).index == at


def test_no_byte_of_a_receipt_can_be_another(log, signer):
    text = receipt_of(log, 300, 600)
    for at in range(len(text)):
        for char in {chr(ord(text[at]) ^ 1), "\n", "A"} - {text[at]}:
            with pytest.raises((BadInput, Tampered)):
                verify_receipt(text[:at] + char + text[at + 1 :], [signer.vkey])


@pytest.mark.parametrize(
    "change",
    [
        lambda r: Receipt(r.entry + b" ", r.index, r.path, r.note),
        lambda r: Receipt(r.entry, r.index + 1, r.path, r.note),
        lambda r: Receipt(r.entry, r.index, r.path[:-1], r.note),
        lambda r: Receipt(r.entry, r.index, r.path[::-1], r.note),
        lambda r: Receipt(r.entry, r.index, (*r.path, bytes(32)), r.note),
        lambda r: Receipt(r.entry, 600, r.path, r.note),
    ],
)
def test_a_receipt_of_something_else_is_refused(log, signer, change):
    with pytest.raises(Tampered, match="TP-LEDGER-003"):
        verify_receipt(encode_receipt(change(decode_receipt(receipt_of(log, 300, 600)))), [signer.vkey])


def test_a_receipt_under_a_smaller_tree_is_refused(log, signer):
    text = receipt_of(log, 300, 600)
    with pytest.raises(Tampered, match="TP-LEDGER-003"):
        verify_receipt(text.replace(log.note(600), log.note(512)), [signer.vkey])


def test_a_receipt_that_another_key_signed_is_refused(log, signer):
    with pytest.raises(Tampered, match="TP-LEDGER-011"):
        verify_receipt(receipt_of(log, 300, 600), [Signer.from_seed(signer.vkey.name, bytes(32)).vkey])


HASH = b64encode(bytes(32)).decode()
NOTE = "\n\nnote"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n",
        f"c2sp.org/tlog-proof@v2\nextra AAAA\nindex 0{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 0{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 00{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\nindex -1{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\nindex {10**19}{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra A\nindex 0{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\nAAAA{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n{HASH} {NOTE}",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n" + "\n".join([HASH] * 65) + NOTE,
    ],
)
def test_what_is_no_receipt_is_refused(text):
    with pytest.raises(BadInput, match="TP-LEDGER-014"):
        decode_receipt(text)
