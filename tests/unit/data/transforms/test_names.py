"""Other names for values: format-preserving encryption against NIST's samples, tokens, pseudonyms, made-up people."""

import re
import string

import pyarrow as pa
import pytest
from fastfpe import ff1

from trustplane.data.transforms.names import Cipher, Hash, Pseudonym, Synthetic, Token
from trustplane.kernel.vault.keys import fresh
from trustplane.kernel.vault.pseudonyms import called
from trustplane.values.errors import BadInput

KEYS = {"pseudonym": fresh("a"), "token": fresh("b")}
K128 = "2B7E151628AED2A6ABF7158809CF4F3C"
K192 = K128 + "EF4359D8D580AA4F"
K256 = K192 + "7F036D6F04FC6A94"
T10, T36 = "39383736353433323130", "3737373770717273373737"
DIGITS, LETTERS = "0123456789", "0123456789abcdefghi"
RADIX36 = string.digits + string.ascii_lowercase
NIST = (
    (K128, "", DIGITS, "2433477484"), (K128, T10, DIGITS, "6124200773"), (K128, T36, LETTERS, "a9tv40mll9kdu509eum"),
    (K192, "", DIGITS, "2830668132"), (K192, T10, DIGITS, "2496655549"), (K192, T36, LETTERS, "xbj3kv35jrawxv32ysr"),
    (K256, "", DIGITS, "6657667009"), (K256, T10, DIGITS, "1001623463"), (K256, T36, LETTERS, "xs8a0azh2avyalyzuwd"),
)  # fmt: skip


def one(transform, value):
    return transform.apply(pa.array([value]), KEYS).to_pylist()[0]


@pytest.mark.parametrize(("key", "tweak", "plain", "sealed"), NIST)
def test_ff1_gives_the_samples_of_nist(key, tweak, plain, sealed):
    alphabet = DIGITS if plain == DIGITS else RADIX36
    assert ff1.encrypt(key, tweak, alphabet, plain) == sealed
    assert ff1.decrypt(key, tweak, alphabet, sealed) == plain


def test_a_cipher_keeps_the_form():
    made = one(Cipher(), "4111-1111-1111-1111")
    assert re.fullmatch(r"\d{4}-\d{4}-\d{4}-\d{4}", made)
    assert made != "4111-1111-1111-1111"
    assert made.replace("-", "") == one(Cipher(), "4111111111111111")
    assert re.fullmatch(r"[0-9A-Z]{4} [0-9A-Z]{4}", one(Cipher(alphabet="alphanumeric"), "de89 3704"))
    assert one(Cipher(domain="other"), "4111111111") != one(Cipher(), "4111111111")


@pytest.mark.parametrize("value", ["12345", "1-2-3-4-5", "abc", "", "١٢٣٤٥٦٧"])
def test_a_cipher_refuses_what_could_be_tried_out(value):
    with pytest.raises(BadInput) as caught:
        one(Cipher(), value)
    assert caught.value.code == "TP-DATA-131"


def test_a_token_is_known_by_its_handle_however_it_is_written():
    spaced, joined = one(Token(), "DE89 3704 0044"), one(Token(), "de8937040044")
    assert spaced != joined
    assert called(spaced) == called(joined) == spaced[:29]
    assert Token().reveal(spaced, KEYS) == "DE89 3704 0044"
    assert "de89" not in spaced.lower()
    with pytest.raises(BadInput):
        Token(domain="other").reveal(spaced, KEYS)
    with pytest.raises(BadInput):
        Token().reveal(spaced[:-2] + ("aa" if spaced[-2:] != "aa" else "bb"), KEYS)


def test_pseudonyms_join_within_a_domain_alone():
    assert one(Pseudonym(), "C00 1") == one(Pseudonym(), "c001")
    assert one(Pseudonym("card"), "C001") != one(Pseudonym(), "C001")
    assert one(Pseudonym(), "C001") != one(Pseudonym(), "C002")


def test_a_hash_is_new_each_time():
    twice = Hash().apply(pa.array(["a", "a", "b"]), KEYS).to_pylist()
    assert twice[0] == twice[1] != twice[2]
    assert Hash().apply(pa.array(["a"]), KEYS).to_pylist() != twice[:1]


def test_a_person_keeps_the_made_up_name():
    names = pa.array(["Ann Lee", "Bo Ek", "ann lee", None])
    made = Synthetic(kind="name").apply(names, KEYS).to_pylist()
    assert made[0] == made[2] != made[1]
    assert made[3] is None
    assert made == Synthetic(kind="name").apply(names, KEYS).to_pylist()
    assert "@" in one(Synthetic(kind="safe_email", locale="de_DE"), "ann@mail.example")


@pytest.mark.parametrize("options", [{"kind": "seed"}, {"kind": "name", "locale": "xx_XX"}, {"kind": "__class__"}])
def test_only_known_kinds_are_made_up(options):
    with pytest.raises(BadInput):
        Synthetic(**options)
