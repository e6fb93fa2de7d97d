"""Digests: SHA-256, written ``sha256:<64 hex digits>``."""

import hashlib
import re
from collections.abc import Iterable
from typing import IO, NewType

Digest = NewType("Digest", str)

_FORM = re.compile(r"sha256:[0-9a-f]{64}\Z")
CHUNK = 1 << 20


def sha256(data: bytes) -> Digest:
    """The digest of ``data``."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def sha256_chunks(chunks: Iterable[bytes]) -> Digest:
    """The digest of the concatenation of ``chunks``, in constant memory."""
    state = hashlib.sha256()
    for chunk in chunks:
        state.update(chunk)
    return Digest("sha256:" + state.hexdigest())


def sha256_file(file: IO[bytes]) -> Digest:
    """The digest of what is left to read in ``file``, in constant memory."""
    return sha256_chunks(iter(lambda: file.read(CHUNK), b""))


def parse_digest(text: str) -> Digest:
    """Return ``text`` as a digest; raise ``ValueError`` if it is not one."""
    if not _FORM.match(text):
        raise ValueError(f"{text[:80]!r} is not a digest of the form sha256:<64 hex digits>")
    return Digest(text)


def hex_of(digest: Digest) -> str:
    """The 64 hex digits of ``digest``."""
    return digest.removeprefix("sha256:")
