"""Telephone numbers: E.164 and common national ways to write them."""

import pyarrow.compute as pc

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.evidence import Mask, confidence, matching, share
from trustplane.data.recognisers.headers import mentions, phrases

_INTERNATIONAL = r"^\+[1-9][0-9 ().-]{6,20}[0-9]$"
_NORTH_AMERICAN = r"^(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}$"
_TRUNK = r"^\(?0[1-9][0-9]{0,4}\)?(?:[ /-][0-9]{2,4}){1,4}$"
_DATE = r"^[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{2}|[0-9]{4})$"
_ANY = r"^\+?\(?[0-9][0-9 ()./-]{5,20}[0-9]$"
_NAMES = phrases(
    "phone, telephone, tel, mobile, cell, fax, msisdn, phone number, mobile number, telefon, handy, telefono,"
    " téléphone, 電話, 手機"
)


class PhoneNumber:
    """Columns of telephone numbers.

    Bare digits count only under a name that says telephone, since they could be any number.
    """

    descriptor = Descriptor("phone_number", "PHONE_NUMBER", SensitivityClass.IDENTIFIER)

    def judge(self, column: ColumnSample) -> Judgement | None:
        named = mentions(column.header, _NAMES)
        possible = _plausible_length(column) & ~matching(column, _DATE)
        found = share(matching(column, _INTERNATIONAL) & possible)
        specificity, form = 0.95, "an international telephone number"
        if not found.enough:
            found = share((matching(column, _NORTH_AMERICAN) | matching(column, _TRUNK)) & possible)
            specificity, form = 0.75, "a national telephone number"
        if named and not found.enough:
            found = share(matching(column, _ANY) & possible)
            specificity, form = 0.6, "a telephone number written in digits"
        if not found.enough or (not named and found.value < 0.5):
            return None
        because = ", and the column's name says so" if named else ""
        return Judgement(
            self.descriptor.entity,
            confidence(specificity, found, named=named),
            f"{found} have the form of {form}{because}",
        )


def _plausible_length(column: ColumnSample) -> Mask:
    """E.164 section 6.2.1: at most 15 digits, without a 00 for the plus; fewer than 7 are no subscriber's number."""
    digits = pc.replace_substring_regex(column.values, pattern=r"[^0-9]", replacement="")
    counts = pc.utf8_length(pc.replace_substring_regex(digits, pattern="^00", replacement=""))
    lengths = counts.to_numpy(zero_copy_only=False)
    plausible: Mask = (lengths >= 7) & (lengths <= 15)
    return plausible
