"""Accepting proposed classes by policy: never without one, above its confidence alone, and not for good."""

import pytest

from trustplane.data.accepting import BY_POLICY
from trustplane.data.classification import confirm
from trustplane.data.controls import collect_classes, judge_classes
from trustplane.data.ingestion import ingest
from trustplane.data.tables import DatasetVersion
from trustplane.values.findings import Subject
from trustplane.values.outcomes import Failed, Passed

SURE = b"email,iban\n" + b"".join(
    b"p%d@mail.example,%s\n" % (n, iban)
    for n, iban in enumerate([b"DE89370400440532013000", b"GB29NWBK60161331926819"] * 200)
)
UNSURE = b"email,zz\n" + b"".join(b"p%d@mail.example,q%d\n" % (n, n * 7919) for n in range(400))


@pytest.fixture
def accepted_above(plane):
    """Put in force that classes are accepted above a confidence in per cent."""

    def put(confidence):
        text = (
            '@id("accept-sure-classes") permit (principal, action == Action::"dataset.accept", resource) '
            f"when {{ context.confidence >= {confidence} }};"
        )
        plane._policy = plane.policy.with_extra(text)

    return put


def version_of(plane, made):
    with plane.database.read() as session:
        return session.get_one(DatasetVersion, made.version_id)


def put_in(plane, cast, spec, rows):
    made = ingest(plane, cast["data-steward"], "credit", spec, [rows])
    return made, version_of(plane, made)


def test_nothing_is_accepted_without_a_policy_and_no_denial_is_recorded(plane, cast, spec):
    made, version = put_in(plane, cast, spec, SURE)
    assert not made.accepted
    assert version.confirmed_by is None
    assert [e.leaf.action for e in plane.ledger.feed(limit=1)] == ["dataset.ingest"]


def test_a_policy_accepts_what_is_sure_and_the_event_names_it(plane, cast, spec, accepted_above):
    accepted_above(90)
    made, version = put_in(plane, cast, spec, SURE)
    assert made.accepted
    assert version.confirmed_by == BY_POLICY
    newest, before = plane.ledger.feed(limit=2)
    assert newest.leaf.action == "dataset.accept"
    event = plane.ledger.get(newest.leaf.id)
    assert event.payload["decision"]["policies"] == ["accept-sure-classes"]
    assert event.payload["facts"]["columns"] == 2
    assert event.payload["facts"]["confidence"] >= 90
    assert event.payload["cause"] == before.leaf.id


def test_a_column_that_nobody_knows_is_below_it(plane, cast, spec, accepted_above):
    accepted_above(90)
    made, version = put_in(plane, cast, spec, UNSURE)
    assert not made.accepted
    assert version.confirmed_by is None


def test_what_a_steward_confirmed_counts_and_what_a_policy_accepted_does_not_stay(plane, cast, spec, accepted_above):
    accepted_above(90)
    put_in(plane, cast, spec, UNSURE)
    confirm(plane, cast["data-steward"], "credit", "clients", {"zz": "special"})
    made, version = put_in(plane, cast, spec, UNSURE)
    assert made.accepted
    assert version.classes["zz"] == "special"
    made, version = put_in(plane, cast, spec, UNSURE)
    assert version.classes["zz"] == "special"
    confirm(plane, cast["data-steward"], "credit", "clients", {"zz": "confidential"})
    made, version = put_in(plane, cast, spec, UNSURE)
    assert version.classes["zz"] == "confidential"


def test_the_control_says_who(plane, cast, spec, accepted_above):
    def verdict(made):
        with plane.database.read() as session:
            return judge_classes(collect_classes(session, Subject("dataset", made.dataset_id, "clients")))

    made, _ = put_in(plane, cast, spec, SURE)
    assert isinstance(verdict(made), Failed)
    accepted_above(90)
    made, _ = put_in(plane, cast, spec, SURE)
    told = verdict(made)
    assert isinstance(told, Passed)
    assert told.reason.startswith("a policy accepted the classes of all 2 columns")
    confirm(plane, cast["data-steward"], "credit", "clients")
    assert verdict(made).reason.startswith("a data steward confirmed")
