"""Numbers of the Americas."""

import numpy as np

from trustplane.data.recognisers.checksums import among, is_day, luhn, luhn_sum, values, weighted
from trustplane.data.recognisers.checksums import number as value
from trustplane.data.recognisers.codes import Mask, Signs
from trustplane.data.recognisers.numbers import number


def _itin(signs: Signs) -> Mask:
    # Internal Revenue Manual 3.21.263: groups in use.
    return among(value(signs, 3, 5), (50, 65), (70, 88), (90, 92), (94, 99))


def _npi(signs: Signs) -> Mask:
    # 45 CFR 162.406: Luhn over the prefix 80840 and the number; the prefix adds 24.
    return (luhn_sum(signs) + 24) % 10 == 0


def _dea(signs: Signs) -> Mask:
    # 21 CFR 1301.11 and the DEA's check: the sum of the odd places and twice the even ones ends in the last digit.
    return weighted(signs[:, 2:], (1, 2, 1, 2, 1, 2)) % 10 == values(signs[:, 8])


def _aba(signs: Signs) -> Mask:
    # ABA routing number policy: prefixes in use, and weights 3, 7, 1.
    used = among(value(signs, 0, 2), (0, 12), (21, 32), (61, 72), (80, 80))
    return used & (weighted(signs, (3, 7, 1) * 3) % 10 == 0) & (value(signs, 0, 9) > 0)


def _sin(signs: Signs) -> Mask:
    return luhn(signs) & (value(signs, 0, 9) > 0)


def _cpf(signs: Signs) -> Mask:
    first = weighted(signs, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(signs, range(11, 1, -1)) * 10 % 11 % 10
    varied = (signs != signs[:, :1]).any(axis=1)
    return varied & (values(signs[:, 9]) == first) & (values(signs[:, 10]) == second)


def _cnpj(signs: Signs) -> Mask:
    # Receita Federal, IN RFB 2.229/2024: letters count as their code less that of the digit 0.
    codes = signs.astype(np.int64) - ord("0")
    second = np.array([6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
    one = codes[:, :12] @ second[1:] * 10 % 11 % 10
    two = codes[:, :13] @ second * 10 % 11 % 10
    return (codes[:, 12] == one) & (codes[:, 13] == two) & (codes[:, :12] != 0).any(axis=1)


def _curp(signs: Signs) -> Mask:
    # RENAPO: values of the alphabet with an Ñ after N, weights 18 down to 2.
    worth = values(signs)
    worth += worth >= 24
    last = -(worth[:, :17] @ np.arange(18, 1, -1)) % 10
    return is_day(value(signs, 8, 10), value(signs, 6, 8)) & (worth[:, 17] == last)


def _rut(signs: Signs) -> Mask:
    # Servicio de Registro Civil: weights 2 to 7 from the right, modulo 11; 10 is written K, 11 as 0.
    weights = (3, 2, 7, 6, 5, 4, 3, 2)[-(signs.shape[1] - 1) :]
    last = -weighted(signs, weights) % 11
    return signs[:, -1] == np.frombuffer(b"0123456789K", np.uint8)[last]


US_ITIN = number(
    "US_ITIN",
    "9########",
    _itin,
    chance=0.45,
    names="itin, individual taxpayer, taxpayer id, tin, tax id",
    checksum=False,
)
US_NPI = number(
    "US_NPI", "[12]#########", _npi, names="npi, national provider, provider id, provider number, provider identifier"
)
MEDICAL_LICENSE = number(
    "MEDICAL_LICENSE", "[ABCDEFGHJKLMPRSTUX]@####### [ABCDEFGHJKLMPRSTUX]9#######", _dea, country="US",
    names="dea, dea number, medical license, medical licence, prescriber, license number, licence number",
)  # fmt: skip
ABA_ROUTING_NUMBER = number(
    "ABA_ROUTING_NUMBER", "#########", _aba, country="US", names="aba, routing, routing number, rtn, transit number"
)
US_MBI = number(
    "US_MBI", "[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]#[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]#[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y]##",
    chance=0.01, names="mbi, medicare, medicare beneficiary, beneficiary id, beneficiary identifier",
)  # fmt: skip
CA_SIN = number(
    "CA_SIN", "[1-79]########", _sin, names="sin, social insurance, social insurance number, nas, assurance sociale"
)
BR_CPF = number("BR_CPF", "###########", _cpf, chance=0.012, names="cpf, cadastro de pessoas, cadastro pessoa, tax id")
BR_CNPJ = number(
    "BR_CNPJ", "************##", _cnpj, chance=0.012, names="cnpj, cadastro nacional, company tax id, empresa"
)
MX_CURP = number(
    "MX_CURP", "@[AEIOUX]@@######[HMX]@@@@@*#", _curp, names="curp, clave unica, clave única, registro de poblacion"
)
CL_RUT = number("CL_RUT", "########[0-9K] #######[0-9K]", _rut, names="rut, run, rol unico, rol único, cedula, cédula")
