"""Transforms that give a value another name: hash, pseudonym, token, cipher, synthetic.

What is compared is the value as people mean it (:func:`trustplane.data.blind_index.normal`), so 'DE89 3704' and 'de893704' have one
pseudonym.
"""

import base64
import hashlib
import hmac
import random
import secrets
from typing import Any, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from trustplane.data.blind_index import normal
from trustplane.data.transforms.coarse import by_value
from trustplane.data.transforms.contract import Keys
from trustplane.data.transforms.options import one_of, words
from trustplane.kernel.vault.pseudonyms import HANDLE, SEALED, pseudonym
from trustplane.values.errors import BadInput, Unavailable

NOTHING: frozenset[str] = frozenset()
LEAST_DOMAIN = 1_000_000
"""So many values must be possible under a format-preserving cipher (NIST SP 800-38G Rev. 1, section 5.2)."""
ALPHABETS = {"digits": "0123456789", "alphanumeric": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
LONGEST_VALUE = 4_096


class Hash:
    """A keyed hash whose secret is thrown away: equal values are equal within the one table, and nobody can test a guess."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def apply(self, values: Any, keys: Keys) -> Any:
        """32 hexadecimal digits for each value."""
        secret = secrets.token_bytes(32)
        return by_value(values, lambda v: hmac.digest(secret, normal(v).encode(), hashlib.sha256)[:16].hex())


class Pseudonym:
    """A keyed name, the same for a value wherever the project uses the domain, and for nobody else."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"pseudonym"})

    def __init__(self, domain: str = "person") -> None:
        """Columns of one ``domain`` can be joined."""
        self._domain = words("domain", domain)

    def apply(self, values: Any, keys: Keys) -> Any:
        """``ps_`` and 26 characters for each value."""
        return by_value(values, lambda v: pseudonym(keys["pseudonym"], f"recipe/{self._domain}", normal(v)))


class Token:
    """A keyed name that whoever may reveal can turn back: AES-SIV (RFC 5297) of the value, behind a handle that is a pseudonym."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"token"})

    def __init__(self, domain: str = "person") -> None:
        """Columns of one ``domain`` can be joined."""
        self._domain = words("domain", domain)

    def apply(self, values: Any, keys: Keys) -> Any:
        """``tk_``, the handle, ``_`` and the sealed value."""
        sealer, label = self._sealer(keys), self._label()
        key = keys["token"]

        def made(value: str) -> str:
            if len(value) > LONGEST_VALUE:
                raise BadInput(
                    "TP-DATA-131", f"a value is longer than {LONGEST_VALUE:,} characters: no token is that long"
                )
            handle = pseudonym(key, f"token/{self._domain}", normal(value)).removeprefix("ps_")
            sealed = sealer.encrypt(b"\0" + value.encode(), [label])
            return f"{SEALED}{handle}_{base64.b32encode(sealed).decode().rstrip('=').lower()}"

        return by_value(values, made)

    def reveal(self, made: str, keys: Keys) -> str:
        """The value behind a token."""
        sealed = made[HANDLE + 1 :].upper()
        try:
            raw = base64.b32decode(sealed + "=" * (-len(sealed) % 8))
            return self._sealer(keys).decrypt(raw, [self._label()])[1:].decode()
        except (ValueError, InvalidTag):
            raise BadInput("TP-DATA-134", "that is no token of this column") from None

    def _sealer(self, keys: Keys) -> AESSIV:
        return AESSIV(hmac.digest(keys["token"].material, b"trustplane/token/v1", hashlib.sha512))

    def _label(self) -> bytes:
        return self._domain.encode()


class Cipher:
    """Format-preserving encryption (FF1, NIST SP 800-38G): digits become digits, all other signs stay where they are."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"token"})

    def __init__(self, alphabet: str = "digits", domain: str = "person") -> None:
        """``alphabet`` is digits, or alphanumeric: digits and letters without case."""
        self._letters = ALPHABETS[one_of("alphabet", alphabet, tuple(ALPHABETS))]
        self._domain = words("domain", domain)
        self._engine = _engine()

    def apply(self, values: Any, keys: Keys) -> Any:
        """Values of the same form. Check digits do not hold afterwards, unless by chance."""
        return by_value(values, lambda v: self._turned(v.upper() if len(self._letters) > 10 else v, keys, reveal=False))

    def reveal(self, made: str, keys: Keys) -> str:
        """The value, its letters in upper case."""
        try:
            return self._turned(made, keys, reveal=True)
        except BadInput:
            raise BadInput("TP-DATA-134", "that is no value of this column") from None

    def _turned(self, value: str, keys: Keys, *, reveal: bool) -> str:
        places = [at for at, sign in enumerate(value) if sign in self._letters]
        if len(self._letters) ** min(len(places), 20) < LEAST_DOMAIN:
            raise BadInput("TP-DATA-131", "a value has too few signs for format-preserving encryption", why="a million values must be possible")  # fmt: skip
        if len(places) > LONGEST_VALUE:
            raise BadInput("TP-DATA-131", f"a value is longer than {LONGEST_VALUE:,} characters")
        key = hmac.digest(keys["token"].material, b"trustplane/ff1/v1", hashlib.sha256).hex()
        turn = self._engine.decrypt if reveal else self._engine.encrypt
        turned = turn(key, self._domain.encode().hex(), self._letters, "".join(value[at] for at in places))
        signs = list(value)
        for at, sign in zip(places, turned, strict=True):
            signs[at] = sign
        return "".join(signs)


class Synthetic:
    """A made-up value of the same kind, always the same one for a value, so that a person keeps it through all rows and tables."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset({"pseudonym"})
    KINDS: ClassVar[tuple[str, ...]] = (
        "name", "first_name", "last_name", "safe_email", "user_name", "phone_number", "street_address", "city", "postcode",
        "country", "company", "job", "date_of_birth", "iban", "credit_card_number", "ssn", "license_plate", "ipv4", "url",
    )  # fmt: skip

    def __init__(self, kind: str, locale: str = "en_US", domain: str = "person") -> None:
        """``kind`` is a provider of Faker, ``locale`` one of its locales."""
        self._kind = one_of("kind", kind, self.KINDS)
        self._domain = words("domain", domain)
        self._random = random.Random()  # noqa: S311 # seeded with a keyed hash for each value
        self._faker = _faker(words("locale", locale, 2, 20), self._random)

    def apply(self, values: Any, keys: Keys) -> Any:
        """Text. Two values may become the same one."""
        key, label = keys["pseudonym"], f"synthetic/{self._domain}/{self._kind}"

        def made(value: str) -> str:
            self._random.seed(pseudonym(key, label, normal(value)))
            return str(getattr(self._faker, self._kind)()).replace("\n", ", ")

        return by_value(values, made)


def _engine() -> Any:
    try:
        from fastfpe import ff1
    except ImportError:
        raise _missing("fastfpe") from None
    return ff1


def _faker(locale: str, source: random.Random) -> Any:
    try:
        from faker import Faker
    except ImportError:
        raise _missing("faker") from None
    try:
        made = Faker(locale)
    except AttributeError:
        raise BadInput("TP-DATA-130", f"there is no locale {locale!r}") from None
    setattr(made, "random", source)  # noqa: B010 # it hands the attribute on to its providers
    return made


def _missing(library: str) -> Unavailable:
    return Unavailable("TP-DATA-132", "the extra 'protect' is not installed", why=f"the step needs {library}")
