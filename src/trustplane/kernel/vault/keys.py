"""Keys in memory, and one key under another: AES-256-GCM with the place of the key as associated data."""

import os
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from trustplane.values.errors import Tampered

KEY_SIZE = 32
_NONCE_SIZE = 12
_VERSION = b"\x01"


@dataclass(frozen=True, slots=True, eq=False)
class SecretKey:
    """A 256-bit key that a decision released. Nothing but ``material`` shows it."""

    id: str
    material: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.material) != KEY_SIZE:
            raise ValueError("a key has 32 bytes")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not serialised")


def fresh(key_id: str) -> SecretKey:
    """A new random key."""
    return SecretKey(key_id, os.urandom(KEY_SIZE))


def derive(key: SecretKey, label: str) -> SecretKey:
    """The key of a part of what ``key`` protects (HKDF-Expand with SHA-256, RFC 5869). Neither ``key`` nor another part's key follows from it."""
    info = b"trustplane/part/v1\0" + label.encode()
    return SecretKey(f"{key.id}/{label}", HKDFExpand(hashes.SHA256(), KEY_SIZE, info).derive(key.material))


def place(key_id: str, parent_id: str | None, purpose: str) -> bytes:
    """The associated data of a wrapped key: a row's wrapped bytes do not unwrap in another row's place."""
    return b"trustplane/key/v1\0" + "\0".join((key_id, parent_id or "", purpose)).encode()


def wrap(wrapping: SecretKey, material: bytes, context: bytes) -> bytes:
    """``material`` under ``wrapping``: a version byte, a nonce, and the sealed key."""
    nonce = os.urandom(_NONCE_SIZE)
    return _VERSION + nonce + AESGCM(wrapping.material).encrypt(nonce, material, context)


def unwrap(wrapping: SecretKey, wrapped: bytes, context: bytes) -> bytes:
    """The material that :func:`wrap` sealed; raise :class:`Tampered` if the bytes, the place or the wrapping key differ."""
    nonce, sealed = wrapped[1 : 1 + _NONCE_SIZE], wrapped[1 + _NONCE_SIZE :]
    try:
        if wrapped[:1] != _VERSION:
            raise InvalidTag
        return AESGCM(wrapping.material).decrypt(nonce, sealed, context)
    except (InvalidTag, ValueError):
        raise Tampered("TP-VAULT-001", f"a key under {wrapping.id} does not unwrap") from None
