"""Pseudonyms: the same within a key and a domain, unlinkable across, and as long as they must be."""

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.vault.keys import fresh
from trustplane.kernel.vault.pseudonyms import pseudonym, pseudonymise

KEY = fresh("project")


@given(st.text(), st.text())
def test_the_same_value_has_the_same_pseudonym_and_others_differ(one, other):
    assert pseudonym(KEY, "subject", one) == pseudonym(KEY, "subject", one)
    assert (pseudonym(KEY, "subject", one) == pseudonym(KEY, "subject", other)) == (one == other)


@given(st.text())
def test_it_cannot_be_linked_across_projects_or_domains(value):
    assert pseudonym(KEY, "subject", value) != pseudonym(fresh("other"), "subject", value)
    assert pseudonym(KEY, "subject", value) != pseudonym(KEY, "account", value)


def test_its_form():
    assert re.fullmatch(r"ps_[a-z2-7]{26}", pseudonym(KEY, "subject", "C00001"))


def test_a_column_keeps_its_nulls_and_its_order():
    column = pa.array([3, None, 1, 3])
    made = pseudonymise(KEY, "subject", column).to_pylist()
    assert made == [
        pseudonym(KEY, "subject", "3"),
        None,
        pseudonym(KEY, "subject", "1"),
        pseudonym(KEY, "subject", "3"),
    ]
    assert pseudonymise(KEY, "subject", pa.array([], pa.string())).to_pylist() == []
