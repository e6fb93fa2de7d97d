"""What every installed recogniser must keep to, built-in or not (trustplane.data.recognisers.contract).

A plug-in passes by being installed: the suite runs over the entry points of the group ``trustplane.recognisers``.
"""

import random
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trustplane.data.recognisers as folder
from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers import national, things
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Recogniser
from trustplane.data.recognisers.forms import Form
from trustplane.data.recognisers.numbers import Number
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.examples.credit.people import people

INSTALLED = installed_recognisers()
SUPPORT = {
    "__init__",
    "checksums",
    "codes",
    "contract",
    "evidence",
    "forms",
    "headers",
    "numbers",
    "readers",
    "registry",
}
every = pytest.mark.parametrize("recogniser", INSTALLED, ids=[each.descriptor.name for each in INSTALLED])

HEADERS = (
    "", "c", "name", "email", "phone", "iban", "card number", "national_id", "ssn", "ip", "address", "dob", "customer_id", "sex",
    "religion", "\u202eeman", "x" * 100_000, "_" * 1000, "a_" * 50_000, "\U0001f600", "İ", "\n\t",
)  # fmt: skip
TYPES = (
    "string",
    "int64",
    "double",
    "bool",
    "date32[day]",
    "timestamp[us]",
    "binary",
    "large_string",
    "null",
    "decimal128(10, 2)",
)

# Texts on which backtracking engines and careless parsers take exponential or quadratic time, or trip.
FOOD = (
    "a" * 50_000,
    "a" * 50_000 + "!",
    "a@" + "a." * 20_000,
    "a@" + "a-" * 20_000 + "!",
    "@" * 20_000,
    "1" * 50_000,
    "1 " * 25_000,
    "1-" * 25_000 + "x",
    "(" * 20_000,
    "0" * 19 + " " * 20_000,
    "DE89" + "3" * 50_000,
    ":" * 20_000,
    "1.2.3." * 10_000,
    "12 " + "Street " * 10_000,
    "A1" + "2" * 30_000,
    "\u0301" * 20_000,
    "\ufeff" * 1000,
    "e\u0301" * 10_000,
    "\U0010ffff" * 5000,
    "\0" * 1000,
    "\n" * 20_000,
    "²³¹" * 1000,
    "٣" * 16,
    "１２３４" * 4,
)


def checked(recogniser: Recogniser, column: ColumnSample) -> Judgement | None:
    """The judgement, after a look at everything that the contract says of it."""
    judgement = recogniser.judge(column)
    assert judgement == recogniser.judge(column), "a recogniser keeps no state and takes no chance"
    if judgement is None:
        return None
    assert isinstance(judgement, Judgement)
    assert 0.0 <= judgement.confidence <= 1.0
    assert judgement.entity == judgement.entity.upper() != ""
    assert judgement.why
    assert "\n" not in judgement.why
    assert len(judgement.why) < 300
    return judgement


def test_the_built_in_recognisers_are_installed():
    """Every module of the folder that is no support is listed as an entry point under its own name."""
    there = {path.stem for path in Path(folder.__path__[0]).glob("*.py")} - SUPPORT
    assert there
    assert there <= {each.descriptor.name for each in INSTALLED}


@pytest.mark.parametrize("package", [national, things])
def test_what_is_declared_is_installed(package):
    """Every declaration of the folders is listed as an entry point under the name of its entity, in lower case."""
    modules = [import_module(f"{package.__name__}.{each.name}") for each in iter_modules(package.__path__)]
    declared = {n: v for m in modules for n, v in vars(m).items() if isinstance(v, Number | Form)}
    assert len(declared) > 10
    assert all(name == each.descriptor.entity == each.descriptor.name.upper() for name, each in declared.items())
    assert {id(each) for each in declared.values()} <= {id(each) for each in INSTALLED}


@every
def test_it_describes_itself(recogniser):
    descriptor = recogniser.descriptor
    assert isinstance(descriptor, Descriptor)
    assert isinstance(descriptor.klass, SensitivityClass)
    assert descriptor.name == descriptor.name.lower()
    assert descriptor.entity == descriptor.entity.upper()
    assert all(len(country) == 2 and country.isupper() for country in descriptor.countries)


@cache
def empty_columns() -> list[ColumnSample]:
    return [ColumnSample.of(header, [], kind) for header in HEADERS for kind in TYPES]


@cache
def columns_of_food() -> list[ColumnSample]:
    return [ColumnSample.of(header, FOOD) for header in HEADERS]


@every
def test_it_bears_empty_columns_under_any_name_and_type(recogniser):
    for column in empty_columns():
        checked(recogniser, column)


@every
def test_it_bears_adversarial_values_under_any_name(recogniser):
    """An engine that backtracks does not come back from these."""
    for column in columns_of_food():
        checked(recogniser, column)


@every
@settings(deadline=None, max_examples=20)
@given(
    header=st.text(max_size=40),
    values=st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=20),
    kind=st.sampled_from(TYPES),
)
def test_it_bears_any_mixture(recogniser, header, values, kind):
    checked(recogniser, ColumnSample.of(header, values, kind))


@every
def test_the_reason_never_holds_a_value(recogniser):
    """Columns of every kind of personal data, under names that fit, each value looked for in the reason."""
    crowd = [person for person, _ in zip(people(1), range(300), strict=False)]
    dice = random.Random(1)
    columns = {
        "full_name": [person.name for person in crowd],
        "email": [person.email for person in crowd],
        "phone": [person.phone for person in crowd],
        "national_id": [person.national_id for person in crowd],
        "iban": [person.iban for person in crowd],
        "home_address": [person.address for person in crowd],
        "card_number": ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"],
        "ssn": [f"{dice.randrange(100, 600)}-{dice.randrange(10, 99)}-{dice.randrange(1000, 9999)}" for _ in range(50)],
        "ip": [f"192.0.2.{number}" for number in range(200)],
        "dob": [f"19{number:02d}-05-17" for number in range(30, 99)],
        "customer_id": [f"C{number:06d}" for number in range(500)],
        "sex": ["female", "male", "nonbinary"],
        "religion": ["buddhist", "catholic", "sunni"],
    }
    for header, values in columns.items():
        judgement = checked(recogniser, ColumnSample.of(header, values))
        if judgement is not None:
            shown = [value for value in values if value.casefold() in judgement.why.casefold()]
            assert not shown


@every
def test_the_order_of_the_values_does_not_matter(recogniser):
    values = [person.email for person, _ in zip(people(2), range(50), strict=False)] + [
        "x",
        "4111111111111111",
        "A123456789",
    ]
    turned = ColumnSample("c", "string", pa.array(values[::-1]), np.ones(len(values), np.int64), len(values))
    assert checked(recogniser, ColumnSample.of("c", values)) == checked(recogniser, turned)
