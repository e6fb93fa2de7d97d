"""Payment card numbers (ISO/IEC 7812): issuer prefix, length and the Luhn check, judged against what chance gives."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.codes import bytes_of
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import Mask, chance_bound, confidence, matching, share
from trustplane.data.recognisers.headers import mentions, phrases

_FORM = r"^[0-9](?:[ -]?[0-9]){11,18}$"
# Visa; Mastercard; American Express; Discover; Diners; JCB; UnionPay; Maestro: ranges in public use.
_ISSUER = re.compile(
    r"^(?:4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12}"
    r"|3(?:0[0-5]|[689][0-9])[0-9]{11,13}|35[0-9]{14}|(?:2131|1800)[0-9]{11}|62[0-9]{14,17}|(?:5[06789]|6[37])[0-9]{10,17})$"
)
_INSIDE = r"(?<![0-9A-Za-z.+-])[0-9](?:[ -]?[0-9]){11,18}(?![0-9A-Za-z-])"
_OPENING = Opening(("#" + "[0-9 -]" * 11,), "0-9A-Za-z.+-")
_NAMES = phrases("card, credit card, card number, cc, ccn, pan, kreditkarte, carte, tarjeta")
_CHANCE = 0.1
_WIDTH = 19
_SHORTEST = 12
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: npt.NDArray[np.uint8]) -> Mask:
    """Which rows of digits, shape (numbers, width), pass the Luhn check (ISO/IEC 7812-1 annex B)."""
    folded = digits.copy()
    folded[:, -2::-2] = np.array(_DOUBLED, np.uint8)[folded[:, -2::-2]]
    passed: Mask = folded.sum(axis=1, dtype=np.int64) % 10 == 0
    return passed


def is_card(text: str) -> bool:
    """Whether a number has an issuer's prefix and length, and passes the check."""
    bare = text.replace(" ", "").replace("-", "")
    if _ISSUER.match(bare) is None:
        return False
    digits = list(map(int, reversed(bare)))
    return (sum(digits[::2]) + sum(map(_DOUBLED.__getitem__, digits[1::2]))) % 10 == 0


class CreditCard:
    """Columns of card numbers. One random number in ten passes Luhn, so only a share far above that counts."""

    descriptor = Descriptor("credit_card", "CREDIT_CARD", SensitivityClass.IDENTIFIER, uses_checksum=True)

    def in_text(self) -> TextForm:
        """Numbers of an issuer that pass the check."""
        return TextForm(_INSIDE, 0.9, _NAMES, is_card, opening=_OPENING)

    def judge(self, column: ColumnSample) -> Judgement | None:
        if column.longest < _SHORTEST:
            return None
        bare = _bare(column)
        cards = bare.filter(pc.match_substring_regex(bare, pattern=_ISSUER.pattern))
        passed = int(np.count_nonzero(luhn(_digits(cards)))) if len(cards) else 0
        found = share(np.arange(column.distinct) < passed)
        named = mentions(column.header, _NAMES)
        # Of all numbers of the length, not only of those with an issuer's prefix: order numbers often share a prefix.
        by_chance = chance_bound(passed, len(bare), _CHANCE)
        if not found.enough or by_chance > (0.05 if named else 1e-6):
            return None
        why = f"{found} are card numbers that pass the Luhn check, of random numbers 10 % would"
        return Judgement(self.descriptor.entity, confidence(0.98, found, named=named), why)


def _bare(column: ColumnSample) -> Any:
    """The values that have the form of a card number, without what stands between their digits."""
    shaped = column.values.filter(matching(column, _FORM))
    return pc.replace_substring_regex(shaped, pattern="[ -]", replacement="") if column.holds(" -") else shaped


def _digits(numbers: Any) -> npt.NDArray[np.uint8]:
    padded = bytes_of(pc.ascii_lpad(numbers, width=_WIDTH, padding="0"))
    return (padded - ord("0")).reshape(-1, _WIDTH)
