"""Decisions about people: sealed under a key of the person's own, told to the person, and gone with that key."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from tests.unit.serving.conftest import NAME, ROWS, body

from trustplane.data.blind_index import Identifier
from trustplane.data.subjects.access import export
from trustplane.data.subjects.erasure import search, start_erasure
from trustplane.data.subjects.requests import RequestSpec, open_request, verify_identity
from trustplane.data.tables import SubjectRequest
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.kernel.vault.keys import place, unwrap
from trustplane.kernel.vault.tables import VaultKey
from trustplane.serving.catalog import deployment_target
from trustplane.serving.controls import collect_serving
from trustplane.serving.decisions import read
from trustplane.serving.inference import infer
from trustplane.serving.loading import Shelf
from trustplane.serving.tables import Decision, DecisionSubject
from trustplane.values.errors import BadInput, TrustplaneError
from trustplane.values.findings import Subject

PERSON = "zoë.q@mail.example"


def about(subject, rows=ROWS):
    return json.dumps({**json.loads(body(rows)), "parameters": {"subject": subject}}).encode()


@pytest.fixture
def ask(plane, cast, deployment):
    """Have the model answer about a person, or about nobody; give the event."""
    shelf = Shelf(plane)

    def answer(subject=None, rows=ROWS):
        sent = body(rows) if subject is None else about(subject, rows)
        return infer(plane, shelf, cast["consumer"], NAME, sent)["parameters"]["event"]

    return answer


@pytest.fixture
def asked(plane, cast):
    """Open a request of a person who was identified."""

    def make(kind="erasure", *values):
        identifiers = tuple(Identifier(v) for v in values or (PERSON,))
        request = open_request(plane, cast["data-steward"], "credit", RequestSpec(kind, identifiers))
        verify_identity(plane, cast["data-steward"], "credit", request, "passport shown at the counter")
        return request

    return make


@pytest.fixture
def erase(plane, cast):
    """Erase the person of a request."""

    def run(request):
        return plane.jobs.wait(start_erasure(plane, cast["data-steward"], "credit", request), 60).returned()

    return run


def on_record(plane, cast, deployment):
    with plane.database.read() as session:
        target = deployment_target(session, deployment)
        with plane.operation(cast["operator"], "decision.read", target) as op:
            return [record.id for record in read(op, session, deployment)]


def test_decisions_about_one_person_share_a_key_and_others_have_their_own(plane, cast, deployment, ask):
    first, again, other, nobody = ask(PERSON), ask(" ZOË.Q@mail.example"), ask("someone@else.example"), ask()
    with plane.database.read() as session:
        links = {row.decision_id: row for row in session.scalars(select(DecisionSubject))}
        assert set(links) == {first, again, other}
        assert links[first].key_id == links[again].key_id != links[other].key_id
        assert links[first].tag == links[again].tag != links[other].tag
    assert on_record(plane, cast, deployment) == sorted([first, again, other, nobody])


def test_what_the_person_is_called_is_kept_nowhere(plane, ask):
    event = ask(PERSON)
    assert "mail.example" not in json.dumps(plane.ledger.get(event).payload)
    plane.ledger.sequencer.integrate()
    for path in plane.workspace.folder.rglob("*"):
        if path.is_file():
            assert b"q@mail.example" not in path.read_bytes(), path


@pytest.mark.parametrize("subject", ["", "  ", 7, ["a", "b"], {"value": "x"}, "x" * 201, True])
def test_whom_it_is_about_is_text_and_is_not_quoted(plane, cast, deployment, subject):
    with pytest.raises(BadInput) as told:
        infer(plane, Shelf(plane), cast["consumer"], NAME, about(subject))
    assert told.value.code == "TP-SERVING-012"
    assert "xxx" not in str(told.value)
    assert on_record(plane, cast, deployment) == []


def test_a_search_counts_decisions_and_decrypts_none(plane, cast, ask, asked):
    ask(PERSON), ask(PERSON), ask("someone@else.example")
    found = search(plane, cast["data-steward"], "credit", asked())
    assert [(k.kind, k.name, len(k.ids)) for k in found.records] == [("decisions", NAME, 2)]
    event = next(e for e in plane.ledger.feed(limit=5) if e.leaf.action == "request.search")
    with plane.database.read() as session:
        owns = set(session.scalars(select(DecisionSubject.key_id)))
    assert not owns & set(plane.ledger.get(event.leaf.id).payload["keys"])


def test_the_person_is_given_the_decisions(plane, cast, ask, asked):
    event = ask(PERSON, [[41.25, 5.0]])
    ask("someone@else.example", [[33.125, 5.0]])
    request = asked("access")
    said = json.loads(b"".join(export(plane, cast["data-steward"], "credit", request)))
    (decision,) = said["decisions"]
    assert (decision["id"], decision["of"]) == (event, NAME)
    assert 41.25 in [v for values in decision["inputs"].values() for v in values]
    assert list(decision["outputs"])
    lines = b"".join(export(plane, cast["data-steward"], "credit", request, "csv")).decode()
    assert "41.25" in lines
    assert "33.125" not in lines


def test_an_erased_persons_decisions_are_gone_and_all_others_stay(plane, cast, deployment, ask, asked, erase):
    mine, other, nobody = [ask(PERSON), ask(PERSON)], ask("someone@else.example"), ask()
    with plane.database.read() as session:
        key = session.get_one(VaultKey, session.get_one(DecisionSubject, mine[0]).key_id)
        before = session.get_one(Decision, mine[0]).sealed
    request = asked()
    erase(request)
    assert on_record(plane, cast, deployment) == sorted([other, nobody])
    with plane.database.read() as session:
        assert {session.get_one(Decision, d).sealed for d in mine} == {b""} != {before}
        assert session.get(DecisionSubject, mine[0]) is None
        done = session.get_one(SubjectRequest, request).erased[deployment.id]
        assert done["records"] == 2
        with pytest.raises(TrustplaneError) as told:
            unwrap_chain(session, plane.keystore, key.id)
        assert told.value.code == "TP-VAULT-008"
        above = unwrap_chain(session, plane.keystore, key.parent_id)
        with pytest.raises(TrustplaneError):  # the wrapped key from a backup, under the project's key of now
            unwrap(above, key.wrapped, place(key.id, key.parent_id, key.purpose))
    assert plane.ledger.receipt(done["event"]).startswith("c2sp.org/tlog-proof@v1")
    assert plane.ledger.get(done["event"]).payload["facts"]["certificate"] == "key-destruction/1"
    assert search(plane, cast["data-steward"], "credit", request).records == []
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


def test_every_answer_still_counts_after_an_erasure(plane, cast, deployment, ask, asked, erase):
    ask(PERSON), ask()
    erase(asked())
    with plane.database.read() as session:
        facts = collect_serving(session, Subject("deployment", deployment.id, NAME)).facts
    assert facts["decisions"] == facts["events"] == 2


def test_the_model_goes_on_answering_about_an_erased_person(plane, cast, deployment, ask, asked, erase):
    ask(PERSON)
    erase(asked())
    again = ask(PERSON)
    assert on_record(plane, cast, deployment) == [again]


def test_first_answers_about_one_person_at_once_are_all_found(plane, cast, deployment, asked, erase):
    shelf = Shelf(plane)
    shelf.take(deployment)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: infer(plane, shelf, cast["consumer"], NAME, about(PERSON)), range(12)))
    assert len(made) == 12
    request = asked()
    assert sum(len(k.ids) for k in search(plane, cast["data-steward"], "credit", request).records) == 12
    erase(request)
    assert on_record(plane, cast, deployment) == []


def test_somebody_without_decisions_leaves_no_event_of_erasing_them(plane, cast, ask, asked, erase):
    ask(PERSON)
    erase(asked("erasure", "nobody@mail.example"))
    assert all(e.leaf.action != "decision.erase" for e in plane.ledger.feed(limit=20))
