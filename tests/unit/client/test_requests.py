"""Requests, holds and retention by the SDK."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from trustplane.values.errors import BadInput, Denied, NotFound, Refused


def test_a_request_from_receipt_to_answer(steward, scientist, clients, people_view, tmp_path):
    scientist.views.arrow("people")
    requests = steward.requests
    made = requests.open("access", ["p7@mail.example"], received=datetime.now(UTC) - timedelta(days=3))
    assert (made.kind, made.state, made.overdue) == ("access", "received", False)
    with pytest.raises(Refused):
        requests.find(made.id)
    requests.verify(made.id, "passport")
    assert requests.extend(made.id, "JustificationA12HighVolume").delayed.endswith("A12HighVolume")
    assert [dict(f) for f in requests.find(made.id)] == [
        {"kind": "rows", "dataset": "clients", "version": 1, "rows": 1}
    ]
    out = requests.export(made.id, tmp_path / "held.json")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    [held] = json.loads(out.read_text())["held"]
    assert held["rows"][0]["customer_id"] == "C00007"
    assert held["used"][0]["times"] == 1
    text = requests.export(made.id, tmp_path / "held.csv", "csv").read_text()
    assert "clients,1,1,email,p7@mail.example" in text
    done = requests.answer(made.id, "sent by mail")
    assert done.state == "answered"
    assert [r.id for r in requests.list()] == [made.id]
    assert "p7@" not in json.dumps(dict(requests.get(made.id)))


def test_an_erasure(steward, scientist, clients, people_view):
    before = scientist.views.arrow("people").num_rows
    made = steward.requests.open("erasure", [{"value": "C00009", "column": "customer_id"}])
    steward.requests.verify(made.id, "passport")
    assert steward.requests.erase(made.id).wait() == {"datasets": 1}
    shown = steward.requests.get(made.id)
    assert [(e["dataset"], e["version"], e["rows"]) for e in shown.erased] == [("clients", 1, 1)]
    assert shown.reached == []
    assert scientist.views.arrow("people").num_rows == before - 1
    assert steward.requests.find(made.id) == []
    with pytest.raises(NotFound):
        steward.requests.decide(made.id, "nothing", "retired", reason="x")
    steward.requests.answer(made.id, "it is done")


def test_a_portable_value_is_no_formula(steward, tmp_path):
    import io

    table = b"customer_id,email,note\nC1,a@mail.example,=1+1\nC2,b@mail.example,plain\nC3,c@mail.example,x\n"
    steward.datasets.ingest(
        "notes", io.BytesIO(table), format="csv", purposes=["dpv:CustomerManagement"], lawful_basis="A6-1-b", source="x"
    )
    made = steward.requests.open("portability", ["C1"])
    steward.requests.verify(made.id, "passport")
    text = steward.requests.export(made.id, tmp_path / "x.csv", "csv").read_text()
    assert "notes,1,1,note,'=1+1" in text


def test_refusals_and_rights(steward, scientist, ask):
    made = steward.requests.open("erasure", ["C00001"])
    steward.requests.verify(made.id, "passport")
    with pytest.raises(BadInput):
        steward.requests.refuse(made.id, "no ground", "no")
    with pytest.raises(Refused):
        steward.requests.export(made.id, "/tmp/never.json")
    assert steward.requests.refuse(made.id, "JustificationA17LegalClaims", "in court").state == "refused"
    for attempt in (
        lambda: scientist.requests.list(),
        lambda: scientist.requests.open("access", ["x"]),
        lambda: scientist.retention.run(),
    ):
        with pytest.raises(Denied):
            attempt()
    assert [r.state for r in ask("auditor").project("credit").requests.list()] == ["refused"]


def test_holds_and_retention(steward, ask, clients):
    assert steward.retention.hold("clients", "a claim").held
    assert steward.datasets.get("clients").held
    assert not steward.retention.lift("clients", "settled").held
    assert steward.retention.overdue() == []
    owner = ask("owner").project("credit")
    assert owner.retention.run().wait() == {"due": 0, "destroyed": 0}
    assert owner.retention.schedule("0 3 * * *").schedule.startswith("retention-")
