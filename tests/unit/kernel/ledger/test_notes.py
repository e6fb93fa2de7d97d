"""Notes and checkpoints are those of the C2SP texts, and one that was changed anywhere is refused."""

import re
from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.kernel.ledger.notes import (
    Checkpoint,
    Signer,
    Vkey,
    decode_base64,
    encode_base64,
    open_checkpoint,
    open_note,
    sign,
    sign_note,
)
from trustplane.values.errors import BadInput, Tampered

NAME = "vectors.example/ledger"
ROOT = bytes(range(32))
OTHER = Signer.from_seed("other.example/log", bytes(32))


def test_the_published_note_opens(vectors):
    known = vectors["signed_note"]
    vkey = Vkey.parse(known["vkey"])
    assert str(vkey) == known["vkey"]
    assert open_note(known["note"], [vkey]) == (known["text"], (vkey,))


def test_checkpoints_are_those_of_the_vectors(vectors, signer):
    known = vectors["trustplane"]
    assert str(signer.vkey) == known["vkey"]
    checkpoint = Checkpoint(NAME, 600, bytes.fromhex(known["roots"]["600"]))
    assert sign(checkpoint, signer) == known["checkpoint"]
    assert open_checkpoint(known["checkpoint"], [Vkey.parse(known["vkey"] + "\n")]) == checkpoint


def test_no_byte_of_a_signed_checkpoint_can_be_another(signer):
    note = sign(Checkpoint(NAME, 600, ROOT), signer)
    for at in range(len(note)):
        for char in {chr(ord(note[at]) ^ 1), "\n", "A", " "} - {note[at]}:
            with pytest.raises((BadInput, Tampered)):
                open_checkpoint(note[:at] + char + note[at + 1 :], [signer.vkey])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 190), st.integers(1, 191))
def test_cutting_or_doubling_is_refused(signer, start, end):
    note = sign(Checkpoint(NAME, 600, ROOT), signer)
    assert len(note) >= 191
    start, end = sorted((start, end + (start == end)))
    for changed in (note[:start] + note[end:], note[:end] + note[start:]):
        if changed != note + note[note.rindex("\u2014") :]:
            with pytest.raises((BadInput, Tampered)):
                open_checkpoint(changed, [signer.vkey])


def test_signatures_of_other_keys_are_passed_over(signer):
    text = Checkpoint(NAME, 1, ROOT).text()
    note = sign_note(text, OTHER, signer)
    assert open_note(note, [signer.vkey]) == (text, (signer.vkey,))
    assert open_note(note, [signer.vkey, OTHER.vkey]) == (text, (OTHER.vkey, signer.vkey))


def test_a_note_that_no_known_key_signed_is_refused(signer):
    with pytest.raises(Tampered, match="TP-LEDGER-011 the note is not signed by a known key"):
        open_note(sign_note("text\n", OTHER), [signer.vkey])


def test_a_known_key_whose_signature_does_not_hold_refuses_the_note_though_another_holds(signer):
    note = sign_note("text\n", OTHER, signer)
    forged = Signer.from_seed(OTHER.vkey.name, bytes([1] * 32))
    blob = encode_base64(OTHER.vkey.key_id + forged.sign(b"text\n"))
    with pytest.raises(Tampered, match=r"TP-LEDGER-011 the signature of other\.example/log does not hold"):
        open_note(re.sub(r"(\u2014 other\S+) \S+", rf"\1 {blob}", note), [signer.vkey, OTHER.vkey])


def test_a_checkpoint_is_of_the_log_whose_key_signed_it(signer):
    checkpoint = Checkpoint("other.example/log", 1, ROOT)
    with pytest.raises(BadInput, match="TP-LEDGER-013"):
        sign(checkpoint, signer)
    with pytest.raises(Tampered, match="TP-LEDGER-013 the checkpoint is of another log"):
        open_checkpoint(sign_note(checkpoint.text(), signer), [signer.vkey])


def test_extension_lines_are_let_be(signer):
    text = Checkpoint(NAME, 7, ROOT).text() + "an extension\n"
    assert open_checkpoint(sign_note(text, signer), [signer.vkey]) == Checkpoint(NAME, 7, ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{NAME}\n1\n",
        f"{NAME}\n01\n{encode_base64(ROOT)}\n",
        f"{NAME}\n-1\n{encode_base64(ROOT)}\n",
        f"{NAME}\n+1\n{encode_base64(ROOT)}\n",
        f"{NAME}\n1 \n{encode_base64(ROOT)}\n",
        f"{NAME}\n\u0661\n{encode_base64(ROOT)}\n",
        f"{NAME}\n99999999999999999999\n{encode_base64(ROOT)}\n",
        f"{NAME}\n1\n{encode_base64(ROOT)}",
        f"{NAME}\n1\n{encode_base64(ROOT[:31])}\n",
        f"{NAME}\n1\n{encode_base64(ROOT)[:-1]}\n",
        f"\n1\n{encode_base64(ROOT)}\n",
        f"{NAME}\n1\n{encode_base64(ROOT)}\n\nextension\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(BadInput, match="TP-LEDGER-012"):
        Checkpoint.parse(text)


@pytest.mark.parametrize("text", ["", "no line feed", "a tab\t\n", "a return\r\n", "a null\0\n"])
def test_what_cannot_be_signed_as_a_note_is_refused(signer, text):
    with pytest.raises(BadInput, match="TP-LEDGER-012"):
        sign_note(text, signer)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n\u2014 name AAAAAAA=",
        "text\n\n- name AAAAAAA=\n",
        "text\n\n\u2014  AAAAAAA=\n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 name ****\n",
        "text\n\n" + "\u2014 name AAAAAAA=\n" * 101,
    ],
)
def test_what_is_no_note_is_refused(signer, note):
    with pytest.raises(BadInput, match="TP-LEDGER-012"):
        open_note(note, [signer.vkey])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\tb", "a\u00a0b", "a\nb", "a\0b"])
def test_a_name_that_would_break_signature_lines_is_refused(name):
    with pytest.raises(BadInput, match="TP-LEDGER-009"):
        Vkey(name, bytes(32))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text.replace("ledger", "other"),
        lambda text: text.replace("+fcf86b75+", "+fcf86b76+"),
        lambda text: text.replace("+fcf86b75+", "+FCF86B75+"),
        lambda text: text.replace("+AQOh", "+AgOh"),
        lambda text: text.rpartition("+")[0],
        lambda text: text.rpartition("+")[0] + "+" + b64encode(b"\x01" + bytes(31)).decode(),
    ],
)
def test_a_verifier_key_that_was_changed_is_refused(vectors, change):
    with pytest.raises(BadInput, match="TP-LEDGER-010"):
        Vkey.parse(change(vectors["trustplane"]["vkey"]))


@given(st.binary(max_size=80))
def test_base64_comes_back(data):
    assert decode_base64(encode_base64(data)) == data == b64decode(encode_base64(data))


@pytest.mark.parametrize("text", ["A", "AA", "AB==", "AAB=", "AA==\n", " AA==", "AA=A", "A-_A", "\u00e9AAA"])
def test_base64_of_another_form_is_refused(text):
    with pytest.raises(ValueError, match="base64"):
        decode_base64(text)


def test_a_signer_does_not_show_its_key(signer):
    assert "Ed25519PrivateKey" not in repr(signer)
    assert bytes(range(32)).hex() not in repr(signer)
