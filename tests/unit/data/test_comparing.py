"""What differs between versions, against what was done to them."""

from dataclasses import replace

import pytest

from trustplane.data.comparing import compare
from trustplane.data.ingestion import ingest
from trustplane.kernel.operation import AccessDenied
from trustplane.values.errors import BadInput, NotFound

HEADER = "customer_id,email,age,amount\n"


def line(n, amount=None):
    return f"C{n:05d},p{n}@mail.example,{18 + n % 60},{n * 7 % 1000 if amount is None else amount}.5\n"


@pytest.fixture
def versions(plane, cast, spec):
    """Ingest texts as versions one after the other, and give the steward."""

    def make(*texts, **said):
        for text in texts:
            ingest(plane, cast["data-steward"], "credit", replace(spec, **said), [text.encode()])
        return cast["data-steward"]

    return make


def test_rows_added_gone_and_changed(plane, versions):
    old = HEADER + "".join(line(n) for n in range(100))
    new = HEADER + "".join(line(n, 5 if n < 8 else None) for n in range(3, 110))
    steward = versions(old, new)
    found = compare(plane, steward, "credit", "clients")
    assert (found["old"], found["new"]) == (1, 2)
    assert found["rows"] == {"old": 100, "new": 107, "same": 92, "gone": 8, "added": 15}
    keyed = compare(plane, steward, "credit", "clients", 1, 2, ["customer_id"])
    assert keyed["rows"] == {"old": 100, "new": 107, "same": 92, "gone": 3, "added": 10, "changed": 5}
    assert {c["column"]: c["changed"] for c in keyed["columns"]} == {
        "customer_id": 0,
        "email": 0,
        "age": 0,
        "amount": 5,
    }
    backwards = compare(plane, steward, "credit", "clients", 2, 1)
    assert backwards["rows"]["added"] == 8
    event = plane.ledger.feed(limit=1)[0]
    assert event.leaf.action == "dataset.compare"
    assert event.payload["facts"]["rows"] == backwards["rows"]


def test_the_same_rows_in_another_order_are_the_same(plane, versions):
    lines = [line(n) for n in range(50)] * 2
    steward = versions(HEADER + "".join(lines), HEADER + "".join(reversed(lines)))
    found = compare(plane, steward, "credit", "clients")
    assert found["rows"] == {"old": 100, "new": 100, "same": 100, "gone": 0, "added": 0}
    assert all(c.get("ks", 0) == 0 for c in found["columns"])
    with pytest.raises(BadInput):
        compare(plane, steward, "credit", "clients", key=["customer_id"])


def test_schema_nulls_and_distributions(plane, versions):
    old = "customer_id,age,gone,amount\n" + "".join(f"C{n},{n},x,{n}\n" for n in range(100))
    new = "customer_id,age,new,amount\n" + "".join(f"C{n},{n + 50 if n % 2 else ''},y,{n}.5\n" for n in range(100))
    found = compare(plane, versions(old, new), "credit", "clients")
    assert found["schema"] == {
        "added": ["new"], "gone": ["gone"], "changed": [{"column": "amount", "was": "int64", "is": "double"}],
    }  # fmt: skip
    [age] = [c for c in found["columns"] if c["column"] == "age"]
    assert age["nulls"] == [0.0, 0.5]
    assert 0.4 < age["ks"] < 0.6
    assert found["rows"]["gone"] == 100


def test_nulls_and_what_stood_in_for_them_differ(plane, versions):
    old = "customer_id,age,note\n" + "C1,,a\nC2,5,\nC3,,\n"
    new = "customer_id,age,note\n" + "C1,5,a\nC2,5,a\nC3,,\n"
    found = compare(plane, versions(old, new), "credit", "clients", key=["customer_id"])
    assert {c["column"]: c["changed"] for c in found["columns"]} == {"customer_id": 0, "age": 1, "note": 1}


def test_who_may_and_what_is_there(plane, cast, versions):
    steward = versions(HEADER + line(1))
    with pytest.raises(NotFound):
        compare(plane, steward, "credit", "clients")
    with pytest.raises(NotFound):
        compare(plane, steward, "credit", "clients", 1, 7)
    with pytest.raises(BadInput):
        compare(plane, steward, "credit", "clients", 1, 1, ["nothing"])
    for role in ("scientist", "owner", "auditor"):
        with pytest.raises(AccessDenied):
            compare(plane, cast[role], "credit", "clients", 1, 1)
