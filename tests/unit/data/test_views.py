"""Views: the only way to rows."""

from datetime import timedelta

import pyarrow as pa
import pytest

from trustplane.data.tables import DatasetVersion, View
from trustplane.data.views import ViewSpec, create_view, open_view, revoke_view
from trustplane.kernel.operation import AccessDenied
from trustplane.values.clock import FixedClock
from trustplane.values.digests import Digest
from trustplane.values.errors import BadInput, Conflict, Denied, NotFound, Tampered

PURPOSE = "dpv:CustomerSolvencyMonitoring"


@pytest.fixture
def make(plane, cast, clients):
    """Make a view of the clients."""

    def view(name="training", columns=("customer_id", "age", "amount"), **said):
        spec = {"purpose": PURPOSE, "life": timedelta(days=30), "pseudonyms": ("customer_id",)} | said
        return create_view(plane, cast["data-steward"], "credit", ViewSpec(name, "clients", columns, **spec))

    return view


def rows_of(opened):
    return pa.Table.from_batches(list(opened.batches), opened.schema)


def test_a_view_shows_its_columns_and_rows(plane, cast, make):
    make(row_filter="age >= 70 and amount > 100")
    table = rows_of(open_view(plane, cast["scientist"], "credit", "training"))
    assert table.column_names == ["customer_id", "age", "amount"]
    assert table.num_rows > 0
    assert min(table["age"].to_pylist()) >= 70


def test_what_only_the_filter_looks_at_is_not_shown(plane, cast, make):
    make(columns=("amount",), pseudonyms=(), row_filter="age == 20")
    table = rows_of(open_view(plane, cast["scientist"], "credit", "training"))
    assert table.column_names == ["amount"]
    assert table.num_rows == 9


def test_a_view_without_matching_rows_is_an_empty_table(plane, cast, make):
    make(row_filter="age > 1000")
    assert rows_of(open_view(plane, cast["scientist"], "credit", "training")).num_rows == 0


def test_pseudonyms_join_within_the_project_and_purpose_and_hide_the_value(plane, cast, make):
    make()
    make("second")
    one, two = (
        rows_of(open_view(plane, cast["scientist"], "credit", name))["customer_id"].to_pylist()
        for name in ("training", "second")
    )
    assert one == two
    assert len(set(one)) == 500
    assert all(p.startswith("ps_") and "C0" not in p for p in one)


def test_only_the_keys_of_the_shown_columns_are_released_and_the_event_says_which(plane, cast, make, clients):
    make(columns=("amount",), pseudonyms=())
    opened = open_view(plane, cast["scientist"], "credit", "training")
    event = plane.ledger.get(opened.event)
    with plane.database.read() as session:
        keys = session.get_one(DatasetVersion, clients.version_id).keys
    assert set(event.payload["keys"]) == {keys["footer"], f"{keys['confidential']}/amount"}
    assert event.leaf.action == "view.open"
    assert event.payload["facts"]["purpose"] == PURPOSE


def test_the_opening_is_on_record_before_the_first_row(plane, cast, make):
    make()
    opened = open_view(plane, cast["scientist"], "credit", "training")
    assert plane.ledger.get(opened.event).leaf.outcome == "done"
    assert next(opened.batches).num_rows


def test_another_purpose_than_the_dataset_s_is_denied(plane, make):
    with pytest.raises(AccessDenied) as denied:
        make(purpose="dpv:FraudPreventionAndDetection")
    assert denied.value.policies == ("purpose-view-create",)


def test_opening_for_another_purpose_than_the_view_s_is_denied(plane, cast, make):
    make()
    with pytest.raises(AccessDenied) as denied:
        open_view(plane, cast["scientist"], "credit", "training", "dpv:ServiceProvision")
    assert denied.value.policies == ("purpose-view-open",)


def test_a_view_ends(plane, cast, make):
    make(life=timedelta(hours=1))
    plane.clock = FixedClock(plane.clock.now() + timedelta(hours=2))
    with pytest.raises(AccessDenied) as denied:
        open_view(plane, cast["scientist"], "credit", "training")
    assert denied.value.policies == ("view-expired",)


def test_a_revoked_view_opens_no_more(plane, cast, make):
    make()
    revoke_view(plane, cast["data-steward"], "credit", "training")
    with pytest.raises(Denied, match="revoked"):
        open_view(plane, cast["scientist"], "credit", "training")


@pytest.mark.parametrize("role", ["owner", "reviewer", "operator", "auditor", "consumer"])
def test_who_may_not_open(plane, cast, make, role):
    make()
    with pytest.raises(AccessDenied):
        open_view(plane, cast[role], "credit", "training")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"columns": ()}, "TP-DATA-033"),
        ({"columns": ("ages",), "pseudonyms": ()}, "TP-DATA-033"),
        ({"columns": ("age", "age"), "pseudonyms": ()}, "TP-DATA-033"),
        ({"pseudonyms": ("email",)}, "TP-DATA-033"),
        ({"row_filter": "age > 'x'"}, "TP-DATA-032"),
        ({"row_filter": "nobody == 1"}, "TP-DATA-033"),
        ({"life": timedelta(days=900)}, "TP-DATA-040"),
        ({"life": timedelta(0)}, "TP-DATA-040"),
        ({"purpose": "fun"}, "TP-DATA-030"),
        ({"name": "a/b"}, "TP-VALUE-"),
    ],
)
def test_bad_views_are_refused(plane, make, said, code):
    with pytest.raises(BadInput) as refused:
        make(**said)
    assert refused.value.code.startswith(code)
    with plane.database.read() as session:
        assert session.query(View).count() == 0


def test_a_name_is_taken_once(make):
    make()
    with pytest.raises(Conflict):
        make()


def test_an_unknown_view_is_named(plane, cast, make):
    make()
    with pytest.raises(NotFound, match="did you mean 'training'"):
        open_view(plane, cast["scientist"], "credit", "trainig")


def test_a_changed_byte_of_the_table_is_found(plane, cast, make, clients):
    make()
    with plane.database.read() as session:
        path = plane.blobs.path(Digest(session.get_one(DatasetVersion, clients.version_id).digest))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Tampered) as found:
        list(open_view(plane, cast["scientist"], "credit", "training").batches)
    assert found.value.code == "TP-VAULT-017"


def test_a_key_that_was_destroyed_closes_the_view(plane, cast, make, clients):
    from trustplane.kernel.target import Target
    from trustplane.kernel.vault.destroying import destroy_key
    from trustplane.kernel.vault.tables import VaultKey
    from trustplane.values.errors import Unavailable

    make()
    with plane.database.read() as session:
        key = session.get_one(VaultKey, session.get_one(DatasetVersion, clients.version_id).keys["quasi-identifier"])
    target = Target("Key", key.id, project=key.project_id, attributes={"held": False})
    certificate, receipt = destroy_key(plane, cast["data-steward"], target, "the end of the retention")
    assert certificate["keys"] == [key.id]
    assert receipt.startswith("c2sp.org/tlog-proof@v1")
    with pytest.raises(Unavailable, match="was destroyed"):
        open_view(plane, cast["scientist"], "credit", "training")
