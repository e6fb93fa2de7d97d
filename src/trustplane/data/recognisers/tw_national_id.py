"""National identification numbers of Taiwan: a letter, sex or status, a serial number and a check digit."""

import numpy as np

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import chance_bound, confidence, matching, share
from trustplane.data.recognisers.headers import mentions, phrases

# Second sign: 1 and 2 for citizens, 8 and 9 for residents since 2021, A to D for residents before.
_FORM = r"^[A-Za-z][1289A-Da-d][0-9]{8}$"
_INSIDE = r"(?<![0-9A-Za-z])[A-Z][1289A-D][0-9]{8}(?![0-9A-Za-z])"
_NAMES = phrases("national id, id number, id no, identity, identity number, 身分證, 身分證字號, 身份證")
_CHANCE = 0.1

# The order in which the household registration gave the letters their numbers, from 10 on.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 1, 1)


def is_tw_national_id(text: str) -> bool:
    """Whether ``text`` has the form of a number and its weighted digit sum is a multiple of 10."""
    number = text.upper()
    if len(number) != 10 or number[0] not in _LETTERS or not (number[2:].isascii() and number[2:].isdigit()):
        return False
    if number[1] not in "1289ABCD":
        return False
    area = _LETTERS.index(number[0]) + 10
    second = int(number[1]) if number[1].isdigit() else _LETTERS.index(number[1]) % 10
    total = area // 10 + area % 10 * 9
    total += sum(weight * digit for weight, digit in zip(_WEIGHTS, (second, *map(int, number[2:])), strict=True))
    return total % 10 == 0


class TwNationalId:
    """Columns of Taiwanese national ids. Product codes of the same form pass the check one time in ten."""

    descriptor = Descriptor(
        "tw_national_id", "TW_NATIONAL_ID", SensitivityClass.IDENTIFIER, ("TW",), uses_checksum=True
    )

    def in_text(self) -> TextForm:
        """Numbers that pass the check."""
        return TextForm(_INSIDE, 0.6, _NAMES, is_tw_national_id, opening=Opening(("@[1289A-D]########",), "0-9A-Za-z"))

    def judge(self, column: ColumnSample) -> Judgement | None:
        if not column.letters:
            return None
        shaped = column.values.filter(matching(column, _FORM)).to_pylist()
        passed = sum(map(is_tw_national_id, shaped))
        found = share(np.arange(column.distinct) < passed)
        named = mentions(column.header, _NAMES)
        if not found.enough or chance_bound(passed, len(shaped), _CHANCE) > (0.11 if named else 1e-4):
            return None
        return Judgement(
            self.descriptor.entity,
            confidence(0.98, found, named=named),
            f"{found} are Taiwanese identification numbers whose check digit holds, chance would give 10 %",
        )
