"""The door: one decision, one transaction, one event, and nothing in between."""

import pytest
from sqlalchemy import func, select

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.ledger.proofs import verify_receipt
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.policy.engine import Engine
from trustplane.kernel.target import PLANE
from trustplane.values.errors import Conflict, Refused


@pytest.fixture
def project(plane, owner):
    people.create_project(plane, owner, "credit")
    with plane.database.read() as session:
        return project_target(find_project(session, "credit"))


@pytest.fixture
def decisions(monkeypatch):
    """Every decision that is made."""
    made = []
    whole = Engine.decide

    def decide(self, request):
        answer = whole(self, request)
        made.append((request.action, answer))
        return answer

    monkeypatch.setattr(Engine, "decide", decide)
    return made


def events(plane):
    return plane.ledger.feed(limit=500)


def description(plane, project):
    with plane.database.read() as session:
        return session.get_one(Project, project.id).description


def change(plane, actor, project, text="changed", error=None):
    with plane.operation(actor, "project.update", project) as op:
        op.session.get_one(Project, project.id).description = text
        op.record(length=len(text))
        if error is not None:
            op.session.flush()
            raise error
    return op


def test_a_change_is_one_decision_and_one_event(plane, owner, project, decisions):
    before = len(events(plane))
    op = change(plane, owner, project)
    assert [action for action, _ in decisions] == ["project.update"]
    made = events(plane)[: len(events(plane)) - before]
    assert [(e.leaf.id, e.leaf.action, e.leaf.outcome) for e in made] == [(op.id, "project.update", "done")]
    assert made[0].payload["facts"] == {"length": 7}
    assert made[0].payload["decision"]["policies"] == ["role-owner"]
    assert list(made[0].payload["state"]) == [f"projects:{project.id}"]


def test_a_denial_changes_nothing_and_is_an_event(plane, owner, project, decisions):
    bo = plane.stand_in(people.create_principal(plane, owner, people.PrincipalSpec("user", "bo")), ("*",))
    decisions.clear()
    with pytest.raises(AccessDenied) as told:
        change(plane, bo, project)
    assert [action for action, _ in decisions] == ["project.update"]
    newest = events(plane)[0]
    assert (newest.leaf.outcome, newest.leaf.actor) == ("denied", bo.id)
    assert newest.payload["decision"]["reason"] == told.value.why
    assert description(plane, project) == ""


@pytest.mark.parametrize(
    ("error", "outcome", "facts"),
    [
        (ZeroDivisionError("a value of a row: 5"), "failed", {"error": "ZeroDivisionError"}),
        (Refused("TP-RELEASE-002", "no"), "refused", {"code": "TP-RELEASE-002", "length": 7}),
    ],
)
def test_what_raises_changes_nothing_and_is_an_event(plane, owner, project, error, outcome, facts):
    with pytest.raises(type(error)):
        change(plane, owner, project, error=error)
    assert description(plane, project) == ""
    newest = events(plane)[0]
    assert (newest.leaf.outcome, newest.payload["facts"], newest.payload["state"]) == (outcome, facts, {})
    assert "a value of a row" not in str(newest)
    assert crosscheck.verify(plane).discrepancies == ()


def test_an_event_that_cannot_be_written_takes_the_change_with_it(plane, owner, project, monkeypatch):
    before = len(events(plane))
    monkeypatch.setattr(plane.ledger, "insert", lambda *_: (_ for _ in ()).throw(Conflict("TP-STORE-008", "no")))
    with pytest.raises(Conflict):
        change(plane, owner, project)
    assert description(plane, project) == ""
    assert [e.leaf.outcome for e in events(plane)[: len(events(plane)) - before]] == ["refused"]


def test_an_assured_operation_waits_for_its_receipt(plane, owner, project):
    from trustplane.kernel.target import Target
    from trustplane.kernel.vault.destroying import destroy_key
    from trustplane.kernel.vault.tables import VaultKey

    with plane.database.read() as session:
        key = session.scalar(select(VaultKey).where(VaultKey.project_id == project.id))
    _, receipt = destroy_key(plane, owner, Target("Key", key.id, project=project.id, attributes={"held": False}), "")
    assert b"key.destroy" in verify_receipt(receipt, [plane.ledger.vkey]).entry


def test_a_write_that_changes_nothing_is_a_programming_error(plane, owner, project):
    with pytest.raises(RuntimeError, match="changed nothing"), plane.operation(owner, "project.update", project):
        pass


def test_a_read_is_no_operation(plane, owner, project):
    with pytest.raises(RuntimeError, match="authorise it"), plane.operation(owner, "project.read", project):
        pass
    before = len(events(plane))
    plane.authorise(owner, "project.read", project)
    assert len(events(plane)) == before


def test_opening_is_on_record_before_the_block_ends_without_an_error(plane, owner):
    with plane.operation(owner, "ledger.export", PLANE) as op:
        op.record(size=3)
        with plane.database.read() as session:
            from trustplane.kernel.ledger.tables import LedgerEvent

            assert session.get(LedgerEvent, op.id) is None
    assert plane.ledger.get(op.id).payload["facts"] == {"size": 3}


def test_an_operation_that_is_over_does_nothing_more(plane, owner, project):
    op = change(plane, owner, project)
    for use in (lambda: op.session, lambda: op.note_release([]), lambda: op.accompany(None)):
        with pytest.raises(RuntimeError, match="is over"):
            use()


def test_an_unknown_action_is_denied(plane, owner):
    with pytest.raises(AccessDenied), plane.operation(owner, "project.conquer", PLANE):
        pass


def test_facts_that_have_no_canonical_form_are_refused_and_nothing_is_changed(plane, owner, project):
    from trustplane.values.errors import BadInput

    def record():
        with plane.operation(owner, "project.update", project) as op:
            op.session.get_one(Project, project.id).description = "changed"
            op.record(bad=float("nan"))

    with pytest.raises(BadInput) as told:
        record()
    assert told.value.code == "TP-LEDGER-015"
    assert description(plane, project) == ""


def test_every_row_that_a_change_touches_is_in_its_event(plane, owner):
    people.create_project(plane, owner, "one")
    event = events(plane)[0]
    assert sorted(key.split(":")[0] for key in event.payload["state"]) == ["projects", "vault_keys"]
    with plane.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Project)) == 1
    assert crosscheck.verify(plane).discrepancies == ()
