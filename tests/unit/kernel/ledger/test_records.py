"""A record is canonical, its commitment opens to one payload alone, and says nothing about it."""

import json
import math
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.ledger.events import Entry, Event, Outcome
from trustplane.kernel.ledger.records import MAX_PAYLOAD, canonical, decode_leaf, open_commitment, seal
from trustplane.values.clock import parse_rfc3339
from trustplane.values.errors import BadInput, Tampered

SAFE = 2**53 - 1
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


def sealed(**changes):
    fields = {"id": "1", "time": "t", "actor": "ada", "action": "a.b", "resource": "R::1", "outcome": "done"}
    return seal(**fields | {"payload": {"n": 1}} | changes)


@given(VALUES)
def test_the_canonical_form_is_that_of_rfc_8785(value):
    assert canonical(value) == rfc8785.dumps(value)


def test_keys_are_sorted_by_utf_16_units():
    value = {"\ufb33": 1, "\U0001f600": 2, "a": 3}
    assert list(json.loads(canonical(value))) == ["a", "\U0001f600", "\ufb33"]


class Loop(list):
    pass


LOOP = Loop()
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), math.inf, math.nan, "\ud800", {"\ud800": 1}, b"bytes", {1: 2}, {"a": object()}, LOOP],
)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(BadInput, match="TP-LEDGER-015"):
        canonical({"value": value})


def test_the_record_is_that_of_the_vectors(vectors):
    for known in vectors["trustplane"]["events"]:
        leaf, payload, salt = known["leaf"].encode(), known["payload"].encode(), bytes.fromhex(known["salt"])
        record = open_commitment(leaf, payload, salt)
        assert record.commitment == sha256(salt + payload).hexdigest()
        assert record.resource == json.loads(leaf)["resource"]


def test_a_sealed_event_opens_to_what_was_sealed():
    moment = parse_rfc3339("2026-11-23T09:30:00.000001Z")
    event = Event("1", moment, "ada", "project.create", "Project::1", Outcome.DONE, {"b": [1, None], "a": 0.5})
    entry = Entry.of(event)
    record = open_commitment(entry.sealed.leaf, entry.sealed.payload, entry.sealed.salt)
    assert (entry.id, entry.resource) == (record.id, record.resource) == ("1", "Project::1")
    assert (record.time, record.outcome) == ("2026-11-23T09:30:00.000001Z", "done")
    assert entry.sealed.payload == b'{"a":0.5,"b":[1,null]}'
    assert entry.sealed.leaf == rfc8785.dumps(json.loads(entry.sealed.leaf))


def test_the_same_payload_commits_to_something_else_each_time():
    one, two = sealed(), sealed()
    assert one.payload == two.payload
    assert decode_leaf(one.leaf).commitment != decode_leaf(two.leaf).commitment


def test_neither_payload_nor_salt_shows_itself():
    one = sealed(payload={"secret": "marmalade"})
    assert "marmalade" not in repr(one)
    assert repr(one.salt) not in repr(one)


@given(st.binary(min_size=1, max_size=8), st.integers(0, 100))
def test_nothing_else_opens_a_commitment(noise, at):
    one = sealed()
    for payload, salt in (
        (one.payload + noise, one.salt),
        (one.payload[1:], one.salt + one.payload[:1]),
        (one.salt[-1:] + one.payload, one.salt[:-1]),
        (one.payload, bytes(32)),
        (one.payload, b""),
    ):
        with pytest.raises(Tampered, match="TP-LEDGER-017"):
            open_commitment(one.leaf, payload, salt)
    cut = one.leaf[: at % len(one.leaf)]
    with pytest.raises(Tampered, match="TP-LEDGER-016"):
        open_commitment(cut, one.payload, one.salt)


@pytest.mark.parametrize(
    "change",
    [
        lambda leaf: leaf.replace(b'"v":1', b'"v":2'),
        lambda leaf: leaf.replace(b'"v":1', b'"v": 1'),
        lambda leaf: leaf.replace(b'"v":1', b'"v":1,"w":1'),
        lambda leaf: leaf.replace(b'"actor":"ada",', b""),
        lambda leaf: b" " + leaf,
        lambda leaf: json.dumps(dict(reversed(json.loads(leaf).items())), separators=(",", ":")).encode(),
        lambda leaf: leaf.replace(b"ada", b"\xff"),
        lambda leaf: leaf.replace(b"ada", b"\\u0061da"),
        lambda leaf: leaf.replace(json.loads(leaf)["commitment"].encode(), b"A" * 64),
    ],
)
def test_a_leaf_of_another_form_is_refused(change):
    with pytest.raises(Tampered, match="TP-LEDGER-016"):
        decode_leaf(change(sealed().leaf))


def test_what_is_too_long_is_refused():
    assert sealed(payload={"a": "x" * (MAX_PAYLOAD - 8)}).payload[-1:] == b"}"
    with pytest.raises(BadInput, match="TP-LEDGER-007 the payload of an event has 33554433 bytes"):
        sealed(payload={"a": "x" * (MAX_PAYLOAD - 7)})
    with pytest.raises(BadInput, match="TP-LEDGER-007 the record of an event"):
        sealed(resource="x" * 65_535)
    with pytest.raises(BadInput, match="TP-LEDGER-015"):
        sealed(resource="\ud800")
