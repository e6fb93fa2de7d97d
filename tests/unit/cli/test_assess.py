"""``trustplane assess evidence`` and ``trustplane model reasons --counterfactual``: what they print, write, and who is denied."""

import json

import pyarrow.parquet as pq
import pytest
from tests.unit.client.test_models import THREAT, held_out
from tests.unit.release.conftest import (  # noqa: F401 - fixtures
    FEATURES,
    fetch,
    graph,
    made_run,
    made_version,
    remembered,
)

from trustplane.client import credentials
from trustplane.kernel.identity import principals as people


@pytest.fixture
def database_kind():
    """The kind of the database plays no part here, so one is enough."""
    return "sqlite"


@pytest.fixture
def kim(home, plane, cast, made_version, workspace, monkeypatch, tmp_path):  # noqa: F811 - the fixtures
    """A scientist and an auditor who are logged in, and a version with a threat model."""
    for role in ("auditor", "scientist"):
        token = people.issue_token(plane, cast[role], cast[role].id).secret
        credentials.save(workspace.folder, role, token)
    held = {"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode(), "holdout.parquet": held_out()}
    made_version({**held, "threat.toml": THREAT.encode()})
    plane.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rows_of_an_assessment_are_named_shown_and_written(call, kim) -> None:
    (kim / "suite.toml").write_text("[parameters.robustness]\nrows = 60\nqueries = 100\n")
    done = call(
        "-u", "scientist", "-p", "credit", "assess", "risk", "--suite", "suite.toml", "--check", "robustness", "--json"
    )
    made = json.loads(done.out)
    at = ("-u", "scientist", "-p", "credit", "assess", "evidence", made["id"])
    assert "robustness.evasions" in call(*at).out
    [kept] = json.loads(call(*at, "--json").out)["items"]
    shown = call(*at, "robustness.evasions", "--limit", "1")
    assert shown.code == 0
    assert "before" in shown.out
    rows = json.loads(call(*at, "robustness.evasions", "--limit", "3", "--json").out)["items"]
    assert next(set(c) for r in rows for c in r["changes"]) == {"feature", "before", "after"}
    assert len(rows) == 3
    assert call(*at, "robustness.evasions", "-o", "rows.parquet").code == 0
    assert pq.read_table(kim / "rows.parquet").num_rows == kept["rows"]
    assert call(*at, "-o", "rows.parquet").code == 2
    wrong = call(*at, "robustness.evasion")
    assert wrong.code != 0
    assert "TP-ASSESS-025" in wrong.err
    denied = call("-u", "auditor", "-p", "credit", "assess", "evidence", made["id"], "robustness.evasions")
    assert denied.code == 4
    assert call("-u", "scientist", "-p", "credit", "assess", "report", "risk", "--rows", "-o", "r.html").code == 0
    assert "Evasions that cost least" in (kim / "r.html").read_text()


def test_what_would_turn_a_decision_is_shown(call, kim) -> None:
    (kim / "row.json").write_text(json.dumps([{"income": 5.0, "debt": 9.0}, {"income": 0.0, "debt": 10.0}]))
    at = ("-u", "scientist", "-p", "credit", "model", "reasons", "risk", "--row", "row.json")
    assert "change 1" not in call(*at).out
    told = call(*at, "--counterfactual")
    assert told.code == 0, told.err
    assert "change 1, at a cost of" in told.out
    assert "debt is too high" in told.out or "income is too low" in told.out
    rows = json.loads(call(*at, "--counterfactual", "--json").out)["rows"]
    assert all(r["counterfactuals"] for r in rows)
