"""Models and deployments by the SDK: from a run to an answer, by the hands that policy asks for."""

import hashlib
import io
import json
import tomllib

import httpx
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.release.conftest import FEATURES, graph, score

from trustplane.client.models import infer
from trustplane.client.wire import Wire
from trustplane.values.errors import BadInput, Conflict, Denied, NotFound, Refused


@pytest.fixture
def reviewer(ask):
    return ask("reviewer").project("credit")


@pytest.fixture
def operator(ask):
    return ask("operator").project("credit")


def test_a_run_becomes_a_signed_version(scientist, made_run, remembered, ask, tmp_path):
    run = made_run()
    made = scientist.models.register("risk", run)
    assert (made.number, made.format) == (1, "onnx")
    envelope = scientist.models.sign("risk")
    assert envelope.payloadType == "application/vnd.in-toto+json"
    assert ask("owner").signing_key().startswith("-----BEGIN PUBLIC KEY-----")
    [listed] = scientist.models.list()
    assert (listed.name, listed.newest["signed"]) == ("risk", True)
    out = scientist.models.fetch("risk", tmp_path / "risk.onnx")
    assert hashlib.sha256(out.read_bytes()).hexdigest() == made.sha256.removeprefix("sha256:")
    onnx.checker.check_model(onnx.load(out))


