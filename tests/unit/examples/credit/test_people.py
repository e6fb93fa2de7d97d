"""Synthetic people are repeatable, diverse, and keep to ranges that belong to nobody."""

import ast
import re
import sys
from itertools import islice
from pathlib import Path

import pytest

import trustplane.examples.credit as package
from trustplane.data.recognisers.iban_code import is_iban
from trustplane.data.recognisers.tw_national_id import is_tw_national_id
from trustplane.examples.credit.names import CULTURES
from trustplane.examples.credit.people import iban, people, tw_national_id

CROWD = list(islice(people(7), 2000))


def test_the_same_seed_gives_the_same_people():
    assert list(islice(people(7), 50)) == CROWD[:50]
    assert list(islice(people(8), 50)) != CROWD[:50]


def test_check_digits_are_right():
    assert all(is_tw_national_id(person.national_id) for person in CROWD)
    assert all(is_iban(person.iban) for person in CROWD)


@pytest.mark.parametrize(
    ("country", "bban", "expected"),
    [
        ("DE", "370400440532013000", "DE89370400440532013000"),
        ("GB", "NWBK60161331926819", "GB29NWBK60161331926819"),
        ("NL", "ABNA0417164300", "NL91ABNA0417164300"),
    ],
)
def test_published_ibans_come_out(country, bban, expected):
    assert iban(country, bban) == expected


def test_the_published_national_id_comes_out():
    assert tw_national_id("A", woman=False, serial=2345678) == "A123456789"


@pytest.mark.parametrize(("woman", "sign"), [(True, "2"), (False, "1")])
def test_the_national_id_tells_the_sex(woman, sign):
    assert tw_national_id("K", woman=woman, serial=0)[1] == sign


def test_mail_goes_to_example_domains_only():
    assert all(re.fullmatch(r"[a-z.-]+[0-9]+@example\.(org|com|net)", person.email) for person in CROWD)


def test_telephone_numbers_are_kept_for_fiction():
    reserved = re.compile(
        r"\+1 \d{3} 555 01\d\d|\+44 7700 900\d{3}|\+33 (1 99 00|2 61 91|3 53 01|4 65 71|5 36 49|6 39 98) \d\d \d\d"
    )
    assert all(reserved.fullmatch(person.phone) for person in CROWD)


def test_accounts_are_with_no_bank():
    assert all(re.match(r"[A-Z]{2}\d\d(0{8}|TEST)", person.iban) for person in CROWD)


def test_people_are_diverse():
    assert len({person.name for person in CROWD}) > 500
    assert any(not person.name.isascii() for person in CROWD)
    for culture in CULTURES:
        assert any(place in person.address for person in CROWD for place in culture.places)


def test_a_person_stays_one_person():
    """The e-mail address is of the name: names of the same letters are the same in both."""
    plain = [person for person in CROWD if person.name.isascii() and "'" not in person.name]
    assert plain
    assert all(person.email.startswith(person.name.lower().replace(" ", ".")) for person in plain)


@pytest.mark.parametrize("module", ["people.py", "names.py", "table.py"])
def test_the_generator_needs_the_standard_library_only(module):
    tree = ast.parse((Path(package.__path__[0]) / module).read_text("utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outside = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith("trustplane.examples.credit.") for name in outside)
