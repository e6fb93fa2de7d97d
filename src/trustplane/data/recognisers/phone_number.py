"""Telephone numbers: E.164 and common national ways to write them."""

import re

import numpy as np
import pyarrow.compute as pc

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.codes import bytes_of, is_digit
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import Mask, Share, confidence, matching
from trustplane.data.recognisers.headers import mentions, phrases

_INTERNATIONAL = r"^\+[1-9][0-9 ().-]{6,20}[0-9]$"
_NORTH_AMERICAN = r"^(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}$"
_TRUNK = r"^\(?0[1-9][0-9]{0,4}\)?(?:[ /-][0-9]{2,4}){1,4}$"
_DATE = r"^[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{2}|[0-9]{4})$"
_A_DATE = re.compile(_DATE)
_NO_DIGITS = bytes(each for each in range(256) if not chr(each).isdecimal())
_ZEROS = r"^[^0-9]*0[^0-9]*0"
_ANY = r"^\+?\(?[0-9][0-9 ()./-]{5,20}[0-9]$"
_INSIDE = (
    r"(?<![\w.+/-])(?<![0-9] )(?:(?:\+|00)[1-9][0-9]{0,2}[ .-]?(?:\(0?[0-9]{1,4}\)[ .-]?)?[0-9](?:[ .-]?[0-9]){5,13}"
    r"|(?:1[ .-])?(?:\([2-9][0-9]{2}\)[ .-]{0,2}|[2-9][0-9]{2}[ .-]{1,2})[2-9][0-9]{2}[ .-][0-9]{4}"
    r"|\(?0[1-9][0-9]{0,4}\)?(?:[ /-][0-9]{2,8}){1,4})(?: ?(?:x|ext\.?) ?[0-9]{1,6})?(?![\w-]|[./][0-9])"
)
_OPENING = Opening(
    ("+[1-9]", "00[1-9]", "1[ .-][(2-9]", "([2-9]##", "[2-9]##[) .-]", "(0[1-9]", "0[1-9]"), "0-9A-Za-z_.+/-"
)
# Digits in groups of any kind, which could be any number: only right after a word that says telephone.
_WEAK = r"(?<![\w.+/#-])\(?[0-9](?:[ ()./-]{0,2}[0-9]){6,14}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?(?![\w-]|[./][0-9])"
_WEAK_OPENING = Opening(("(#", "#"), "0-9A-Za-z_.+/#-")
_NEAR = phrases(
    "call, call me, dial, ring, sms, whatsapp, desk, hotline, helpline, switchboard, reach, reach me, reach us, text me, my number, your number, our number, his number, her number,"
    " contact number, appelez, rufen, llamar, chiama, bel"
)
_NAMES = phrases(
    "phone, telephone, tel, mobile, cell, fax, msisdn, phone number, mobile number, telefon, handy, telefono,"
    " téléphone, portable, móvil, movil, telefoon, telefoonnummer, mobiel, telemóvel, celular, telefone, komórka, komorka, cellulare,"
    " rufnummer, telefonnummer, handynummer, mobil, puhelin, 電話, 手機"
)


class PhoneNumber:
    """Columns of telephone numbers.

    Bare digits count only under a name that says telephone, since they could be any number.
    """

    descriptor = Descriptor("phone_number", "PHONE_NUMBER", SensitivityClass.IDENTIFIER)

    def in_text(self) -> TextForm:
        """The same ways to write them; digits in one go, and other groups, only with a plus or right after a word that says so."""
        weak = TextForm(_WEAK, 0.55, _NAMES | _NEAR, _is_possible, opening=_WEAK_OPENING)
        return TextForm(_INSIDE, 0.55, _NAMES | _NEAR, _is_possible, opening=_OPENING, weak=weak)

    def judge(self, column: ColumnSample) -> Judgement | None:
        named = mentions(column.header, _NAMES)
        if not named and (column.fractions or not column.holds("+()-/ .")):
            return None
        international = matching(column, _INTERNATIONAL) if column.holds("+") else np.zeros(column.distinct, np.bool_)
        found = _possible(column, international)
        specificity, form = 0.95, "an international telephone number"
        if not found.enough:
            found = _possible(column, matching(column, _NORTH_AMERICAN) | matching(column, _TRUNK))
            specificity, form = 0.75, "a national telephone number"
        if named and not found.enough:
            found = _possible(column, matching(column, _ANY))
            specificity, form = 0.6, "a telephone number written in digits"
        if not found.enough or (not named and found.value < 0.5):
            return None
        because = ", and the column's name says so" if named else ""
        return Judgement(
            self.descriptor.entity,
            confidence(specificity, found, named=named),
            f"{found} have the form of {form}{because}",
        )


def _possible(column: ColumnSample, formed: Mask) -> Share:
    """Those that are no dates and have a possible length.

    E.164 section 6.2.1: at most 15 digits, without a 00 for the plus; fewer than 7 are no subscriber's number.
    """
    if not formed.any():
        return Share(0, column.distinct)
    values = column.values if formed.all() else column.values.filter(formed)
    dates = pc.match_substring_regex(values, _DATE)
    if pc.any(dates).as_py():
        values = values.filter(pc.invert(dates))
    ends = np.cumsum(pc.binary_length(values).to_numpy(zero_copy_only=False))
    digits = np.concatenate([[0], np.cumsum(is_digit(bytes_of(values)), dtype=np.int32)])
    counts = np.diff(digits[np.concatenate([[0], ends])])
    counts = counts - 2 * pc.match_substring_regex(values, _ZEROS).to_numpy(zero_copy_only=False)
    return Share(int(np.count_nonzero((counts >= 7) & (counts <= 15))), column.distinct)


def _is_possible(text: str) -> bool:
    number = text.partition("x")[0].partition("ext")[0]
    return 7 <= len(number.encode().translate(None, _NO_DIGITS)) <= 15 and _A_DATE.match(number) is None
