"""Synthetic people: seeded, diverse, and nobody. Standard library only.

Every detail keeps to what is reserved for examples where a reservation exists: e-mail domains of RFC 2606, telephone
numbers that regulators keep for fiction. IBANs have bank codes of zeros and right check digits; Taiwanese national ids
have right check digits, a sign for the sex of the row, and serial numbers that are made up. Right check digits are the
point: recognisers must find them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from trustplane.examples.credit.names import CULTURES, Culture

_DOMAINS = ("example.org", "example.com", "example.net")  # RFC 2606 section 3

# France: numbers that the regulator keeps for audiovisual works (ARCEP decision 2018-0881).
_FRENCH_FICTION = ("1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49", "6 39 98")
_AMERICAN_AREAS = ("201", "212", "303", "312", "404", "415", "503", "617", "702", "808", "907")

# Country, bank code of zeros or letters that belong to no bank, and digits of the account.
_BANKS = (
    ("DE", "00000000", 10),
    ("FR", "0000000000", 13),
    ("ES", "0000000000", 10),
    ("NL", "TEST", 10),
    ("GB", "TEST000000", 8),
)

_TW_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # in the order of the numbers that they stand for, from 10 on


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic person."""

    name: str
    email: str
    phone: str
    national_id: str
    iban: str
    address: str


def people(seed: int) -> Iterator[Person]:
    """Endlessly many people; the same seed gives the same people. Their sex alternates by chance."""
    dice = random.Random(seed)  # noqa: S311 - example data needs repeatability, not secrecy
    while True:
        yield person(dice, woman=dice.random() < 0.5)


def person(dice: random.Random, *, woman: bool) -> Person:
    """One person drawn with ``dice``."""
    culture = dice.choices(CULTURES, weights=(6, 3, 2, 2, 2, 1))[0]
    given, given_plain = dice.choice(culture.women if woman else culture.men)
    family, family_plain = dice.choice(culture.families)
    name = culture.join.join((family, given) if culture.family_first else (given, family))
    return Person(
        name=name,
        email=f"{given_plain}.{family_plain}{dice.randrange(1, 10_000)}@{dice.choice(_DOMAINS)}",
        phone=_phone(dice),
        national_id=tw_national_id(dice.choice(_TW_LETTERS), woman=woman, serial=dice.randrange(10**7)),
        iban=_iban(dice),
        address=_address(dice, culture),
    )


def tw_national_id(letter: str, *, woman: bool, serial: int) -> str:
    """A Taiwanese national id: letter of the district, 1 for men or 2 for women, seven digits, check digit."""
    area = _TW_LETTERS.index(letter) + 10
    digits = [2 if woman else 1, *map(int, f"{serial:07d}")]
    total = (
        area // 10 + area % 10 * 9 + sum(weight * digit for weight, digit in zip(range(8, 0, -1), digits, strict=True))
    )
    return letter + "".join(map(str, digits)) + str(-total % 10)


def iban(country: str, bban: str) -> str:
    """The IBAN of a basic account number, with the check digits of ISO 13616: 98 minus the remainder by 97."""
    number = int("".join(str(int(sign, 36)) for sign in bban + country + "00"))
    return f"{country}{98 - number % 97:02d}{bban}"


def _iban(dice: random.Random) -> str:
    country, bank, digits = dice.choice(_BANKS)
    return iban(country, bank + f"{dice.randrange(10**digits):0{digits}d}")


def _phone(dice: random.Random) -> str:
    match dice.randrange(3):
        case 0:
            # North American Numbering Plan: 555-0100 to 555-0199 are kept for fiction in every area.
            return f"+1 {dice.choice(_AMERICAN_AREAS)} 555 01{dice.randrange(100):02d}"
        case 1:
            # United Kingdom: mobile numbers that Ofcom keeps for drama.
            return f"+44 7700 900{dice.randrange(1000):03d}"
        case _:
            return f"+33 {dice.choice(_FRENCH_FICTION)} {dice.randrange(100):02d} {dice.randrange(100):02d}"


def _address(dice: random.Random, culture: Culture) -> str:
    return culture.address.format(
        street=dice.choice(culture.streets), number=dice.randrange(1, 200), place=dice.choice(culture.places)
    )
