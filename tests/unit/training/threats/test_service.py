"""Threat models that a project keeps: versions, who may, what is on record, and what somebody changed behind the log's back."""

import threading

import pytest
from sqlalchemy import text as sql

from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import AccessDenied, Idempotency
from trustplane.training.tables import KeptThreat
from trustplane.training.threats.service import (
    Reference,
    find_threat,
    is_reference,
    keep_threat,
    newest_threats,
    parse_reference,
    read_kept,
    versions_of,
)
from trustplane.values.digests import sha256
from trustplane.values.errors import BadInput, NotFound, Tampered

TEXT = """
name = "what a client can say otherwise"
budget = { norm = "linf", distance = 0.02 }
features.income = { mutable = false }
features.debt = { low = -5, high = 5, direction = "down" }
relations = [{ holds = "debt <= income + 9" }]
"""


def kept(plane, outcome):
    with plane.database.read() as session:
        return session.get_one(KeptThreat, outcome.id)


def event_of(plane, event):
    return plane.ledger.get(event).payload


def test_versions_are_counted_by_name_and_an_event_says_what_was_kept(plane, cast) -> None:
    first = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT)
    other = keep_threat(plane, cast["reviewer"], "credit", "fraud", TEXT)
    second = keep_threat(plane, cast["reviewer"], "credit", "credit", TEXT.replace("0.02", "0.5"))
    rows = [kept(plane, each) for each in (first, other, second)]
    assert [(r.name, r.number, r.author_id) for r in rows] == [
        ("credit", 1, cast["scientist"].id), ("fraud", 1, cast["reviewer"].id), ("credit", 2, cast["reviewer"].id),
    ]  # fmt: skip
    assert rows[0].digest == sha256(TEXT.encode()) == rows[1].digest
    with plane.database.read() as session:
        project = find_project(session, "credit").id
        assert [r.number for r in versions_of(session, project, "credit")] == [2, 1]
        assert [(r.name, r.number) for r in newest_threats(session, project)] == [("credit", 2), ("fraud", 1)]
        assert find_threat(session, project, Reference("credit")).id == second.id
        assert find_threat(session, project, Reference("credit", 1)).id == first.id
        assert read_kept(rows[0]).budget.distance == 0.02
        (event,) = events_about(session, f"ThreatModel::{first.id}", "threat.keep")
    said = event_of(plane, event)
    assert said["facts"] == {
        "name": "credit", "number": 1, "new": True, "draft": False, "features": 2, "mutable": 1, "relations": 1,
    }  # fmt: skip
    assert said["refers"] == {"threat": rows[0].digest}
    assert "what a client" not in str(said)


def test_the_text_of_the_newest_version_makes_no_new_one_and_an_older_text_does(plane, cast) -> None:
    first = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT)
    again = keep_threat(plane, cast["reviewer"], "credit", "credit", TEXT)
    assert (again.id, again.new) == (first.id, False)
    with plane.database.read() as session:
        events = events_about(session, f"ThreatModel::{first.id}", "threat.keep")
    assert [event_of(plane, e)["facts"]["new"] for e in sorted(events)] == [True, False]
    keep_threat(plane, cast["scientist"], "credit", "credit", TEXT.replace("0.02", "0.5"))
    back = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT)
    assert (kept(plane, back).number, back.new) == (3, True)
    assert not verify(plane).discrepancies


def test_a_title_may_hold_anything_that_toml_can_say(plane, cast) -> None:
    made = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT.replace("what", r"\u0000\u202e<b>", 1))
    assert kept(plane, made).facts["name"].startswith("\0\u202e<b>")
    assert not verify(plane).discrepancies


