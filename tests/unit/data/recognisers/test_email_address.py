"""E-mail addresses are recognised by their form, whatever the column is called."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.email_address import EmailAddress


def judge(values, header="c"):
    return EmailAddress().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize(
    "value",
    [
        "a@example.org",
        "first.last+tag@sub.example.co",
        "o'brien@example.com",
        "josé@exämple.org",
        "x_y@example-site.org",
        "名@例え.テスト",
    ],
)
def test_addresses_are_recognised(value):
    assert judge([value]).confidence > 0.9


@pytest.mark.parametrize(
    "value",
    [
        "",
        "@",
        "a@b",
        "a b@example.org",
        "a@example.org, b@example.org",
        "a@@example.org",
        "a@-example.org",
        "a@example.",
        "user@localhost",
        "@handle",
    ],
)
def test_other_texts_are_not(value):
    assert judge([value]) is None


def test_a_flag_about_e_mail_is_no_address():
    assert judge(["true", "false"], "email_opt_in") is None


def test_a_column_with_some_addresses_holds_personal_data():
    found = judge([f"note {n}" for n in range(90)] + [f"p{n}@example.org" for n in range(10)])
    assert 0.5 < found.confidence < 0.7
    assert "10 of 100" in found.why


def test_a_single_address_among_many_notes_is_not_enough():
    assert judge([f"note {n}" for n in range(99)] + ["p@example.org"]) is None


def test_a_fitting_name_makes_it_surer():
    assert judge(["a@example.org"], "email").confidence > judge(["a@example.org"]).confidence
