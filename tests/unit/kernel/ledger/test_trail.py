"""What a trail of events says of rows, without a database."""

from datetime import timedelta

import pytest

from trustplane.kernel.ledger.divergence import Kind
from trustplane.kernel.ledger.events import Entry, Event, Outcome
from trustplane.kernel.ledger.trail import BACK, LONGEST, Findings, Row, Trail
from trustplane.kernel.store.governed import GONE
from trustplane.values.clock import SystemClock
from trustplane.values.ids import new_id


def row(position, state=None, *, action="project.create", outcome=Outcome.DONE, shift=timedelta()):
    event = Event(new_id(), SystemClock().now() + shift, "ada", action, "Plane::plane", outcome, {"state": state or {}})
    entry = Entry.of(event)
    return Row(entry.id, position, entry.resource, entry.sealed.leaf, entry.sealed.payload, entry.sealed.salt)


def judged(*events, rows=(), sound=True):
    trail = Trail(Findings())
    for event in events:
        trail.take(event, sound=sound)
    for key, digest in rows:
        trail.judge(key, digest)
    trail.judge_rest()
    return trail


def kinds(trail):
    return [d.kind for d in trail.found.listed]


def test_the_last_event_about_a_row_says_how_it_stands():
    one, two = row(0, {"t:1": "a"}), row(1, {"t:1": "b", "t:2": "c"})
    assert kinds(judged(one, two, rows=[("t:1", "b"), ("t:2", "c")])) == []
    assert kinds(judged(one, two, rows=[("t:1", "a"), ("t:2", "c")])) == [Kind.STATE_CHANGED]


@pytest.mark.parametrize(
    ("state", "rows", "expected"),
    [
        ({}, [("t:1", "a")], [Kind.STATE_WITHOUT_EVENT]),
        ({"t:1": "a"}, [], [Kind.STATE_MISSING]),
        ({"t:1": GONE}, [], []),
        ({"t:1": GONE}, [("t:1", "a")], [Kind.STATE_WITHOUT_EVENT]),
        ({"t:1": "a"}, [("t:1", None)], [Kind.STATE_CHANGED]),
    ],
)
def test_a_row_is_there_exactly_where_an_event_says_so(state, rows, expected):
    assert kinds(judged(row(0, state), rows=rows)) == expected


@pytest.mark.parametrize(
    ("action", "outcome", "covers"),
    [
        ("project.create", Outcome.DONE, True),
        ("an action of a later version", Outcome.DONE, True),
        ("project.create", Outcome.DENIED, False),
        ("project.create", Outcome.FAILED, False),
        ("deployment.infer", Outcome.DONE, False),
    ],
)
def test_only_an_erased_event_that_may_have_changed_rows_makes_them_unknowable(action, outcome, covers):
    erased = row(1, action=action, outcome=outcome)._replace(payload=None, salt=None)
    trail = judged(row(0, {"t:1": "a"}), erased, rows=[("t:1", "b")])
    assert (kinds(trail), trail.unknowable) == (([], 1) if covers else ([Kind.STATE_CHANGED], 0))


def test_what_is_told_after_an_erased_event_is_known():
    erased = row(0)._replace(payload=None, salt=None)
    assert kinds(judged(erased, row(1, {"t:1": "a"}), rows=[("t:1", "b")])) == [Kind.STATE_CHANGED]


def test_nothing_is_believed_of_an_event_that_is_not_in_the_tree():
    trail = judged(row(0, {"t:1": "a"}, outcome=Outcome.DENIED), rows=[("t:1", "b")], sound=False)
    assert (kinds(trail), trail.unknowable) == ([], 1)


def test_lost_events_may_have_changed_anything_before():
    trail = Trail(Findings())
    trail.take(row(0, {"t:1": "a"}), sound=True)
    trail.lose(3)
    trail.judge("t:1", "b")
    assert (kinds(trail), trail.unknowable, trail.events) == ([], 1, 4)


SLACK = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (-BACK + SLACK, []),
        (-BACK - SLACK, [Kind.BACK_DATED]),
        (LONGEST - SLACK, []),
        (LONGEST + SLACK, [Kind.BACK_DATED]),
    ],
)
def test_the_time_of_an_event_fits_that_of_its_id(shift, expected):
    assert kinds(judged(row(0, shift=shift))) == expected


def test_the_time_of_an_event_fits_that_of_the_event_before_it():
    late, now = timedelta(minutes=10), timedelta()
    trail = judged(row(0, shift=late), row(1, shift=now), row(2, shift=now))
    assert [(d.kind, d.index) for d in trail.found.listed] == [(Kind.BACK_DATED, 1)]
