"""Bearer tokens: ``tp_`` and 256 random bits in base64url, kept as HMAC-SHA-256 under a key of the vault."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

PREFIX = "tp_"
SESSION_PREFIX = "tps_"
_FORM = re.compile(r"tps?_[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made. ``secret`` is shown to its owner once and never stored."""

    id: str
    secret: str = field(repr=False)


def new_secret(prefix: str = PREFIX) -> str:
    """A fresh secret: 32 random bytes behind a prefix that secret scanners can find."""
    return prefix + secrets.token_urlsafe(32)


def looks_like_token(text: str) -> bool:
    """Whether ``text`` has the form of a token; says nothing of its validity."""
    return bool(_FORM.match(text))


def token_hash(key: bytes, secret: str) -> bytes:
    """What is stored of a token, and looked up: HMAC-SHA-256. Equality is decided by the index over 256-bit outputs of a secret
    key, so timing tells nothing of the secret."""
    return hmac.digest(key, secret.encode("ascii", "replace"), hashlib.sha256)


def pseudonym(key: bytes, kind: str, text: str) -> str:
    """A keyed pseudonym for a name that must not stand in a record (what was typed at a log-in may be a password)."""
    return hmac.digest(key, f"{kind}\0{text}".encode("utf-8", "replace"), hashlib.sha256).hex()[:32]
