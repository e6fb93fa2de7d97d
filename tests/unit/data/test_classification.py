"""Confirming classes."""

import pytest

from trustplane.data.classification import confirm
from trustplane.data.tables import DatasetVersion
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.kernel.operation import AccessDenied
from trustplane.values.errors import BadInput


def version_of(plane, made):
    with plane.database.read() as session:
        return session.get_one(DatasetVersion, made.version_id)


def test_confirming_says_who_and_when(plane, cast, clients):
    made = confirm(plane, cast["data-steward"], "credit", "clients")
    version = version_of(plane, made)
    assert made == clients
    assert version.confirmed_by == cast["data-steward"].id
    assert version.confirmed_at is not None


def test_a_change_encrypts_anew_under_the_key_of_the_class(plane, cast, clients):
    made = confirm(plane, cast["data-steward"], "credit", "clients", {"amount": "special", "age": "open"})
    before, after = version_of(plane, clients), version_of(plane, made)
    assert (made.number, after.rows) == (2, 500)
    assert set(after.keys) == {"footer", "index", "identifier", "special", "open"}
    assert not set(after.keys.values()) & set(before.keys.values())
    assert after.statistics["amount"]["numeric"] is None
    assert after.digest != before.digest
    assert before.confirmed_by is None


def test_what_was_confirmed_holds_for_the_next_version(plane, cast, clients, csv, spec):
    from trustplane.data.ingestion import ingest

    confirm(plane, cast["data-steward"], "credit", "clients", {"amount": "special"})
    made = ingest(plane, cast["data-steward"], "credit", spec, [csv(50)])
    version = version_of(plane, made)
    assert version.classes["amount"] == "special"
    assert version.confirmed_by is None


def test_rows_are_the_same_after_a_change(plane, cast, clients):
    from datetime import timedelta

    confirm(plane, cast["data-steward"], "credit", "clients", {"amount": "special"})
    for number in (1, 2):
        create_view(
            plane,
            cast["data-steward"],
            "credit",
            ViewSpec(
                f"v{number}",
                "clients",
                ("customer_id", "email", "age", "amount"),
                "CustomerSolvencyMonitoring",
                timedelta(days=1),
                number=number,
            ),
        )
    one, two = ([b.to_pylist() for b in open_view(plane, cast["scientist"], "credit", f"v{n}").batches] for n in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    ("changes", "code"), [({"amuont": "open"}, "TP-DATA-033"), ({"amount": "secret"}, "TP-DATA-039")]
)
def test_bad_changes_are_refused(plane, cast, clients, changes, code):
    with pytest.raises(BadInput) as refused:
        confirm(plane, cast["data-steward"], "credit", "clients", changes)
    assert refused.value.code == code


@pytest.mark.parametrize("role", ["owner", "scientist", "auditor"])
def test_only_a_steward_confirms(plane, cast, clients, role):
    with pytest.raises(AccessDenied):
        confirm(plane, cast[role], "credit", "clients")
