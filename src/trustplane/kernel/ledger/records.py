"""What the tree holds: a small canonical record with a salted commitment to the payload, which stays outside.

Erasing a payload and its salt leaves the record, its hash and every proof as they were, and nothing from which to guess
the payload.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
import rfc8785

from trustplane.kernel.ledger.tiles import MAX_ENTRY
from trustplane.values.errors import BadInput, Tampered
from trustplane.values.randomness import random_bytes

SALT_SIZE = 32
MAX_PAYLOAD = 32 << 20
"""The payload stays outside of the tree, so the limit of entries is not its own: the destruction of 100,000 keys is one event."""
_SAFE = 2**53 - 1  # RFC 8785 section 3.2.2.3 by way of RFC 7493 section 2.2
_COMMITMENT = re.compile(r"[0-9a-f]{64}\Z")

_encode = msgspec.json.Encoder(order="sorted").encode


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The record in the tree. ``time`` is RFC 3339 in UTC; ``commitment`` is hex SHA-256(salt || payload)."""

    v: int = 1
    id: str
    time: str
    actor: str
    action: str
    resource: str
    outcome: str
    commitment: str


class Sealed(msgspec.Struct, frozen=True):
    """A leaf, and what opens its commitment: the canonical payload and the salt."""

    leaf: bytes
    payload: bytes
    salt: bytes

    def __repr__(self) -> str:
        return f"Sealed(leaf={self.leaf!r})"


_decode = msgspec.json.Decoder(Leaf, strict=True).decode


def canonical(value: Any) -> bytes:
    """``value`` as canonical JSON by RFC 8785; raise :class:`BadInput` where it has none.

    Values without floats and with plain keys, that is nearly all, are written by msgspec: the same bytes, far sooner.
    """
    try:
        return _encode(value) if _is_plain(value) else rfc8785.dumps(value)
    except rfc8785.IntegerDomainError as error:
        raise _not_canonical("a whole number goes beyond 2^53 - 1 either way: write it as text") from error
    except rfc8785.FloatDomainError as error:
        raise _not_canonical("a number is infinite or not a number: write null, or say it in words") from error
    except UnicodeEncodeError as error:
        raise _not_canonical("a text holds a lone surrogate, which is no character") from error
    except RecursionError as error:
        raise _not_canonical("it is nested too deeply, or holds itself") from error
    except rfc8785.CanonicalizationError as error:
        raise _not_canonical(
            "it holds something other than text, numbers, booleans, null, lists and objects with text keys"
        ) from error


def _is_plain(value: Any) -> bool:
    """Whether msgspec writes ``value`` as RFC 8785 asks.

    It formats floats otherwise, and sorts keys by code point where section 3.2.3 sorts them by UTF-16 unit; the two
    orders differ beyond the basic plane.
    """
    kind = type(value)
    if kind is dict:
        for key, held in value.items():  # loops: this is walked for every event, and generators cost as much again
            if type(key) is not str or not key.isascii() or not (type(held) is str or _is_plain(held)):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    if kind is int:
        return bool(-_SAFE <= value <= _SAFE)
    return kind is str or value is None or kind is bool


def _not_canonical(why: str) -> BadInput:
    return BadInput("TP-LEDGER-015", "the value has no canonical form", why=why)


def seal(
    *,
    id: str,  # noqa: A002 - the name of the field
    time: str,
    actor: str,
    action: str,
    resource: str,
    outcome: str,
    payload: Mapping[str, Any],
) -> Sealed:
    """The record of an event whose ``payload`` is committed to, with a fresh salt of 32 random bytes."""
    body = canonical(payload if type(payload) is dict else dict(payload))
    if len(body) > MAX_PAYLOAD:
        raise _too_long("the payload of an event", len(body), MAX_PAYLOAD)
    salt = random_bytes(SALT_SIZE)
    commitment = sha256(salt + body).hexdigest()
    record = Leaf(
        id=id, time=time, actor=actor, action=action, resource=resource, outcome=outcome, commitment=commitment
    )
    try:
        leaf = _encode(record)
    except UnicodeEncodeError as error:
        raise _not_canonical("a text holds a lone surrogate, which is no character") from error
    if len(leaf) > MAX_ENTRY:
        raise _too_long("the record of an event", len(leaf), MAX_ENTRY)
    return Sealed(leaf, body, salt)


def _too_long(what: str, size: int, most: int) -> BadInput:
    return BadInput("TP-LEDGER-007", f"{what} has {size} bytes, more than {most}")


def decode_leaf(data: bytes) -> Leaf:
    """The record that ``data`` is, byte for byte; raise :class:`Tampered` if it is none."""
    try:
        leaf = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Tampered("TP-LEDGER-016", "the entry is not a record of the ledger") from error
    if leaf.v != 1 or not _COMMITMENT.match(leaf.commitment) or _encode(leaf) != data:
        raise Tampered("TP-LEDGER-016", "the entry is not a canonical record of version 1")
    return leaf


def open_commitment(leaf: bytes, payload: bytes, salt: bytes) -> Leaf:
    """The record that ``leaf`` is, if ``payload`` and ``salt`` open its commitment; else raise :class:`Tampered`."""
    record = decode_leaf(leaf)
    # A salt of another length would let bytes move between salt and payload.
    if len(salt) != SALT_SIZE or sha256(salt + payload).hexdigest() != record.commitment:
        raise Tampered("TP-LEDGER-017", "the payload is not the one that the entry commits to")
    return record
