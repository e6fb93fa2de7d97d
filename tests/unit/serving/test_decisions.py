"""Decisions on record: encrypted, each bound to its place, and opened on record."""

import struct
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.unit.serving.conftest import NAME, body

from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.vault.keys import fresh
from trustplane.serving.catalog import deployment_target
from trustplane.serving.decisions import open_decision, read, seal_decision
from trustplane.serving.inference import infer
from trustplane.serving.loading import Shelf
from trustplane.serving.tables import Decision
from trustplane.values.errors import Refused, Tampered

KEY = fresh("a-key")
MARK = 41.7182818284  # in range, and unlike anything else that is stored


def sealed(key=KEY, deployment="d", decision="1", inputs=None, outputs=None) -> Decision:
    content = seal_decision(key, deployment, decision, inputs or {"a": [1.5]}, outputs or {"score": [0.5]})
    return Decision(id=decision, deployment_id=deployment, actor_id="x", rows=1, sealed=content)


def opened(plane, actor, deployment, **said):
    with plane.database.read() as session:
        target = deployment_target(session, deployment)
        with plane.operation(actor, "decision.read", target) as op:
            return list(read(op, session, deployment, **said))


@pytest.fixture
def answered(plane, cast, deployment):
    """Have the model answer about each number of an income, one request each; give the events."""

    def ask(*incomes):
        shelf = Shelf(plane)
        answers = [infer(plane, shelf, cast["consumer"], NAME, body([[i, 5.0]])) for i in incomes]
        return [a["parameters"]["event"] for a in answers]

    return ask


@given(
    st.dictionaries(
        st.text(max_size=8), st.lists(st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1), max_size=4)
    )
)
def test_what_is_sealed_opens_as_it_was(inputs):
    record = open_decision(KEY, sealed(inputs=inputs or {"a": []}))
    assert record.inputs == (inputs or {"a": []})
    assert record.outputs == {"score": [0.5]}


@given(st.data())
def test_any_changed_byte_is_found(data):
    row = sealed()
    content = bytearray(row.sealed)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    row.sealed = bytes(content)
    with pytest.raises(Tampered) as caught:
        open_decision(KEY, row)
    assert caught.value.code == "TP-SERVING-008"


def test_a_decision_opens_in_its_own_place_and_under_its_own_key_alone():
    for changed in ({"id": "2"}, {"deployment_id": "e"}):
        row = sealed()
        for name, value in changed.items():
            setattr(row, name, value)
        with pytest.raises(Tampered):
            open_decision(KEY, row)
    with pytest.raises(Tampered):
        open_decision(fresh("another"), sealed())


@pytest.mark.parametrize("size", [0, 1, 11, 12, 20, 27])
def test_a_decision_that_was_cut_is_found(size):
    row = sealed()
    row.sealed = row.sealed[:size]
    with pytest.raises(Tampered) as caught:
        open_decision(KEY, row)
    assert caught.value.code == "TP-SERVING-008"


def test_the_same_decision_is_never_sealed_alike():
    assert len({sealed().sealed for _ in range(50)}) == 50


def test_a_record_of_a_decision_is_what_was_asked_and_answered(plane, cast, deployment, answered, newest):
    events = answered(MARK, 10.0)
    records = opened(plane, cast["reviewer"], deployment)
    assert [r.id for r in records] == events
    assert records[0].inputs["income"] == [pytest.approx(MARK)]
    assert records[0].inputs["debt"] == [5.0]
    assert 0 < records[0].outputs["score"][0][0] < 1
    assert {r.actor_id for r in records} == {cast["consumer"].id}
    event = newest("decision.read")
    assert event.payload["keys"] == [deployment.key_id]


def test_a_span_of_time_is_half_open(plane, cast, deployment, answered):
    answered(10.0, 20.0, 30.0)
    with plane.database.read() as session:
        moments = [row.at for row in session.scalars(select(Decision).order_by(Decision.id))]
    reviewer = cast["reviewer"]
    assert len(opened(plane, reviewer, deployment, since=moments[1])) == 2
    assert len(opened(plane, reviewer, deployment, until=moments[1])) == 1
    assert len(opened(plane, reviewer, deployment, since=moments[1], until=moments[1])) == 0
    assert len(opened(plane, reviewer, deployment, since=moments[0], until=moments[2] + timedelta(microseconds=1))) == 3


def test_who_may_not_read_decisions_is_denied(plane, cast, deployment, answered):
    answered(10.0)
    for role in ("owner", "data-steward", "consumer"):
        with pytest.raises(AccessDenied):
            opened(plane, cast[role], deployment)


def test_no_key_leaves_the_vault_once_the_operation_is_over(plane, cast, deployment, answered):
    answered(10.0)
    with plane.database.read() as session:
        with plane.operation(cast["reviewer"], "decision.read", deployment_target(session, deployment)) as op:
            late = read(op, session, deployment)
        with pytest.raises(Refused) as caught:
            next(late)
    assert caught.value.code == "TP-VAULT-009"


def test_a_record_that_was_exchanged_for_another_is_found(plane, cast, deployment, answered):
    one, two = answered(10.0, 20.0)
    with plane.database.write() as session:
        session.get_one(Decision, one).sealed = session.get_one(Decision, two).sealed
    with pytest.raises(Tampered):
        opened(plane, cast["reviewer"], deployment)


def test_no_value_of_an_input_lies_anywhere_in_the_clear(plane, answered):
    answered(MARK)
    marks = [repr(MARK)[:7].encode()]
    marks += [struct.pack(f"{order}{kind}", MARK) for order in "<>" for kind in "fd"]
    narrow = struct.unpack("<f", struct.pack("<f", MARK))[0]
    marks += [struct.pack(f"{order}d", narrow) for order in "<>"]
    stored = []
    with plane.database.read() as session:
        for table in Decision.metadata.sorted_tables:
            for row in session.execute(select(table)):
                stored += [v if isinstance(v, bytes) else repr(v).encode() for v in row]
    plane.ledger.sequencer.integrate()
    stored += [f.read_bytes() for f in plane.workspace.folder.rglob("*") if f.is_file()]
    assert sum(len(s) for s in stored) > 10_000
    for mark in marks:
        assert not any(mark in s for s in stored)


def test_the_clear_would_be_found(plane, answered):
    (event,) = answered(MARK)
    with plane.database.write() as session:
        session.get_one(Decision, event).sealed = struct.pack(">d", MARK)
    with plane.database.read() as session:
        assert struct.pack(">d", MARK) in session.get_one(Decision, event).sealed
