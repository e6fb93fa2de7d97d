"""Numbers of eastern Europe: Poland, Czechia and Slovakia, Romania, Bulgaria, Croatia."""

import numpy as np

from trustplane.data.recognisers.checksums import is_day, last_is, mod_11_10, weighted
from trustplane.data.recognisers.checksums import number as value
from trustplane.data.recognisers.codes import Mask, Signs
from trustplane.data.recognisers.numbers import ID, number


def _pesel(signs: Signs) -> Mask:
    # Ustawa o ewidencji ludności art. 15: weights 1, 3, 7, 9; the month says the century.
    born = is_day(value(signs, 4, 6), value(signs, 2, 4) % 20)
    return born & last_is(signs, -weighted(signs, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def _rodne_cislo(signs: Signs) -> Mask:
    # Zákon 133/2000: divisible by 11; women add 50 to the month, and 20 where the day's numbers ran out.
    born = is_day(value(signs, 4, 6), value(signs, 2, 4) % 50 % 20)
    rest = value(signs, 0, 9) % 11 % 10
    return born & last_is(signs, rest)


def _cnp(signs: Signs) -> Mask:
    rest = weighted(signs, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return is_day(value(signs, 5, 7), value(signs, 3, 5)) & last_is(signs, np.where(rest == 10, 1, rest))


def _egn(signs: Signs) -> Mask:
    month = value(signs, 2, 4)
    born = is_day(value(signs, 4, 6), month % 20) & (month <= 52)
    return born & last_is(signs, weighted(signs, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10)


PL_PESEL = number("PL_PESEL", "###########", _pesel, names="pesel, nr pesel, numer pesel", also=ID)
CZ_RODNE_CISLO = number(
    "CZ_RODNE_CISLO",
    "##########",
    _rodne_cislo,
    chance=0.1,
    names="rodne cislo, rodné číslo, rc, rč, birth number",
    also=ID,
)
RO_CNP = number("RO_CNP", "[1-9]############", _cnp, chance=0.17, names="cnp, cod numeric personal", also=ID)
BG_EGN = number("BG_EGN", "##########", _egn, chance=0.17, names="egn, егн", also=ID)
HR_OIB = number("HR_OIB", "###########", mod_11_10, names="oib, osobni identifikacijski broj", also=ID)
