"""Numbers of western Europe: the British Isles, France, the Low Countries, Germany, Austria, Switzerland."""

import numpy as np

from trustplane.data.recognisers.checksums import (
    is_day,
    last_is,
    letter_is,
    mod_11_10,
    mod_97,
    values,
    weighted,
)
from trustplane.data.recognisers.checksums import (
    number as value,
)
from trustplane.data.recognisers.codes import Mask, Shape, Signs
from trustplane.data.recognisers.numbers import ID, TAX, number


def _nhs(signs: Signs) -> Mask:
    # NHS Data Dictionary, NHS NUMBER: weights 10 to 2, modulo 11; 11 counts as 0, 10 is not issued.
    return last_is(signs, -weighted(signs, range(10, 1, -1)) % 11)


def _nino(signs: Signs) -> Mask:
    # HMRC NIM39110: letters and prefixes that are not allocated, and the suffixes.
    form = Shape("[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]######[A-D]").fits(signs)
    pairs = signs[:, 0].astype(np.int64) << 8 | signs[:, 1]
    never = [ord(pair[0]) << 8 | ord(pair[1]) for pair in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")]
    return form & ~np.isin(pairs, never)


def _pps(signs: Signs) -> Mask:
    # Revenue: weights 8 to 2, since 2013 a second letter times 9, modulo 23; older second letters do not count.
    total = weighted(signs, range(8, 1, -1))
    if signs.shape[1] == 9:
        total += np.where(np.isin(signs[:, 8], [ord(each) for each in "ABH"]), values(signs[:, 8]) - 9, 0) * 9
    return letter_is(signs, 7, "WABCDEFGHIJKLMNOPQRSTUV", total % 23)


def _nir(signs: Signs) -> Mask:
    # INSEE: 97 less the number modulo 97; in Corsica 2A counts as 19 and 2B as 18.
    month = value(signs, 3, 5)
    plain = signs.copy()
    for letter, digits in (("A", b"19"), ("B", b"18")):
        plain[signs[:, 6] == ord(letter), 5:7] = np.frombuffer(digits, np.uint8)
    born = ((month >= 1) & (month <= 12)) | ((month >= 20) & (month <= 42)) | (month >= 50)
    return born & (97 - mod_97(plain, 0, 13) == value(plain, 13, 15))


def _bsn(signs: Signs) -> Mask:
    # Besluit burgerservicenummer: the eleven-check with -1 for the last digit.
    return (weighted(signs, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0) & (value(signs, 0, 9) > 0)


def _rijksregister(signs: Signs) -> Mask:
    # Royal decree of 3 April 1984: 97 less the number modulo 97, with a 2 in front for who is born from 2000 on.
    check, month = value(signs, 9, 11), value(signs, 2, 4)
    base = value(signs, 0, 9)
    born = (month % 20 <= 12) & (month < 60) & (value(signs, 4, 6) <= 31)
    return born & (base > 0) & ((97 - base % 97 == check) | (97 - (base + 2_000_000_000) % 97 == check))


def _steuer_id(signs: Signs) -> Mask:
    # Section 139b AO and the BZSt's rules: of the first ten digits one comes twice or three times, the others once.
    passed = mod_11_10(signs)
    digits = values(signs[passed, :10])
    counts = np.stack([(digits == digit).sum(axis=1) for digit in range(10)])
    kinds, most = (counts > 0).sum(axis=0), counts.max(axis=0)
    passed[passed] = ((kinds == 9) & (most == 2)) | ((kinds == 8) & (most == 3))
    return passed


def _mrz(signs: Signs) -> Mask:
    # ICAO Doc 9303 part 3 section 4.9: weights 7, 3, 1, modulo 10.
    return last_is(signs, weighted(signs, (7, 3, 1) * 3) % 10)


def _rentenversicherung(signs: Signs) -> Mask:
    # VKVV section 4: the letter counts as two digits; cross sums of the products.
    letter = values(signs[:, 8]) - 9
    digits = np.column_stack([values(signs[:, :8]), letter // 10, letter % 10, values(signs[:, 9:11])])
    products = digits * np.array([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
    total = (products // 10 + products % 10).sum(axis=1) % 10
    day = value(signs, 2, 4)
    return is_day(np.where(day > 50, day - 50, day), value(signs, 4, 6)) & last_is(signs, total)


def _krankenversicherung(signs: Signs) -> Mask:
    # Section 290 SGB V: the letter counts as two digits; weights 1, 2, cross sums, modulo 10.
    letter = values(signs[:, 0]) - 9
    digits = np.column_stack([letter // 10, letter % 10, values(signs[:, 1:9])]) * np.array([1, 2] * 5)
    return last_is(signs, (digits // 10 + digits % 10).sum(axis=1) % 10)


def _svnr(signs: Signs) -> Mask:
    # Section 31 ASVG: the fourth digit is the sum of the others, weighted, modulo 11; months above 12 where days ran out.
    total = weighted(signs, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    month, day = value(signs, 6, 8), value(signs, 4, 6)
    return (values(signs[:, 3]) == total) & (day >= 1) & (day <= 31) & (month >= 1) & (month <= 15)


def _ahv(signs: Signs) -> Mask:
    # AHVV art. 133: the check digit of an EAN-13.
    return last_is(signs, -weighted(signs, (1, 3) * 6) % 10)


UK_NHS = number(
    "UK_NHS",
    "##########",
    _nhs,
    country="GB",
    chance=1 / 11,
    names="nhs, nhs number, national health service, health number",
)
UK_NINO = number(
    "UK_NINO", "@@######@", _nino, country="GB", chance=0.1, checksum=False,
    names="nino, ni number, ni no, national insurance, national insurance number, insurance number",
)  # fmt: skip
IE_PPS = number(
    "IE_PPS", "#######[A-W] #######[A-W][ABHTWX]", _pps, chance=1 / 20, names="pps, ppsn, pps number, public service"
)
FR_NIR = number(
    "FR_NIR", "[123478]############## [123478]####2[AB]########", _nir, chance=1 / 90,
    names="nir, insee, securite sociale, sécurité sociale, numero secu, numéro de sécurité sociale, sécu, social security",
)  # fmt: skip
NL_BSN = number(
    "NL_BSN",
    "#########",
    _bsn,
    chance=1 / 11,
    names="bsn, burgerservicenummer, sofinummer, sofi, citizen service number",
    also=ID,
)
BE_NATIONAL_NUMBER = number(
    "BE_NATIONAL_NUMBER", "###########", _rijksregister, chance=0.022,
    names="rijksregister, rijksregisternummer, registre national, numero national, numéro national, insz, niss, rrn", also=ID,
)  # fmt: skip
DE_TAX_ID = number(
    "DE_TAX_ID", "[1-9]##########", _steuer_id, names="steuer, steuer id, steuerid, steuer nr, steuernummer, steueridentifikationsnummer,"
    " idnr, identifikationsnummer", also=TAX,
)  # fmt: skip
DE_ID_CARD = number(
    "DE_ID_CARD", "[LMNPRTVWXY][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]"
    "[0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]#", _mrz,
    names="personalausweis, ausweis, ausweisnummer, perso, personalausweisnummer", also=ID,
)  # fmt: skip
DE_PASSPORT = number(
    "DE_PASSPORT", "[CFGHJK][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]"
    "[0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]#", _mrz,
    names="reisepass, reisepassnummer, passnummer, passport",
)  # fmt: skip
DE_SOCIAL_SECURITY = number(
    "DE_SOCIAL_SECURITY", "########@###", _rentenversicherung,
    names="rentenversicherung, rentenversicherungsnummer, sozialversicherung, sozialversicherungsnummer, rvnr, svnr, social security",
)  # fmt: skip
DE_HEALTH_INSURANCE = number(
    "DE_HEALTH_INSURANCE", "@#########", _krankenversicherung,
    names="kvnr, krankenversicherung, krankenversicherungsnummer, versichertennummer, krankenkasse, health insurance",
)  # fmt: skip
AT_SVNR = number(
    "AT_SVNR", "[1-9]#########", _svnr, chance=1 / 11,
    names="svnr, sozialversicherung, sozialversicherungsnummer, sv nummer, vsnr, social security",
)  # fmt: skip
CH_AHV = number(
    "CH_AHV",
    "756##########",
    _ahv,
    names="ahv, avs, ahv nummer, ahvn, navs, ahvn 13, sozialversicherungsnummer, social security",
)
