"""Keys in memory: wrapped under another key they open in their own place alone, and they show themselves nowhere."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.vault.keys import KEY_SIZE, SecretKey, fresh, place, unwrap, wrap
from trustplane.values.errors import Tampered


@given(st.binary(min_size=KEY_SIZE, max_size=KEY_SIZE), st.binary(max_size=64))
def test_what_is_wrapped_unwraps(material, context):
    root = fresh("root")
    assert unwrap(root, wrap(root, material, context), context) == material


def test_it_unwraps_nowhere_else():
    root, other = fresh("root"), fresh("other")
    here = place("key", "parent", "dataset")
    wrapped = wrap(root, b"m" * 32, here)
    for context in (
        place("other", "parent", "dataset"),
        place("key", None, "dataset"),
        place("key", "parent", "model"),
        b"",
    ):
        with pytest.raises(Tampered) as told:
            unwrap(root, wrapped, context)
        assert told.value.code == "TP-VAULT-001"
    with pytest.raises(Tampered):
        unwrap(other, wrapped, here)


@given(st.data())
def test_no_changed_byte_goes_unnoticed(data):
    root = fresh("root")
    wrapped = bytearray(wrap(root, b"m" * 32, b"here"))
    index = data.draw(st.integers(0, len(wrapped) - 1))
    wrapped[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Tampered):
        unwrap(root, bytes(wrapped), b"here")


@given(st.integers(0, 60))
def test_a_cut_wrap_does_not_unwrap(length):
    root = fresh("root")
    with pytest.raises(Tampered):
        unwrap(root, wrap(root, b"m" * 32, b"here")[:length], b"here")


def test_places_do_not_run_into_each_other():
    assert place("a", "bc", "d") != place("ab", "c", "d")


def test_a_key_shows_itself_nowhere():
    key = SecretKey("id", b"\x41" * 32)
    for shown in (repr(key), str(key), f"{key}"):
        assert "A" * 8 not in shown
        assert "material" not in shown
    for serialise in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            serialise(key)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_key_has_256_bits(size):
    with pytest.raises(ValueError, match="32 bytes"):
        SecretKey("id", bytes(size))


def test_two_fresh_keys_differ():
    assert fresh("a").material != fresh("a").material
