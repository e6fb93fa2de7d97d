"""Numbers of northern Europe: Sweden, Finland, Denmark, Norway, Iceland and the Baltic states."""

import numpy as np

from trustplane.data.recognisers.checksums import is_day, last_is, luhn, weighted
from trustplane.data.recognisers.checksums import number as value
from trustplane.data.recognisers.codes import Mask, Signs
from trustplane.data.recognisers.numbers import ID, number


def _personnummer(signs: Signs) -> Mask:
    # Folkbokföringslagen section 18: Luhn over ten digits; coordination numbers add 60 to the day.
    short = signs[:, -10:]
    day = value(short, 4, 6)
    born = is_day(np.where(day > 60, day - 60, day), value(short, 2, 4))
    return born & luhn(short)


def _hetu(signs: Signs) -> Mask:
    # Digital and Population Data Services Agency: date and individual number modulo 31.
    serial = signs.shape[1] - 4
    index = (value(signs, 0, 6) * 1000 + value(signs, serial, serial + 3)) % 31
    right = signs[:, -1] == np.frombuffer(b"0123456789ABCDEFHJKLMNPRSTUVWXY", np.uint8)[index]
    return right & is_day(value(signs, 0, 2), value(signs, 2, 4))


def _cpr(signs: Signs) -> Mask:
    # CPR-kontoret: weights modulo 11. Numbers given since 2007 may fail it.
    return (weighted(signs, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0) & is_day(value(signs, 0, 2), value(signs, 2, 4))


def _fodselsnummer(signs: Signs) -> Mask:
    # Skatteetaten: two check digits modulo 11; D numbers add 40 to the day, those of hospitals and tests 40 or 80 to the month.
    first = -weighted(signs, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -weighted(signs, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    day = value(signs, 0, 2)
    month = value(signs, 2, 4)
    born = is_day(np.where(day > 40, day - 40, day), month % 40) & (month <= 92)
    return born & (value(signs, 9, 10) == first) & (value(signs, 10, 11) == second)


def _isikukood(signs: Signs) -> Mask:
    # Estonia (EVS 585) and Lithuania: a second row of weights where the first gives 10.
    first = weighted(signs, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    second = weighted(signs, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return is_day(value(signs, 5, 7), value(signs, 3, 5)) & last_is(signs, np.where(first == 10, second, first))


def _kennitala(signs: Signs) -> Mask:
    day = value(signs, 0, 2)
    born = is_day(np.where(day > 40, day - 40, day), value(signs, 2, 4))
    return born & (weighted(signs, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0)


SE_PERSONNUMMER = number(
    "SE_PERSONNUMMER", "########## 1[89]########## 20##########",
    _personnummer, names="personnummer, pnr, person nummer, samordningsnummer", also=ID,
)  # fmt: skip
FI_PERSONAL_IDENTITY_CODE = number(
    "FI_PERSONAL_IDENTITY_CODE", "######[+A-FU-Y]###[0-9ABCDEFHJKLMNPRSTUVWXY] #########[0-9ABCDEFHJKLMNPRSTUVWXY]", _hetu,
    chance=1 / 29, names="hetu, henkilötunnus, henkilotunnus, personbeteckning", also=ID,
)  # fmt: skip
DK_CPR = number(
    "DK_CPR", "##########", _cpr, lenient=True, chance=1 / 10, names="cpr, cpr nummer, cpr nr, personnummer", also=ID
)
NO_FODSELSNUMMER = number(
    "NO_FODSELSNUMMER", "###########", _fodselsnummer, chance=0.012,
    names="fodselsnummer, fødselsnummer, fnr, personnummer, d nummer", also=ID,
)  # fmt: skip
EE_ISIKUKOOD = number(
    "EE_ISIKUKOOD", "[1-8]##########", _isikukood, chance=0.11, names="isikukood, asmens kodas", also=ID
)
IS_KENNITALA = number("IS_KENNITALA", "#########[089]", _kennitala, chance=0.1, names="kennitala", also=ID)
