"""What has a form of its own is told by it, and what looks alike is not."""

import hashlib

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.forms import Form
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.recognisers.things.accounts import base58check, bech32

FORMS = {each.descriptor.entity: each for each in installed_recognisers() if isinstance(each, Form)}


def judge(entity, values, header="c"):
    return FORMS[entity].judge(ColumnSample.of(header, values))


@pytest.mark.parametrize(
    ("entity", "values"),
    [
        ("MAC_ADDRESS", ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b8", "001b.4411.3ab9"]),
        ("URL", ["https://example.org/a?b=c", "www.example.org", "http://10.0.0.1:80/x"]),
        ("CRYPTO", ["1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                    "0x52908400098527886E0F7030069857D2E4169EE7", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG"]),
        ("SECRET", ["AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "sk_live_" + "0a" * 12, "xoxb-123456789012-abcdefABCDEF", "AIza" + "x" * 35,
                    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "-----BEGIN RSA PRIVATE KEY-----\nx"]),
        ("UK_DRIVING_LICENCE", ["MORGA657054SM9IJ", "JONES710238HA3DX"]),
        ("UK_POSTCODE", ["EX1 1AA", "SW1A 2AA", "M1 1AE", "ec1a1bb"]),
        ("COORDINATES", ["52.5200, 13.4050", "-33.8688,151.2093", "POINT (13.405 52.520)"]),
    ],
)  # fmt: skip
def test_forms_of_their_own_are_recognised_under_any_name(entity, values):
    assert judge(entity, values).confidence > 0.85


@pytest.mark.parametrize(
    ("entity", "header", "values"),
    [
        ("PASSPORT", "passport_no", ["C01X00T47", "925665416", "AB1234567"]),
        ("DRIVER_LICENSE", "driver's license", ["D1234567", "F255-921-50-094-0", "B072RRE2I55"]),
        ("LICENSE_PLATE", "kennzeichen", ["B-AB 1234", "M XY 99"]),
        ("MEDICAL_RECORD_NUMBER", "MRN", ["MRN-0012345", "00448812"]),
        ("HEALTH_PLAN_NUMBER", "policy_number", ["XYZ 123456789"]),
        ("CERTIFICATE_NUMBER", "certificateNumber", ["CERT/2020-11"]),
        ("ICD_CODE", "diagnosis_code", ["E11.9", "I10", "S72.001A"]),
        ("LATITUDE_LONGITUDE", "latitude", ["52.52", "-33.9"]),
        ("PASSWORD", "password_hash", ["hunter2", "$2b$12$abcdef"]),
        ("US_BANK_NUMBER", "account_number", ["000123456789"]),
    ],
)
def test_forms_that_say_too_little_need_a_name(entity, header, values):
    assert judge(entity, values) is None
    assert judge(entity, values, header).confidence > 0.5
    assert judge(entity, [f"~{n}~ ~" for n in range(9)], header) is None


@pytest.mark.parametrize(
    ("entity", "values"),
    [
        ("MAC_ADDRESS", ["00:1B:44:11:3A", "10:20:30", "00:1B:44:11:3A:B7:00"]),
        ("URL", ["example", "ftp", "http://", "a.b"]),
        (
            "CRYPTO",
            ["1BoatSLRHtKNngkdXEeobR76b53LETtpyU", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "0x1234", "1" * 3000],
        ),
        ("SECRET", ["skating-is-fun", "AKIA123", "SG.x", "hf_", "a" * 40]),
        ("UK_POSTCODE", ["EX1", "12345", "AB-12345", "QV1 1AA"]),
        ("COORDINATES", ["1,2", "12.5, 13.5", "52.52"]),
    ],
)
def test_look_alikes_are_not(entity, values):
    assert judge(entity, values) is None


def test_base58check_is_that_of_bitcoin():
    """A payload made here, with the checksum computed apart, passes; with one sign changed it does not."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    for seed in range(50):
        payload = bytes([0]) + hashlib.sha1(bytes([seed])).digest()
        data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
        number, text = int.from_bytes(data, "big"), ""
        while number:
            number, rest = divmod(number, 58)
            text = alphabet[rest] + text
        address = "1" * (len(data) - len(data.lstrip(b"\0"))) + text
        assert base58check(address)
        assert not base58check(address[:-1] + ("2" if address[-1] != "2" else "3"))


@pytest.mark.parametrize(
    "address", ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"]
)
def test_bech32_is_that_of_bip_173(address):
    assert bech32(address)
    assert not any(
        bech32(address[:at] + ("q" if address[at] != "q" else "p") + address[at + 1 :]) for at in range(4, len(address))
    )
