"""Passwords for the console: argon2id (RFC 9106), library defaults (64 MiB, 3 passes)."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from trustplane.values.errors import BadInput, Unauthenticated

MIN_LENGTH = 12
MAX_LENGTH = 1024
_hasher = PasswordHasher()
# Checked when the name is unknown, so that the answer takes as long as for a known one. Written out: to make it takes each process 64 MiB.
_DECOY = "$argon2id$v=19$m=65536,t=3,p=4$bm8gc3VjaCBwcmluY2lwYQ$xmi5NNiVdWDO42Sdwyu+9lyLJ0rnDfH3/xS74AfYukQ"


def hash_password(password: str) -> str:
    """The argon2id hash of ``password`` in PHC form; raises :class:`BadInput` if it is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise BadInput("TP-IDENTITY-004", f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return _hasher.hash(password)


def check_password(stored: str | None, password: str) -> None:
    """Raise :class:`Unauthenticated` unless ``password`` matches. An absent hash takes the same time and fails the same way."""
    try:
        _hasher.verify(stored or _DECOY, password[: MAX_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        matched = False
    else:
        matched = stored is not None
    if not matched:
        raise Unauthenticated("TP-IDENTITY-002", "the name or the password is wrong")
