"""Accounts: crypto addresses, secrets that open accounts, and account numbers by their name."""

import hashlib

from trustplane.data.recognisers.contract import Opening
from trustplane.data.recognisers.forms import form

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_LONGEST = 90
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def base58check(text: str) -> bool:
    """Whether the last four bytes are those of the double SHA-256 of the others (Bitcoin, base58check)."""
    total = 0
    for sign in text:
        total = total * 58 + _BASE58.index(sign)
    data = total.to_bytes((total.bit_length() + 7) // 8, "big").rjust(25, b"\0")
    return len(data) == 25 and hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def bech32(text: str) -> bool:
    """Whether the checksum of BIP 173 or BIP 350 holds."""
    prefix, _, data = text.lower().rpartition("1")
    values = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    state = 1
    for value in (*values, *map(_BECH32.index, data)):
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(_GENERATORS):
            state ^= generator if top >> at & 1 else 0
    return state in {1, 0x2BC830A3}


def is_wallet(text: str) -> bool:
    """Whether an address of the form of Bitcoin's, Litecoin's or Ethereum's has a checksum that holds, where it has one."""
    if text.startswith("0x"):
        return True
    if len(text) > _LONGEST:
        return False
    return bech32(text) if text.lower().startswith(("bc1", "tb1", "ltc1")) else base58check(text)


_WALLETS = (
    r"[13LM][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc|tb|ltc)1[02-9ac-hj-np-z]{11,87}|(?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{11,87}"
    r"|0x[0-9A-Fa-f]{40}"
)
# The prefixes with which the issuers mark their keys.
_SECRETS = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36,255}|github_pat_[0-9A-Za-z_]{40,255}|glpat-[0-9A-Za-z_-]{20,60}"
    r"|(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{16,255}|sk-(?:ant-|proj-)?[0-9A-Za-z_-]{20,255}|xox[abeoprs]-[0-9A-Za-z-]{10,255}"
    r"|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,255}|SG\.[0-9A-Za-z_-]{16,64}\.[0-9A-Za-z_-]{16,64}|npm_[0-9A-Za-z]{36}"
    r"|pypi-[0-9A-Za-z_-]{50,255}|hf_[0-9A-Za-z]{30,60}|dop_v1_[0-9a-f]{64}|shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}"
    r"|eyJ[0-9A-Za-z_-]{10,2000}\.eyJ[0-9A-Za-z_-]{10,2000}\.[0-9A-Za-z_-]{0,2000}"
)

CRYPTO = form(
    "CRYPTO",
    f"^(?:{_WALLETS})$",
    names="wallet, wallet address, bitcoin, btc, eth, ethereum, crypto, bitcoin address, public address",
    specificity=0.98,
    shortest=14,
    valid=is_wallet,
    inside=rf"(?<![0-9A-Za-z])(?:{_WALLETS})(?![0-9A-Za-z])",
    opening=Opening(
        ("[13LM]" + "[1-9A-HJ-NP-Za-km-z]" * 15, "bc1", "tb1", "ltc1", "BC1", "TB1", "LTC1", "0x"), "0-9A-Za-z"
    ),
)
SECRET = form(
    "SECRET",
    r"^(?:AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|(?:sk|pk|rk)_(?:live|test)_|sk-|xox[abeoprs]-|AIza|ya29\.|SG\.|npm_|pypi-|hf_"
    r"|dop_v1_|shp(?:at|ss|ca|pa)_|eyJ[0-9A-Za-z_-]+\.eyJ)[0-9A-Za-z_.-]{16,}$|^-----BEGIN [A-Z ]*PRIVATE KEY-----",
    names="api key, apikey, secret, secret key, access key, private key, access token, auth token, client secret, api token, bearer",
    specificity=0.97,
    needs="AgsxyShpne-",
    shortest=18,
    inside=rf"(?<![0-9A-Za-z_])(?:{_SECRETS})(?![0-9A-Za-z])|-----BEGIN [A-Z ]{{0,20}}PRIVATE KEY-----",
    opening=Opening(
        (
            "AKIA",
            "ASIA",
            "gh[pousr]_",
            "github_pat_",
            "glpat-",
            "[spr]k_",
            "sk-",
            "xox[abeoprs]-",
            "AIza",
            "ya29.",
            "SG.",
            "npm_",
            "pypi-",
            "hf_",
            "dop_v1_",
            "shp[a-z]",
            "eyJ",
            "-----BEGIN ",
        )
    ),
)
PASSWORD = form(
    "PASSWORD",
    r"^[^\s]{4,}$",
    names="password, passwd, pwd, passwort, kennwort, mot de passe, contraseña, contrasena, wachtwoord, senha, hasło, haslo,"
    " password hash, passphrase, pin code, api key, apikey, api token, secret, secret key, access token, auth token, client secret",
    specificity=0.8,
    least=2,
)
US_BANK_NUMBER = form(
    "US_BANK_NUMBER",
    r"^[0-9]{6,17}$",
    names="bank account, account number, account no, acct, acct no, bank number, checking account, bank account number",
    specificity=0.7,
    least=2,
    country="US",
)
