"""Devices and vehicles: hardware addresses, telephones, cars, web addresses."""

import numpy as np

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.checksums import among, luhn
from trustplane.data.recognisers.checksums import number as value
from trustplane.data.recognisers.codes import Mask, Signs
from trustplane.data.recognisers.contract import Opening
from trustplane.data.recognisers.forms import form
from trustplane.data.recognisers.numbers import number

_WORTH = np.zeros(256, np.int64)
_WORTH[48:58] = range(10)
for _letters, _first in (("ABCDEFGH", 1), ("JKLMN", 1), ("STUVWXYZ", 2)):
    _WORTH[np.frombuffer(_letters.encode("ascii"), np.uint8)] = range(_first, _first + len(_letters))
_WORTH[[ord("P"), ord("R")]] = 7, 9
_PLACE = "[0-9A-HJ-NPR-Z]"


def _imei(signs: Signs) -> Mask:
    # 3GPP TS 23.003 annex B, and the reporting bodies of GSMA TS.06.
    bodies = among(value(signs, 0, 2), (1, 1), (35, 35), (44, 45), (49, 54), (86, 86), (91, 91), (98, 99))
    return bodies & luhn(signs)


def _vin(signs: Signs) -> Mask:
    # 49 CFR 565.15(c): a check digit at the ninth place, X for 10. European numbers need not have one.
    weights = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
    rest = _WORTH[signs] @ weights % 11
    return signs[:, 8] == np.frombuffer(b"0123456789X", np.uint8)[rest]


IMEI = number(
    "IMEI", "###############", _imei, country="-", names="imei, imei number, device imei, handset, equipment id"
)
VIN = number(
    "VIN", _PLACE * 8 + "[0-9A-HJ-NPR-Z]" + _PLACE * 4 + "####", _vin, country="-", chance=1 / 10, lenient=True,
    names="vin, vehicle identification, chassis, chassis number, fahrgestellnummer, fin, telaio, bastidor, numero de serie",
)  # fmt: skip
MAC_ADDRESS = form(
    "MAC_ADDRESS",
    r"^(?:[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2})$",
    names="mac, mac address, hwaddr, hardware address, bssid, ethernet",
    specificity=0.98,
    needs=":-.",
    shortest=14,
    inside=r"(?<![0-9A-Za-z:.-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![0-9A-Za-z:-])",
    opening=Opening(("[0-9A-Fa-f][0-9A-Fa-f][:-][0-9A-Fa-f][0-9A-Fa-f][:-]",), "0-9A-Za-z:.-"),
)
URL = form(
    "URL",
    r"^(?:(?:https?|ftp|wss?)://|www\.)[^\s/?#]+\.[^\s]+$",
    names="url, website, web, homepage, link, uri, profile url, webseite",
    specificity=0.95,
    needs="/w",
    inside=(
        r"(?:\b(?:https?|ftp)://|\bwww\.)[^\s<>\"']{2,2000}[^\s<>\"'.,;:!?)]"
        r"|(?<![\w@.-])[A-Za-z0-9][A-Za-z0-9-]{0,62}\.(?:com|org|net|edu|gov|info|biz|io|co\.uk|de|fr)\b(?:/[^\s<>\"']{0,500})?"
    ),
    opening=Opening(
        ("[0-9A-Za-z]",),
        "0-9A-Za-z_",
        ("://", "www.", ".com", ".org", ".net", ".edu", ".gov", ".info", ".biz", ".io", ".co.uk", ".de", ".fr"),
    ),
    klass=SensitivityClass.QUASI_IDENTIFIER,
)
