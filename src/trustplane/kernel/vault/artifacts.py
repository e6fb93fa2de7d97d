"""Artifacts that are not tables: code, models, logs, reports. Encrypted streams, bound to the thing that they belong to."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from trustplane.kernel.vault.blobs import BlobStore
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.streams import decrypt, encrypt
from trustplane.kernel.vault.tables import VaultBlob
from trustplane.values.digests import Digest


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact that lies in the store. ``row`` is not in any session yet; ``sha256`` and ``size`` are of the plaintext."""

    row: VaultBlob
    sha256: Digest
    size: int

    @property
    def digest(self) -> Digest:
        """The address: the digest of the ciphertext."""
        return Digest(self.row.digest)


def seal(store: BlobStore, key: SecretKey, chunks: Iterable[bytes], subject: str, now: datetime) -> Artifact:
    """Encrypt ``chunks`` as an artifact of ``subject`` (``run:ID``). It cannot be read back as another subject's."""
    state, size = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks:
            state.update(chunk)
            size += len(chunk)
            yield chunk

    digest, stored = encrypt(store, key, counted(), subject.encode())
    row = VaultBlob(digest=digest, size=stored, subject=subject, created=now)
    return Artifact(row, Digest("sha256:" + state.hexdigest()), size)


def unseal(store: BlobStore, key: SecretKey, digest: str, subject: str) -> Iterator[bytes]:
    """The bytes of an artifact of ``subject``, in chunks; raise :class:`Tampered` where it does not hold."""
    return decrypt(store, key, Digest(digest), subject.encode())
