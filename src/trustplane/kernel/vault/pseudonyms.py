"""Keyed deterministic pseudonyms: the same value has the same one within a project and a purpose, and none outside can be linked."""

import base64
import hashlib
import hmac

import pyarrow as pa

from trustplane.kernel.vault.keys import SecretKey

PREFIX = "ps_"
SEALED = "tk_"
_SIZE = 16
HANDLE = len(SEALED) + 26
"""A token begins with its handle, so many characters; ``_`` and the sealed value follow."""


def pseudonym(key: SecretKey, domain: str, value: str) -> str:
    """``ps_`` and 128 bits of HMAC-SHA-256 over the domain and the value, in base32."""
    tag = hmac.digest(key.material, domain.encode() + b"\0" + value.encode(), hashlib.sha256)[:_SIZE]
    return PREFIX + base64.b32encode(tag).decode().rstrip("=").lower()


def called(value: str) -> str:
    """By what a value is known: a token by its handle, everything else by itself."""
    return value[:HANDLE] if value.startswith(SEALED) and value[HANDLE : HANDLE + 1] == "_" else value


def pseudonymise(key: SecretKey, domain: str, column: pa.Array) -> pa.Array:
    """The column as text with each value replaced; nulls stay null. Each distinct value is computed once."""
    encoded = column.cast(pa.string()).dictionary_encode()
    names = pa.array([pseudonym(key, domain, v) for v in encoded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, names).cast(pa.string())
