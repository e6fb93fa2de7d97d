"""A recipe of steps carried out on a view: what is made, and who may turn it back."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from trustplane.data.protection import protect, protection_of
from trustplane.data.revealing import reveal
from trustplane.data.tables import DatasetVersion
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.target import Target
from trustplane.kernel.vault.destroying import destroy_key
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import BadInput, Refused

PURPOSE = "dpv:CustomerSolvencyMonitoring"
RECIPE = """
keep = ["amount"]

[[steps]]
column = "customer_id"
do = "token"

[[steps]]
column = "email"
do = "pseudonym"
domain = "mail"

[[steps]]
class = "quasi-identifier"
do = "generalise"
width = 10
"""


@pytest.fixture
def steward(cast):
    """The data steward."""
    return cast["data-steward"]


@pytest.fixture
def whole(plane, steward, clients):
    """A view of all that is known of the clients."""
    columns = ("customer_id", "email", "age", "amount")
    create_view(plane, steward, "credit", ViewSpec("whole", "clients", columns, PURPOSE, timedelta(hours=1)))
    return "whole"


@pytest.fixture
def protected(plane, steward, whole):
    return protect(plane, steward, "credit", whole, RECIPE, "safe")


def rows_of(plane, actor, dataset, columns):
    spec = ViewSpec(f"of-{dataset}", dataset, columns, PURPOSE, timedelta(hours=1))
    create_view(plane, actor, "credit", spec)
    opened = open_view(plane, actor, "credit", spec.name)
    return [row for batch in opened.batches for row in batch.to_pylist()]


def test_a_table_goes_through_its_steps(plane, steward, protected):
    rows = rows_of(plane, steward, "safe", ("customer_id", "email", "age", "amount"))
    source = rows_of(plane, steward, "clients", ("customer_id", "age", "amount"))
    assert len(rows) == len(source)
    assert all(r["customer_id"].startswith("tk_") and r["email"].startswith("ps_") for r in rows)
    assert [r["amount"] for r in rows] == [r["amount"] for r in source]
    assert all(r["age"].startswith(f"[{s['age'] // 10 * 10}, ") for r, s in zip(rows, source, strict=True))
    figures = protected.figures
    assert figures["after"]["unique"] <= figures["before"]["unique"]
    assert {s["column"]: s["do"] for s in figures["steps"]} == {
        "customer_id": ["token"], "email": ["pseudonym"], "age": ["generalise"],
    }  # fmt: skip
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, protected.made.version_id)
        assert protection_of(plane, session, version) == figures
        assert (version.classes["customer_id"], version.classes["email"]) == ("identifier", "identifier")
    assert "C00007" not in json.dumps([plane.ledger.get(e.leaf.id).payload for e in plane.ledger.feed(limit=20)])


def test_who_may_turn_tokens_back(plane, cast, steward, protected):
    token = rows_of(plane, steward, "safe", ("customer_id",))[7]["customer_id"]
    assert reveal(plane, steward, "credit", "safe", "customer_id", [token], "a claim") == ["C00007"]
    [event] = plane.ledger.feed(limit=1)
    assert event.leaf.action == "dataset.reveal"
    assert event.payload["facts"]["reason"] == "a claim"
    assert "C00007" not in json.dumps(event.payload)
    for role in ("scientist", "owner", "auditor", "reviewer"):
        with pytest.raises(AccessDenied):
            reveal(plane, cast[role], "credit", "safe", "customer_id", [token], "curious")
    for wrong in (lambda: reveal(plane, steward, "credit", "safe", "customer_id", [token], " "),
                  lambda: reveal(plane, steward, "credit", "safe", "customer_id", [], "x"),
                  lambda: reveal(plane, steward, "credit", "safe", "customer_id", ["tk_x"], "x")):  # fmt: skip
        with pytest.raises(BadInput) as caught:
            wrong()
        assert caught.value.code == "TP-DATA-134"
    with pytest.raises(Refused) as caught:
        reveal(plane, steward, "credit", "safe", "email", ["ps_x"], "x")
    assert caught.value.code == "TP-DATA-133"


def test_a_destroyed_key_turns_no_token_back(plane, cast, steward, protected):
    token = rows_of(plane, steward, "safe", ("customer_id",))[0]["customer_id"]
    with plane.database.read() as session:
        [key] = session.scalars(select(VaultKey).where(VaultKey.subject.like("tokens:%")))
    destroy_key(
        plane,
        steward,
        Target("Key", key.id, project=key.project_id, attributes={"held": False}),
        "nobody may know any more",
    )
    with pytest.raises(Refused):
        reveal(plane, steward, "credit", "safe", "customer_id", [token], "too late")


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        ('keep = ["customer_id"]\n[[steps]]\ncolumn = "age"\ndo = "keep"', "TP-DATA-060"),
        ('[[steps]]\ncolumn = "customer_id"\ndo = "keep"', "TP-DATA-060"),
        ('[[steps]]\ncolumn = "nobody"\ndo = "drop"', "TP-DATA-130"),
        ('[[steps]]\ncolumn = "age"\ndo = "explode"', "TP-DATA-130"),
        ('[[steps]]\ncolumn = "age"\ndo = "mask"\nshow = 9', "TP-DATA-130"),
        ('[[steps]]\nclass = "secret"\ndo = "drop"', "TP-DATA-130"),
        ('[[steps]]\ndo = "drop"', "TP-DATA-130"),
        ('steps = "drop"', "TP-DATA-130"),
        ('[[steps]]\ncolumn = "age"\ndo = "drop"', "TP-DATA-060"),
        ('[[steps]]\ncolumn = "email"\ndo = "token"\n[[steps]]\ncolumn = "email"\ndo = "mask"', "TP-DATA-130"),
        ('[[steps]]\ncolumn = "age"\ndo = "cipher"', "TP-DATA-131"),
        (
            'quasi_identifiers = ["age"]\nk = 5\nkeep = ["email"]\n[[steps]]\ncolumn = "email"\ndo = "token"',
            "TP-DATA-060",
        ),
    ],
)
def test_recipes_that_are_refused(plane, steward, whole, recipe, code):
    with pytest.raises(BadInput) as caught:
        protect(plane, steward, "credit", whole, recipe, "never")
    assert caught.value.code == code
    assert "C000" not in f"{caught.value} {caught.value.why}"


def test_steps_go_before_a_model(plane, steward, whole):
    recipe = 'quasi_identifiers = ["age"]\nk = 3\nkeep = ["email"]\n[[steps]]\ncolumn = "email"\ndo = "mask"\n'
    recipe += '[[steps]]\ncolumn = "age"\ndo = "clamp"\nhighest = 40\n'
    figures = protect(plane, steward, "credit", whole, recipe, "both").figures
    assert figures["reached"]["k"] >= 3
    assert figures["before"]["prosecutor_highest"] >= figures["after"]["prosecutor_highest"]
    assert {s["column"]: s["do"] for s in figures["steps"]} == {"email": ["mask"], "age": ["clamp"]}
