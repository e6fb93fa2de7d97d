"""Contracts by the SDK."""

import pytest

from trustplane.values.errors import Denied, NotFound, Refused

HEADER = "customer_id,email,age,amount\n"


def test_from_a_draft_to_a_release(steward, scientist, clients, tmp_path):
    with pytest.raises(NotFound) as caught:
        steward.contracts.get("clients")
    assert caught.value.code == "TP-DATA-124"
    steward.contracts.set("clients", steward.contracts.draft("clients"))
    bad = tmp_path / "bad.csv"
    bad.write_text(HEADER + "C1,a@mail.example,999,1.5\n")
    made = steward.datasets.ingest("clients", bad)
    assert made.quarantined is True
    held = steward.contracts.get("clients")
    assert held.quarantined == [2]
    report = scientist.contracts.report("clients", 2)
    assert report.state == "quarantined"
    assert "age" in {b["column"] for b in report.breaches}
    assert scientist.contracts.report("clients", 1).state == "kept"
    assert [v["quarantined"] for v in steward.datasets.get("clients").versions] == [True, False]
    with pytest.raises(Denied):
        scientist.contracts.release("clients", 2, reason="please")
    with pytest.raises(Refused):
        steward.views.create("new", "clients", ["age"], purpose="dpv:CustomerSolvencyMonitoring", version=2)
    assert steward.contracts.release("clients", 2, reason="it is right").state == "released"
    assert steward.datasets.get("clients").version == 2
