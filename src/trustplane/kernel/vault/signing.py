"""Ed25519 keys for signatures: their seed is a key of the vault like any other."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trustplane.kernel.vault.keys import SecretKey


def signing_key(key: SecretKey) -> Ed25519PrivateKey:
    """The private key whose seed (RFC 8032 section 5.1.5) is the material of ``key``."""
    return Ed25519PrivateKey.from_private_bytes(key.material)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The raw public key, 32 bytes."""
    return key.public_key().public_bytes_raw()
