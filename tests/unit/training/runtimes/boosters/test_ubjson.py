"""UBJSON: what XGBoost writes of it, to the last byte, and no count that is believed before its bytes are there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.training.runtimes.boosters.sound import Unsound
from trustplane.training.runtimes.boosters.ubjson import ubjson


def member(value, name=b"a"):
    return b"{" + b"i" + bytes([len(name)]) + name + value + b"}"


def test_values_of_every_kind_that_xgboost_writes():
    assert ubjson(member(b"SU\x02\xc3\xa4")) == {"a": "ä"}
    assert ubjson(member(b"[i\x01i\xff]")) == {"a": [1, -1]}
    assert ubjson(member(b"[$d#i\x02\x3f\x80\x00\x00\xff\x80\x00\x00")) == {"a": [1.0, float("-inf")]}
    assert ubjson(member(b"[$L#i\x01" + (1 << 40).to_bytes(8, "big"))) == {"a": [1 << 40]}
    assert ubjson(member(b"[#i\x02TF")) == {"a": [True, False]}
    assert ubjson(member(b"{i\x01bU\xff}")) == {"a": {"b": 255}}
    assert ubjson(b"{}") == {}


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"{i\x01", b"{}}", member(b"Z"), member(b"D" + bytes(8)), member(b"[$D#i\x01" + bytes(8)), member(b"N"), member(b"Hi\x011"), member(b"Cx"), member(b"Si\xffx"),
        member(b"[$T#L" + (1 << 60).to_bytes(8, "big")), member(b"[$Z#L" + (1 << 60).to_bytes(8, "big")),
        member(b"[$d#L" + (1 << 60).to_bytes(8, "big")), member(b"[$U#L" + (1 << 60).to_bytes(8, "big")),
        member(b"[#L" + (1 << 60).to_bytes(8, "big")), member(b"[$d#i\xff"), member(b"[$[#i\x01"), member(b"SU\x01\xff"),
        b"{" + b"L" + (1 << 62).to_bytes(8, "big") + b"a", b"{i\x01ai\x01i\x01ai\x01}", member(b"[" * 1000), b"{i\x01a" * 1000,
        b"{$i#i\x01i\x01a\x01", b"{#i\x01i\x01ai\x01",
    ],
)  # fmt: skip
def test_what_xgboost_does_not_write_is_refused(data):
    with pytest.raises(Unsound):
        ubjson(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    try:
        ubjson(b"{" + data)
    except Unsound:
        return