def test_a_repeated_request_finds_what_it_made(plane, cast) -> None:
    key = Idempotency("k", "r")
    made = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT, key)
    assert plane.replayed(cast["scientist"], key) == made.id


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("credit", "", "TP-RUN-040"),
        ("credit", "budget = {", "TP-RUN-040"),
        ("credit", TEXT + "\ud800", "TP-RUN-040"),
        ("credit", TEXT + "# \x00", "TP-RUN-040"),
        ("credit", TEXT + "#" * 1_000_001, "TP-RUN-040"),
        ("credit", TEXT.replace("debt <= income + 9", "debt >= 99"), "TP-RUN-041"),
        ("credit", TEXT.replace("debt <= income + 9", "1 <= 0"), "TP-RUN-041"),
        ("Credit", TEXT, "TP-VALUE-001"),
        ("credit@2", TEXT, "TP-VALUE-001"),
        ("", TEXT, "TP-VALUE-001"),
    ],
)
def test_what_is_not_usable_is_refused_and_nothing_is_kept(plane, cast, name, text, code) -> None:
    with pytest.raises(BadInput) as caught:
        keep_threat(plane, cast["scientist"], "credit", name, text)
    assert caught.value.code == code
    with plane.database.read() as session:
        assert newest_threats(session, find_project(session, "credit").id) == []


@pytest.mark.parametrize("role", ["owner", "data-steward", "operator", "auditor", "consumer"])
def test_who_neither_trains_nor_assesses_keeps_none_and_is_told_nothing_of_the_text(plane, cast, role) -> None:
    with pytest.raises(AccessDenied):
        keep_threat(plane, cast[role], "credit", "credit", "no threat model at all")


def test_many_at_once_each_get_a_number(plane, cast) -> None:
    failures = []

    def keep(number):
        try:
            keep_threat(plane, cast["scientist"], "credit", "credit", TEXT.replace("0.02", f"0.{number}"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=keep, args=(n,)) for n in range(1, 7)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    with plane.database.read() as session:
        rows = versions_of(session, find_project(session, "credit").id, "credit")
    assert [r.number for r in rows] == [6, 5, 4, 3, 2, 1]


def test_a_name_that_is_not_kept_is_told_with_the_nearest(plane, cast) -> None:
    keep_threat(plane, cast["scientist"], "credit", "credit-risk", TEXT)
    with plane.database.read() as session:
        project = find_project(session, "credit").id
        for reference, why in (("credit-rsk", "did you mean 'credit-risk'"), ("credit-risk@9", "newest version is 1")):
            with pytest.raises(NotFound) as caught:
                find_threat(session, project, parse_reference(reference))
            assert caught.value.code == "TP-RUN-055"
            assert why in caught.value.why
        with pytest.raises(NotFound):
            find_threat(session, "another", Reference("credit-risk"))


@pytest.mark.parametrize(
    "said", ["a@", "a@0", "a@01", "a@-1", "a@1@2", "@1", "A", "a b", "", "a\n", "a@1\n", "é", "a@1234567890", "a@²"]
)
def test_what_is_no_reference(said) -> None:
    assert not is_reference(said)
    with pytest.raises(BadInput, match="TP-RUN-054"):
        parse_reference(said)


def test_references_are_read_and_written() -> None:
    said = "credit.v2_x-1@12"
    assert parse_reference(said) == Reference("credit.v2_x-1", 12)
    assert str(parse_reference(said)) == said
    assert str(parse_reference("credit")) == "credit"
    assert not is_reference(TEXT)


def test_a_text_that_was_changed_in_the_database_is_found(plane, cast) -> None:
    made = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT)
    changed = TEXT.replace("0.02", "0.0001")
    with plane.database.engine.begin() as connection:
        connection.execute(sql("UPDATE threat_models SET text = :text"), {"text": changed})
    row = kept(plane, made)
    with pytest.raises(Tampered, match="TP-RUN-056"):
        read_kept(row)
    (found,) = verify(plane).discrepancies
    assert (str(found.kind), found.where) == ("state-changed", f"threat_models:{made.id}")
    with plane.database.engine.begin() as connection:
        connection.execute(sql("UPDATE threat_models SET digest = :digest"), {"digest": sha256(changed.encode())})
    with pytest.raises(Tampered, match="TP-RUN-056"):  # whoever remembers what was meant is not deceived
        read_kept(kept(plane, made), sha256(TEXT.encode()))
    with plane.database.engine.begin() as connection:
        connection.execute(sql("DELETE FROM threat_models"))
    assert [str(d.kind) for d in verify(plane).discrepancies] == ["state-missing"]
