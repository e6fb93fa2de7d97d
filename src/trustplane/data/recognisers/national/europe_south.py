"""Numbers of southern Europe: Spain, Portugal, Italy, Greece, Turkey."""

import numpy as np

from trustplane.data.recognisers.checksums import is_day, last_is, letter_is, luhn, values, weighted
from trustplane.data.recognisers.checksums import number as value
from trustplane.data.recognisers.codes import Mask, Signs
from trustplane.data.recognisers.numbers import ID, TAX, number

_NIF_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
# Decreto ministeriale 23 December 1976: what a sign counts for at the odd places.
_ODD = np.zeros(36, np.int64)
_ODD[:10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21]
_ODD[10:] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
# Where two people would have the same code, digits become letters (omocodia).
_OMOCODIA = "[0-9LMNPQRSTUV]"


def _nif(signs: Signs) -> Mask:
    return letter_is(signs, 8, _NIF_LETTERS, value(signs, 0, 8) % 23)


def _nie(signs: Signs) -> Mask:
    first = signs[:, 0].astype(np.int64) - ord("X")
    return letter_is(signs, 8, _NIF_LETTERS, (first * 10_000_000 + value(signs, 1, 8)) % 23)


def _nif_pt(signs: Signs) -> Mask:
    # Decreto-Lei 14/2013: weights 9 to 2, modulo 11; 10 and 11 count as 0.
    last = -weighted(signs, range(9, 1, -1)) % 11
    return last_is(signs, np.where(last > 9, 0, last))


def _codice_fiscale(signs: Signs) -> Mask:
    worth = values(signs)
    even = np.where(worth >= 10, worth - 10, worth)
    total = _ODD[worth[:, 0:15:2]].sum(axis=1) + even[:, 1:15:2].sum(axis=1)
    return worth[:, 15] - 10 == total % 26


def _amka(signs: Signs) -> Mask:
    return luhn(signs) & is_day(value(signs, 0, 2), value(signs, 2, 4))


def _kimlik(signs: Signs) -> Mask:
    # Nüfus Hizmetleri: two check digits over the first nine and ten.
    digits = values(signs)
    odd, even = digits[:, 0:9:2].sum(axis=1), digits[:, 1:8:2].sum(axis=1)
    return (digits[:, 9] == (odd * 7 - even) % 10) & (digits[:, 10] == digits[:, :10].sum(axis=1) % 10)


ES_NIF = number(
    "ES_NIF",
    "########@",
    _nif,
    chance=1 / 20,
    names="nif, dni, dni nif, documento, documento nacional de identidad, identidad",
    also=ID,
)
ES_NIE = number(
    "ES_NIE",
    "[XYZ]#######@",
    _nie,
    chance=1 / 20,
    names="nie, numero de identidad de extranjero, extranjero, extranjeria",
    also=ID,
)
PT_NIF = number(
    "PT_NIF",
    "[1-3]######## 45#######",
    _nif_pt,
    names="nif, contribuinte, numero de contribuinte, número fiscal",
    also=TAX,
    chance=0.11,
)
IT_FISCAL_CODE = number(
    "IT_FISCAL_CODE", f"@@@@@@{_OMOCODIA}{_OMOCODIA}[ABCDEHLMPRST]{_OMOCODIA}{_OMOCODIA}@{_OMOCODIA}{_OMOCODIA}{_OMOCODIA}@",
    _codice_fiscale, chance=1 / 20, names="codice fiscale, cf, codicefiscale, cod fiscale, codfisc, fiscal code", also=TAX,
)  # fmt: skip
GR_AMKA = number("GR_AMKA", "###########", _amka, names="amka, αμκα, social security")
TR_NATIONAL_ID = number(
    "TR_NATIONAL_ID", "[1-9]##########", _kimlik, chance=0.012,
    names="tckn, tc kimlik, kimlik, kimlik no, tc kimlik no, tc no", also=ID,
)  # fmt: skip
