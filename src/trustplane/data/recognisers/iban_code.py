"""International bank account numbers (ISO 13616): country, length and the mod-97 check of ISO 7064."""

import re

import numpy as np

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import chance_bound, confidence, matching, share
from trustplane.data.recognisers.headers import mentions, phrases

_FORM = r"^[A-Za-z]{2}[0-9]{2}[ -]?(?:[0-9A-Za-z][ -]?){11,30}$"
_INSIDE = r"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}[ -]?(?:[0-9A-Z]{4}[ -]?){2,7}[0-9A-Z]{1,4}(?![0-9A-Za-z])"
_NAMES = phrases("iban, bank account, account number, konto, kontonummer")
_CHANCE = 1 / 97
_SPACES = re.compile(r"[ -]")

# Lengths of the SWIFT IBAN registry.
LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip


def is_iban(text: str) -> bool:
    """Whether ``text`` (spaces and hyphens allowed) has a known country, its length, and check digits that hold."""
    compact = _SPACES.sub("", text).upper()
    if LENGTHS.get(compact[:2]) != len(compact) or not (
        compact.isascii() and compact.isalnum() and compact[2:4].isdigit()
    ):
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


class IbanCode:
    """Columns of IBANs. Forms that fail the check are random codes; passing it far above 1 in 97 is no accident."""

    descriptor = Descriptor("iban_code", "IBAN_CODE", SensitivityClass.IDENTIFIER, uses_checksum=True)

    def in_text(self) -> TextForm:
        """Written together or in groups of four."""
        return TextForm(_INSIDE, 0.95, _NAMES, is_iban, opening=Opening(("@@##",), "0-9A-Za-z"))

    def judge(self, column: ColumnSample) -> Judgement | None:
        if not column.letters or column.longest < min(LENGTHS.values()):
            return None
        shaped = matching(column, _FORM)
        valid = np.fromiter(map(is_iban, column.values.filter(shaped).to_pylist()), np.bool_)
        found = share(np.concatenate([valid, np.zeros(column.distinct - len(valid), np.bool_)]))
        named = mentions(column.header, _NAMES)
        if not found.enough or chance_bound(found.hits, len(valid), _CHANCE) > (0.02 if named else 1e-3):
            return None
        return Judgement(
            self.descriptor.entity, confidence(0.99, found, named=named), f"{found} are IBANs whose check digits hold"
        )
