"""Signed notes and checkpoints: C2SP signed-note and tlog-checkpoint, with Ed25519 signatures."""

import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from trustplane.kernel.ledger.merkle import HASH_SIZE
from trustplane.values.errors import BadInput, Tampered

_ED25519 = b"\x01"  # signed-note, "Signature types"
_MAX_SIGNATURES = 100  # signed-note asks verifiers for a limit of at least 16
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def decode_base64(text: str) -> bytes:
    """Decode canonical standard base64.

    Raises ``ValueError`` for anything else, so that no two texts mean the same bytes.
    """
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError) as error:
        raise ValueError("not base64") from error
    if b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return b64encode(data).decode()


def _check_key_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() for c in name) or not name.isprintable():
        raise BadInput("TP-LEDGER-009", f"{name[:80]!r} cannot name a key of the log")


@dataclass(frozen=True, slots=True)
class Vkey:
    """The public key that a log signs with, under the name of the log."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        _check_key_name(self.name)
        if len(self.public_key) != 32:
            raise BadInput("TP-LEDGER-010", "an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || 0x01 || public key)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.public_key)}"

    @classmethod
    def parse(cls, text: str) -> "Vkey":
        """Read ``name+hex(key id)+base64(0x01 || public key)``."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            key = decode_base64(encoded)
        except ValueError as error:
            raise BadInput("TP-LEDGER-010", "the verifier key is malformed") from error
        if key[:1] != _ED25519:
            raise BadInput("TP-LEDGER-010", "the verifier key is not an Ed25519 key")
        vkey = cls(name, key[1:])
        if vkey.key_id.hex() != key_id:
            raise BadInput("TP-LEDGER-010", "the verifier key does not have the id that it states")
        return vkey

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise :class:`Tampered` unless ``signature`` is this key's over ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except InvalidSignature as error:
            raise Tampered("TP-LEDGER-011", f"the signature of {self.name} does not hold") from error


@dataclass(frozen=True, slots=True, eq=False)
class Signer:
    """What signs for a log. The private key is never shown and cannot be taken out."""

    vkey: Vkey
    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> "Signer":
        """The signer named ``name`` with the private key of RFC 8032 section 5.1.5: 32 secret bytes."""
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(Vkey(name, key.public_key().public_bytes_raw()), key)

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature over ``text``, 64 bytes."""
        return self._key.sign(text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many entries, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text of tlog-checkpoint: origin, size and base64 root, a line each."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a note text. Extension lines are let be, for nothing in the tree vouches for them."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.match(lines[1]):
            raise _malformed("a checkpoint is an origin, a size and a root, a line each")
        try:
            root = decode_base64(lines[2])
        except ValueError as error:
            raise _malformed("its root is not base64") from error
        if len(root) != HASH_SIZE:
            raise _malformed("its root is not a SHA-256 hash")
        return cls(lines[0], int(lines[1]), root)


def sign_note(text: str, *signers: Signer) -> str:
    """``text``, which ends in a line feed, as a note signed by ``signers``."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise _malformed("its text does not end in a line feed, or holds control characters")
    lines = [f"\u2014 {s.vkey.name} {encode_base64(s.vkey.key_id + s.sign(text.encode()))}\n" for s in signers]
    return f"{text}\n{''.join(lines)}"


def open_note(note: str, vkeys: Iterable[Vkey]) -> tuple[str, tuple[Vkey, ...]]:
    """The text of a note and which of ``vkeys`` signed it.

    Signatures of other keys are passed over. One of a known key that does not hold refuses the note; so does the lack
    of any.
    """
    text, signatures = _split(note)
    known = {(v.name, v.key_id): v for v in vkeys}
    held: dict[Vkey, None] = {}
    for name, blob in signatures:
        vkey = known.get((name, blob[:4]))
        if vkey is not None:
            vkey.verify(text.encode(), blob[4:])
            held[vkey] = None
    if not held:
        raise Tampered("TP-LEDGER-011", "the note is not signed by a known key")
    return text, tuple(held)


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n") or _CONTROL.search(note):
        raise _malformed("it has no text, blank line and signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise _malformed(f"it has more than {_MAX_SIGNATURES} signatures")
    return f"{text}\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        blob = decode_base64(encoded)
    except ValueError as error:
        raise _malformed("a signature is not base64") from error
    if dash != "\u2014" or not name or len(blob) < 5:
        raise _malformed("a signature line is not an em dash, a name and a signature")
    return name, blob


def _malformed(why: str) -> BadInput:
    return BadInput("TP-LEDGER-012", "the note is malformed", why=why)


def sign(checkpoint: Checkpoint, signer: Signer) -> str:
    """``checkpoint`` as a note signed by ``signer``, whose name is the origin."""
    if checkpoint.origin != signer.vkey.name:
        raise BadInput("TP-LEDGER-013", f"{signer.vkey.name} does not sign for the log {checkpoint.origin[:80]!r}")
    return sign_note(checkpoint.text(), signer)


def open_checkpoint(note: str, vkeys: Iterable[Vkey]) -> Checkpoint:
    """The checkpoint of a note, signed by the one of ``vkeys`` that has the name of its origin."""
    text, signed_by = open_note(note, vkeys)
    checkpoint = Checkpoint.parse(text)
    if all(vkey.name != checkpoint.origin for vkey in signed_by):
        raise Tampered("TP-LEDGER-013", f"the checkpoint is of another log than {signed_by[0].name}")
    return checkpoint