def test_reasons_are_told_of_a_version(scientist, ask, made_version):
    made_version({"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode(), "holdout.parquet": held_out()})
    rows = [{"income": 0.0, "debt": 10.0}, {"income": 100.0, "debt": None}]
    told = scientist.models.reasons("risk", rows[:1])
    [row] = told.rows
    assert (row["favourable"], [r["features"] for r in row["reasons"]]) == (False, [["income"], ["debt"]])
    assert row["score"] == pytest.approx(score([[0, 10]])[0], abs=1e-6)
    assert (told.way, told.exact) == ("linear", True)
    with pytest.raises(Denied):
        ask("operator").project("credit").models.reasons("risk", rows[:1], 1)
    with pytest.raises(BadInput):
        scientist.models.reasons("risk", [{"income": 1.0}])


def test_the_gate_says_what_holds_a_version_back(scientist, reviewer, made_version):
    made_version()
    result = scientist.models.gate("risk")
    assert not result.passed
    assert {"TP-ASM-01", "TP-REL-01"} <= {f["control"] for f in result.findings if f["status"] != "passed"}
    with pytest.raises(Refused) as told:
        reviewer.models.approve("risk", reason="it looks fine")
    assert told.value.code == "TP-GATE-001"
    assert told.value.facts["blocking"]


def test_from_approval_to_an_answer(scientist, reviewer, operator, ask, ready):
    with pytest.raises(Denied):
        scientist.models.approve("risk", reason="my own")
    made = reviewer.models.approve("risk", 1, reason="it holds")
    assert made.status == "approved"
    assert made.receipt.startswith("c2sp.org/tlog-proof@v1")
    with pytest.raises(Conflict) as told:
        reviewer.models.approve("risk", 1, reason="again")
    assert told.value.code == "TP-GATE-004"
    served = operator.deployments.create("risk", "production")
    assert (served.name, served.version) == ("risk-production", 1)
    rows = [[20.0, 3.0], [90.0, 0.5]]
    consumer = ask("consumer")
    assert consumer.served("risk-production").inputs[0]["shape"] == [-1, 2]
    answer = consumer.infer("risk-production", rows)
    assert np.allclose(answer.outputs[0]["data"], score(rows).ravel(), atol=1e-5)
    assert np.allclose(
        consumer.infer("risk-production", np.asarray(rows)).outputs[0]["data"], answer.outputs[0]["data"]
    )
    newest = ask("auditor").project("credit").deployments.decisions("risk-production", 1)
    assert newest[0].rows == 2
    with pytest.raises(Denied):
        scientist.deployments.retire("risk-production")
    assert operator.deployments.retire("risk-production").status == "retired"
    with pytest.raises(NotFound):
        consumer.infer("risk-production", rows)


def test_a_rejected_version_stays_rejected(scientist, reviewer, ready):
    assert reviewer.models.reject("risk", reason="no").status == "rejected"
    with pytest.raises((Conflict, Refused)):
        reviewer.models.approve("risk", reason="yes")
    assert scientist.models.version("risk").status == "rejected"


def test_a_waiver_is_asked_for_by_one_and_granted_by_another(scientist, reviewer, made_version):
    made_version()
    asked = scientist.models.request_waiver("risk", "TP-ASM-01", reason="a pilot without people", days=7)
    with pytest.raises(Denied):
        scientist.models.grant_waiver(asked.id)
    granted = reviewer.models.grant_waiver(asked.id)
    assert granted.control == "TP-ASM-01"
    result = scientist.models.gate("risk")
    assert {f["control"]: f["status"] for f in result.findings}["TP-ASM-01"] == "waived"


def test_what_there_is_not_is_told(scientist, made_run, remembered):
    with pytest.raises(NotFound):
        scientist.models.version("risk")
    with pytest.raises(NotFound):
        scientist.models.version("risk", 7)
    with pytest.raises(NotFound):
        scientist.models.register("risk", "no-such-run")
    run = made_run({"model.onnx": b"\x80\x04\x95not a graph", "features.json": b"[]"})
    with pytest.raises(Refused) as told:
        scientist.models.register("risk", run)
    assert told.value.code.startswith("TP-RELEASE-")
    with pytest.raises(BadInput) as told:
        scientist.models.register("risk", run, "other.onnx")
    assert told.value.code == "TP-RELEASE-004"
    with pytest.raises(NotFound):
        scientist.deployments.get("nothing")


def test_another_version_is_fetched_by_its_number(scientist, made_version, tmp_path):
    made_version()
    made_version({"model.onnx": graph(tag="two"), "features.json": json.dumps([{"name": "a"}, {"name": "b"}]).encode()})
    assert [v["number"] for v in scientist.models.get("risk").versions] == [2, 1]
    first, second = (scientist.models.fetch("risk", tmp_path / f"{n}", n).read_bytes() for n in (1, 2))
    assert first != second == graph(tag="two")


def asked(rows):
    """What is sent for rows."""
    seen = []

    def answer(request):
        seen.append(json.loads(request.content))
        return httpx.Response(200, json={})

    infer(Wire(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://x"), "x"), "m", rows)
    return seen[0]["inputs"][0]


@given(
    st.integers(1, 5).flatmap(
        lambda w: st.lists(st.lists(st.floats(-1e6, 1e6), min_size=w, max_size=w), min_size=1, max_size=5)
    )
)
def test_rows_become_one_tensor_row_by_row(rows):
    tensor = asked(rows)
    assert tensor["shape"] == [len(rows), len(rows[0])]
    assert tensor["data"] == [value for row in rows for value in row]


@pytest.mark.parametrize(
    "rows", [[], [[]], [[], []], [[1.0], [1.0, 2.0]], [["a"]], [[None]], [5], "12", [[float("nan")]], [[float("inf")]], [[10**400]], [[[1]]], [{"a": 1}]]
)  # fmt: skip
def test_what_is_no_rectangle_of_numbers_is_not_sent(rows):
    if rows == "12":  # a text is a sequence of texts of one figure each
        assert asked(rows)["data"] == [1.0, 2.0]
        return
    with pytest.raises(BadInput) as told:
        asked(rows)
    assert told.value.code == "TP-CLIENT-006"


def held_out(rows=400):
    """Rows of which the graph of the tests tells what comes."""
    dice = np.random.default_rng(5)
    income, debt = dice.uniform(0, 100, rows), dice.uniform(0, 10, rows)
    came = (dice.random(rows) < score(np.column_stack([income, debt]))).astype(np.int64)
    written = io.BytesIO()
    pq.write_table(
        pa.table(
            {"sex": np.array(["f", "m"])[dice.integers(0, 2, rows)], "income": income, "debt": debt, "came": came}
        ),
        written,
    )
    return written.getvalue()


def test_a_suite_is_drafted_and_assessments_are_compared_and_written(scientist, made_version, tmp_path):
    made_version({"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode(), "holdout.parquet": held_out()})
    drafted = tomllib.loads(scientist.models.draft_suite("risk"))
    drafted["checks"] = ["stress"]
    with pytest.raises(BadInput) as told:
        scientist.models.fetch_report("risk", tmp_path / "none.html")
    assert told.value.code == "TP-ASSESS-006"
    scientist.models.assess("risk", suite=drafted).wait()
    newest = scientist.models.version("risk").assessments[0]
    assert "stress" in newest["results"]
    assert "thresholds" not in newest["results"]
    with pytest.raises(NotFound):
        scientist.models.compare("risk", 7)
    made = scientist.models.compare("risk", 1)
    assert (made.worse, made.strict) == ([], True)
    assert [(p.version, p.assessment) for p in scientist.models.trend("risk")] == [(1, newest["id"])]
    page = scientist.models.fetch_report("risk", tmp_path / "report.html").read_text()
    assert "Assessment of risk 1" in page
    body = json.loads(scientist.models.fetch_report("risk", tmp_path / "report.json", kind="json").read_text())
    assert {c["name"] for c in body["checks"]} == set(newest["results"])


THREAT = """
budget = { norm = "l2", distance = 0.4 }
features.income = { low = 0, high = 100 }
features.debt = { low = 0, high = 10, direction = "down" }
"""


@pytest.fixture
def assessed_by_attack(scientist, made_version):
    """A version whose assessment keeps rows; gives the newest assessment."""
    held = {"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode(), "holdout.parquet": held_out()}
    made_version({**held, "threat.toml": THREAT.encode()})
    few = {"rows": 60, "queries": 100}
    suite = {
        "checks": ["robustness", "counterfactuals"],
        "parameters": {"robustness": few, "counterfactuals": few | {"min_rows": 5}},
    }
    scientist.models.assess("risk", suite=suite).wait()
    return scientist.models.version("risk").assessments[0]


def test_rows_that_an_assessment_keeps_are_listed_opened_and_fetched(scientist, ask, assessed_by_attack, tmp_path):
    made, models = assessed_by_attack, scientist.models
    kept = {e.name: e.rows for e in models.evidence(made["id"])}
    assert set(kept) == {"counterfactuals.counterfactuals", "robustness.evasions"}
    assert kept["robustness.evasions"] == made["results"]["robustness"]["evidence"]["evasions"]
    rows = models.open_evidence(made["id"], "robustness.evasions", 2)
    assert len(rows) == 2
    assert rows[0].cost <= rows[1].cost
    assert {c["feature"] for c in rows[0].changes} <= {"income", "debt"}
    out = models.fetch_evidence(made["id"], "robustness.evasions", tmp_path / "evasions.parquet")
    assert out.stat().st_mode & 0o077 == 0
    table = pq.read_table(out)
    assert table.num_rows == kept["robustness.evasions"]
    assert np.isin(table["before.income"].to_numpy(), pq.read_table(io.BytesIO(held_out()))["income"].to_numpy().astype("f4")).all()  # fmt: skip
    with pytest.raises(NotFound) as told:
        models.open_evidence(made["id"], "robustness.evasion")
    assert (told.value.code, "robustness.evasions" in told.value.why) == ("TP-ASSESS-025", True)
    for wrong in (lambda: models.evidence("nothing"), lambda: models.open_evidence("nothing", "x")):
        with pytest.raises(NotFound) as told:
            wrong()
        assert told.value.code == "TP-ASSESS-006"
    auditor = ask("auditor").project("credit").models
    assert {e.name for e in auditor.evidence(made["id"])} == set(kept)
    with pytest.raises(Denied):
        auditor.open_evidence(made["id"], "robustness.evasions")
    with pytest.raises(Denied):
        ask("data-steward").project("credit").models.evidence(made["id"])


def test_a_report_shows_the_cheapest_rows_to_whoever_may_open_them(scientist, ask, plane, assessed_by_attack, tmp_path):
    openings = lambda: [e for e in plane.ledger.feed(limit=100) if e.leaf.action == "assessment.open"]  # noqa: E731
    plain = scientist.models.fetch_report("risk", tmp_path / "plain.html")
    assert "are kept sealed" in plain.read_text()
    assert "?rows=true" in plain.read_text()
    assert openings() == []
    page = scientist.models.fetch_report("risk", tmp_path / "rows.html", rows=True)
    assert page.stat().st_mode & 0o077 == 0
    assert "Evasions that cost least" in page.read_text()
    assert "kept sealed" not in page.read_text()
    assert len(openings()) == 1
    body = json.loads(scientist.models.fetch_report("risk", tmp_path / "r.json", kind="json", rows=True).read_text())
    shown = {c["name"]: c.get("rows", {}) for c in body["checks"]}
    first = scientist.models.open_evidence(assessed_by_attack["id"], "robustness.evasions", 10)
    assert shown["robustness"]["evasions"] == [dict(r) for r in first]
    assert shown["performance"] == {}
    auditor = ask("auditor").project("credit").models
    seen = auditor.fetch_report("risk", tmp_path / "auditor.html").read_text()
    assert "are kept sealed" in seen
    assert "?rows=true" not in seen
    with pytest.raises(Denied):
        auditor.fetch_report("risk", tmp_path / "no.html", rows=True)
    assert not (tmp_path / "no.html").exists()


def test_what_would_turn_a_decision_is_told_with_its_reasons(scientist, assessed_by_attack):
    row = {"income": 5.0, "debt": 9.0}
    told = scientist.models.reasons("risk", [row], counterfactual=True)
    found = told.rows[0]["counterfactuals"]
    assert found["said"] == ""
    for option in found["options"]:
        turned = row | {c["feature"]: c["after"] for c in option["changes"]}
        assert score([[turned["income"], turned["debt"]]])[0] < 0.5
    assert told.threat.startswith("sha256:")
    assert "counterfactuals" not in scientist.models.reasons("risk", [row]).rows[0]
