"""Numbers of Asia, the Pacific and southern Africa."""

import numpy as np

from trustplane.data.recognisers.checksums import (
    is_day,
    last_is,
    letter_is,
    luhn,
    values,
    verhoeff,
    weighted,
)
from trustplane.data.recognisers.checksums import (
    number as value,
)
from trustplane.data.recognisers.codes import Mask, Signs
from trustplane.data.recognisers.numbers import ID, TAX, number


def _aadhaar(signs: Signs) -> Mask:
    # UIDAI circular of 2010: Verhoeff; a palindrome is not issued.
    return verhoeff(signs) & (signs != signs[:, ::-1]).any(axis=1)


def _tfn(signs: Signs) -> Mask:
    return weighted(signs, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def _medicare(signs: Signs) -> Mask:
    # Services Australia: the ninth digit is the weighted sum of the first eight; the tenth counts cards.
    return values(signs[:, 8]) == weighted(signs, (1, 3, 7, 9, 1, 3, 7, 9)) % 10


def _nric(signs: Signs) -> Mask:
    # ICA: T and G add 4 to the sum, M adds 3; foreigners have letters of their own.
    first, total = signs[:, 0], weighted(signs[:, 1:], (2, 7, 6, 5, 4, 3, 2))
    index = (total + np.where((first == ord("T")) | (first == ord("G")), 4, np.where(first == ord("M"), 3, 0))) % 11
    citizen = letter_is(signs, 8, "JZIHGFEDCBA", index)
    foreigner = letter_is(signs, 8, "XWUTRQPNMLK", index)
    since_2022 = letter_is(signs, 8, "XWUTRQPNJLK", index)
    group = np.isin(first, [ord("S"), ord("T")])
    return np.where(group, citizen, np.where(first == ord("M"), since_2022, foreigner))


def _rrn(signs: Signs) -> Mask:
    # Ministry of the Interior: modulo 11. Numbers given since October 2020 have a random end and may fail it.
    last = (11 - weighted(signs, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return is_day(value(signs, 4, 6), value(signs, 2, 4)) & last_is(signs, last)


def _resident(signs: Signs) -> Mask:
    # GB 11643-1999: ISO 7064 MOD 11-2 over a place, a date and a serial number.
    rest = weighted(signs, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
    year = value(signs, 6, 10)
    born = is_day(value(signs, 12, 14), value(signs, 10, 12)) & (year >= 1850) & (year <= 2100)
    return born & (signs[:, 17] == np.frombuffer(b"10X98765432", np.uint8)[rest])


def _thai(signs: Signs) -> Mask:
    return last_is(signs, (11 - weighted(signs, range(13, 1, -1)) % 11) % 10)


def _my_number(signs: Signs) -> Mask:
    # Ordinance 85 of 2014, article 5.
    rest = weighted(signs, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return last_is(signs, np.where(rest <= 1, 0, 11 - rest)) & (value(signs, 0, 12) > 0)


def _hkid(signs: Signs) -> Mask:
    # One letter counts as if a space (36) stood before it; 10 is written A.
    total = weighted(signs[:, -8:], (8, 7, 6, 5, 4, 3, 2))
    total = total + 9 * (36 if signs.shape[1] == 8 else values(signs[:, 0]))
    return values(signs[:, -1]) == -total % 11


def _south_african(signs: Signs) -> Mask:
    # Identification Act 68 of 1997: date, serial, citizenship, Luhn.
    return luhn(signs) & is_day(value(signs, 4, 6), value(signs, 2, 4))


IN_AADHAAR = number(
    "IN_AADHAAR",
    "[2-9]###########",
    _aadhaar,
    names="aadhaar, aadhar, adhaar, uidai, uid number, aadhaar number",
    also=ID,
)
# The four digits run from 0001 (Income Tax Department).
IN_PAN = number(
    "IN_PAN",
    " ".join(f"@@@[ABCFGHJLPT]@{digits}@" for digits in ("[1-9]###", "0[1-9]##", "00[1-9]#", "000[1-9]")),
    chance=0.4,
    names="pan, pan number, pan card, permanent account number",
    also=TAX,
)
AU_TFN = number("AU_TFN", "#########", _tfn, chance=1 / 10, names="tfn, tax file", also=TAX)
AU_MEDICARE = number(
    "AU_MEDICARE",
    "[2-6]########[1-9] [2-6]########[1-9][1-9]",
    _medicare,
    names="medicare, medicare number, medicare card",
)
SG_NRIC_FIN = number(
    "SG_NRIC_FIN", "[STFGM]#######@", _nric, chance=1 / 10, names="nric, fin, nric fin, nric no", also=ID
)
KR_RRN = number(
    "KR_RRN",
    "######[1-8]######",
    _rrn,
    lenient=True,
    names="rrn, resident registration, 주민등록번호, 주민번호",
    also=ID,
    chance=0.2,
)
CN_ID = number(
    "CN_ID",
    "[1-8]################[0-9X]",
    _resident,
    names="shenfenzheng, 身份证, 身份证号, 居民身份证, resident id",
    also=ID,
    chance=0.1,
)
TH_TNIN = number("TH_TNIN", "[1-8]############", _thai, names="thai id, เลขประจำตัวประชาชน", also=ID, chance=0.2)
JP_MY_NUMBER = number(
    "JP_MY_NUMBER",
    "############",
    _my_number,
    names="my number, mynumber, マイナンバー, 個人番号, kojin bango",
    also=ID,
    chance=0.19,
)
HK_ID_CARD = number(
    "HK_ID_CARD", "@######[0-9A] @@######[0-9A]", _hkid, names="hkid, hkid number, 香港身份證", also=ID, chance=0.1
)
IL_ID_NUMBER = number("IL_ID_NUMBER", "#########", luhn, names="teudat zehut, zehut, תעודת זהות, mispar zehut", also=ID)
ZA_ID_NUMBER = number(
    "ZA_ID_NUMBER",
    "##########[01]##",
    _south_african,
    names="rsa id, sa id, said, id nommer, identity document",
    also=ID,
)
