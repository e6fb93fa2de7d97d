"""A profile proposes a class for every column, with a reason, and errs towards the more sensitive one."""

import io

import numpy as np
import pyarrow as pa
import pytest

from trustplane.data.classes import SensitivityClass
from trustplane.data.inputs.csv_input import read_csv
from trustplane.data.profile import RARE_SHARE, profile, propose
from trustplane.data.recognisers.address import Address
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.credit_card import CreditCard
from trustplane.data.recognisers.date_of_birth import DateOfBirth
from trustplane.data.recognisers.email_address import EmailAddress
from trustplane.data.recognisers.iban_code import IbanCode
from trustplane.data.recognisers.ip_address import IpAddress
from trustplane.data.recognisers.person import Person
from trustplane.data.recognisers.phone_number import PhoneNumber
from trustplane.data.recognisers.quasi_identifier import QuasiIdentifier
from trustplane.data.recognisers.special_category import SpecialCategory
from trustplane.data.recognisers.subject_id import SubjectId
from trustplane.data.recognisers.tw_national_id import TwNationalId
from trustplane.data.recognisers.us_ssn import UsSsn
from trustplane.data.sampling import miss_probability
from trustplane.examples.credit.table import write_credit_table

BUILT_IN = (
    EmailAddress(), PhoneNumber(), IbanCode(), CreditCard(), TwNationalId(), UsSsn(), IpAddress(), Person(), Address(), DateOfBirth(),
    SubjectId(), QuasiIdentifier(), SpecialCategory(),
)  # fmt: skip


class Sure:
    """A recogniser that always says the same."""

    def __init__(self, klass: SensitivityClass, confidence: float) -> None:
        self.descriptor = Descriptor(f"sure_{klass}", str(klass), klass)
        self._confidence = confidence

    def judge(self, column: ColumnSample) -> Judgement | None:
        return Judgement(self.descriptor.entity, self._confidence, "because")


@pytest.fixture(scope="module")
def credit(tmp_path_factory):
    path = tmp_path_factory.mktemp("credit") / "credit.csv"
    write_credit_table(path, rows=2000)
    reader = read_csv(io.BytesIO(path.read_bytes()))
    return profile(reader.batches, schema=reader.schema, recognisers=BUILT_IN)


def test_the_credit_table_is_classified(credit):
    found = {proposal.column: (str(proposal.klass), proposal.entity) for proposal in credit.proposals}
    assert found["customer_id"] == ("identifier", "SUBJECT_ID")
    assert found["name"] == ("identifier", "PERSON")
    assert found["email"] == ("identifier", "EMAIL_ADDRESS")
    assert found["phone"] == ("identifier", "PHONE_NUMBER")
    assert found["national_id"] == ("identifier", "TW_NATIONAL_ID")
    assert found["iban"] == ("identifier", "IBAN_CODE")
    assert found["address"] == ("identifier", "LOCATION")
    assert [found[column][0] for column in ("SEX", "EDUCATION", "MARRIAGE", "AGE")] == ["quasi-identifier"] * 4
    rest = {klass for column, (klass, entity) in found.items() if not entity}
    assert rest == {"confidential"}


def test_it_says_how_it_was_come_by(credit):
    assert credit.rows == 2000
    assert len(credit.recognisers) == len(BUILT_IN)
    assert set(credit.classes) == {proposal.column for proposal in credit.proposals}
    assert all(proposal.why and 0.5 <= proposal.confidence <= 1 for proposal in credit.proposals)
    assert all((proposal.sampled, proposal.miss_probability) == (2000, 0.0) for proposal in credit.proposals)


def test_the_miss_probability_is_that_of_the_sample():
    schema = pa.schema([("c", pa.int64())])
    batches = [pa.record_batch([pa.array(range(5000))], schema=schema)] * 4
    (proposal,) = profile(batches, schema=schema, size=1000, recognisers=()).proposals
    assert (proposal.sampled, proposal.non_null) == (1000, 20_000)
    assert proposal.miss_probability == miss_probability(20_000, 1000, RARE_SHARE)


def test_decoys_are_no_personal_data():
    """An article number, a 16-digit order number and a 9-digit reference, which tools that judge single cells flag."""
    dice = np.random.default_rng(7)
    schema = pa.schema([("sku", pa.string()), ("order_number", pa.string()), ("reference", pa.string())])
    columns = [
        [f"{''.join(dice.choice(list('ABCDEFGH'), 2))}-{number:05d}" for number in dice.integers(0, 99_999, 3000)],
        [f"{number:016d}" for number in dice.integers(0, 10**16, 3000)],
        [f"{number:09d}" for number in dice.integers(0, 10**9, 3000)],
    ]
    found = profile([pa.record_batch(columns, schema=schema)], schema=schema, recognisers=BUILT_IN)
    assert {proposal.entity for proposal in found.proposals} == {""}
    assert set(found.classes.values()) == {SensitivityClass.CONFIDENTIAL}


def test_the_surest_recogniser_wins():
    column = ColumnSample.of("c", ["x"])
    surer = propose(column, [Sure(SensitivityClass.IDENTIFIER, 0.6), Sure(SensitivityClass.QUASI_IDENTIFIER, 0.9)])
    assert surer.klass is SensitivityClass.QUASI_IDENTIFIER


@pytest.mark.parametrize("turned", [False, True])
def test_of_equally_sure_ones_the_more_sensitive_class_wins(turned):
    both = [Sure(SensitivityClass.OPEN, 0.8), Sure(SensitivityClass.SPECIAL, 0.8)]
    assert propose(ColumnSample.of("c", ["x"]), both[::-1] if turned else both).klass is SensitivityClass.SPECIAL


def test_an_unsure_recogniser_is_not_followed():
    assert propose(ColumnSample.of("c", ["x"]), [Sure(SensitivityClass.IDENTIFIER, 0.49)]).entity == ""


@pytest.mark.parametrize(
    ("header", "values", "kind", "klass"),
    [
        ("flag", ["0", "1"] * 100, "int64", SensitivityClass.OPEN),
        ("channel", ["web", "shop"] * 100, "string", SensitivityClass.OPEN),
        ("flag", ["0", "1"], "int64", SensitivityClass.CONFIDENTIAL),
        ("score", [str(n) for n in range(500)], "double", SensitivityClass.CONFIDENTIAL),
        ("note", [f"text {n}" for n in range(500)], "string", SensitivityClass.CONFIDENTIAL),
        ("monthly_amount", ["0", "1"] * 100, "int64", SensitivityClass.CONFIDENTIAL),
        ("blob", [""] * 100, "binary", SensitivityClass.CONFIDENTIAL),
        ("empty", [], "string", SensitivityClass.CONFIDENTIAL),
    ],
)
def test_what_nobody_recognises_is_open_only_when_values_are_few_frequent_and_not_money(header, values, kind, klass):
    proposal = propose(ColumnSample.of(header, values, kind), BUILT_IN)
    assert (proposal.klass, proposal.entity) == (klass, "")
    assert proposal.why


def test_reasons_show_no_values(credit):
    assert not any("@" in proposal.why or "example" in proposal.why for proposal in credit.proposals)
