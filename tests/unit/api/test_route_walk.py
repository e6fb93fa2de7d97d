"""Every route that changes state or opens governed content: exactly one decision, and at least one event."""

import base64
import json
import pickle
import re
import threading
from importlib.resources import files

import pytest
from sklearn.tree import DecisionTreeClassifier
from sqlalchemy import func, select
from tests.unit.api.conftest import PASSWORD

from trustplane.examples.credit.table import write_credit_table
from trustplane.kernel.ledger.tables import LedgerEvent
from trustplane.kernel.plane import Plane

PURPOSE = "dpv:CustomerSolvencyMonitoring"
ASKS = {
    "POST /policies/explain",
    "POST /policies/test",
    "POST /ledger/verify",
    "POST /projects/{project}/run-manifest",
}
"""What is asked by POST and changes nothing."""
OPENS = {
    "GET /projects/{project}/views/{view}/rows",
    "GET /projects/{project}/runs/{run}/outputs/{path:path}",
    "GET /projects/{project}/runs/{run}/log",
    "GET /projects/{project}/assessments/{assessment}/evidence/{name}",
    "GET /projects/{project}/models/{model}/versions/{number}/artifact",
    "GET /projects/{project}/deployments/{deployment}/decisions",
    "GET /projects/{project}/reports/{report}",
    "GET /ledger/export",
    "POST /projects/{project}/query",
    "GET /projects/{project}/requests/{request}/rows",
    "GET /projects/{project}/requests/{request}/export",
}


class Walk:
    """Calls routes and counts what each one decides and records."""

    def __init__(self, caller, monkeypatch):
        self.caller = caller
        self.walked = set()
        self.decided = []
        authorise = Plane.authorise

        def counted(plane, actor, action, target, context=None):
            if threading.current_thread().name.startswith("AnyIO"):  # requests; jobs decide on threads of their own
                self.decided.append(action)
            return authorise(plane, actor, action, target, context)

        monkeypatch.setattr(Plane, "authorise", counted)

    def events(self):
        with self.caller.plane.database.read() as session:
            return session.scalar(select(func.count()).select_from(LedgerEvent))

    def __call__(self, method, template, who, action, named=None, **said):
        before = self.events()
        self.decided.clear()
        answer = self.caller.call(method, template.format(**(named or {})), who, **said)
        assert answer.is_success, f"{method} {template}: {answer.status_code} {answer.text[:500]}"
        assert self.decided == ([action] if isinstance(action, str) else action), (
            f"{method} {template} decided {self.decided}"
        )
        assert self.events() > before, f"{method} {template} left no event"
        self.walked.add(f"{method} {template.replace('{path}', '{path:path}')}")
        return answer

    def wait(self, job, who):
        answer = self.caller.call("GET", f"/jobs/{job}/progress", who)
        assert answer.is_success
        status = self.caller.call("GET", f"/jobs/{job}", who).json()
        assert status["state"] == "succeeded", status


def routes_of(app):
    """``METHOD path`` of every route under the API's prefix."""
    schema = app.openapi()
    for path, methods in schema["paths"].items():
        if path.startswith("/api/v1"):
            for method in methods:
                template = path.removeprefix("/api/v1").replace("/outputs/{path}", "/outputs/{path:path}")
                yield f"{method.upper()} {template}"


def test_each_state_changing_route_makes_one_decision_and_an_event(peopled, monkeypatch, tmp_path):
    walk = Walk(peopled, monkeypatch)
    in_project = {"project": "credit"}
    walk_identity(walk)
    walk_data(walk, in_project, tmp_path)
    run = walk_training(walk, in_project)
    walk_release(walk, in_project, run)
    walk_rollout(walk, in_project)
    walk_requests(walk, in_project, (tmp_path / "clients.csv").read_text().splitlines()[5].split(",")[0])
    walk_evidence(walk, in_project)
    wanted = {r for r in routes_of(peopled.app) if not r.startswith("GET ")} - ASKS | OPENS
    assert walk.walked == wanted


def walk_identity(walk):
    walk("POST", "/projects", "ada", "project.create", json={"name": "other"})
    walk(
        "POST",
        "/projects/{project}/environments",
        "ada",
        "environment.create",
        {"project": "other"},
        json={"name": "x"},
    )
    walk("POST", "/principals", "ada", "principal.create", json={"name": "kim", "password": PASSWORD})
    made = walk("POST", "/bindings", "ada", "binding.grant", json={"principal": "kim", "role": "auditor"}).json()
    walk("DELETE", "/bindings/{binding_id}", "ada", "binding.revoke", {"binding_id": made["id"]})
    issued = walk("POST", "/principals/{name}/tokens", "ada", "token.issue", {"name": "ada"}, json={}).json()
    walk("DELETE", "/tokens/{token_id}", "ada", "token.revoke", {"token_id": issued["id"]})
    session = walk("POST", "/sessions", None, "session.open", json={"name": "kim", "password": PASSWORD}).json()
    walk("DELETE", "/sessions/current", session["token"], "session.close")
    walk("POST", "/principals/{name}/disable", "ada", "principal.disable", {"name": "kim"})


def walk_data(walk, project, folder):
    table = folder / "clients.csv"
    write_credit_table(table, rows=3000)
    walk(
        "PUT",
        "/projects/{project}/datasets/{dataset}/versions",
        "data-steward",
        "dataset.ingest",
        {**project, "dataset": "clients"},
        params={
            "format": "csv",
            "purpose": PURPOSE,
            "lawful_basis": "A6-1-b",
            "retention_days": 365,
            "source": "tests",
        },
        content=table.read_bytes(),
    )
    named = {**project, "dataset": "clients"}
    walk(
        "POST",
        "/projects/{project}/datasets/{dataset}/classification",
        "data-steward",
        "dataset.classify",
        named,
        json={},
    )
    sheet = "/projects/{project}/datasets/{dataset}/datasheet"
    walk("PUT", sheet, "data-steward", "dataset.update", named, json={"parts": {"collection": "by the tests"}})
    columns = walk.caller.call("GET", "/projects/credit/datasets/clients", "data-steward").json()["columns"]
    shown = [c["name"] for c in columns if c["class"] != "identifier" or c["name"] == "customer_id"]
    body = {"dataset": "clients", "columns": shown, "purpose": PURPOSE, "pseudonyms": ["customer_id"]}
    for name in ("training", "spare"):
        walk("POST", "/projects/{project}/views", "data-steward", "view.create", project, json={"name": name, **body})
    walk("GET", "/projects/{project}/views/{view}/rows", "scientist", "view.open", {**project, "view": "training"})
    protection = {"recipe": 'quasi_identifiers = ["AGE", "SEX"]\nk = 5', "into": "protected"}
    both = ["view.open", "dataset.ingest"]
    walk(
        "POST",
        "/projects/{project}/views/{view}/protect",
        "data-steward",
        both,
        {**project, "view": "training"},
        json=protection,
    )
    question = {"sql": "SELECT count(*) FROM training"}
    walk("POST", "/projects/{project}/query", "scientist", "view.open", project, json=question)
    body = {"dataset": "clients", "columns": ["customer_id"], "purpose": PURPOSE, "name": "raw"}
    walk("POST", "/projects/{project}/views", "data-steward", "view.create", project, json=body)
    steps = {"recipe": '[[steps]]\ncolumn = "customer_id"\ndo = "token"', "into": "tokens"}
    path = "/projects/{project}/views/{view}/protect"
    walk("POST", path, "data-steward", both, {**project, "view": "raw"}, json=steps)
    body = {"dataset": "tokens", "columns": ["customer_id"], "purpose": PURPOSE, "name": "sealed"}
    walk("POST", "/projects/{project}/views", "data-steward", "view.create", project, json=body)
    asked = {"sql": "SELECT customer_id FROM sealed LIMIT 1"}
    answer = walk("POST", "/projects/{project}/query", "data-steward", "view.open", project, json=asked)
    token = re.search(rb"tk_[a-z2-7_]+", answer.content)[0].decode()
    revealing = {"column": "customer_id", "values": [token], "reason": "the walk"}
    path = "/projects/{project}/datasets/{dataset}/reveal"
    found = walk("POST", path, "data-steward", "dataset.reveal", {**project, "dataset": "tokens"}, json=revealing)
    assert found.json()["items"][0].startswith("C")
    at = "/projects/{project}/datasets/{dataset}"
    body = {"text": "[rows]\nat_least = 1000000\n"}
    walk("PUT", at + "/contract", "data-steward", "dataset.update", {**project, "dataset": "tokens"}, json=body)
    walk(
        "POST",
        path.replace("datasets/{dataset}/reveal", "views/{view}/protect"),
        "data-steward",
        both,
        {**project, "view": "raw"},
        json=steps,
    )
    named2 = {**project, "dataset": "tokens", "number": 2}
    body = {"reason": "the walk"}
    walk("POST", at + "/versions/{number}/release", "data-steward", "dataset.update", named2, json=body)
    poisoned = b"a,b\n" + b"1,2\n1,3\n" * 1500 + b"1,999999\n" * 100 + b"1,2\n1,3\n" * 1500
    odd = {**project, "dataset": "odd"}
    terms = {"format": "csv", "purpose": PURPOSE, "lawful_basis": "A6-1-b"}
    walk("PUT", at + "/versions", "data-steward", "dataset.ingest", odd, params=terms, content=poisoned)
    body = {"reason": "the walk"}
    walk("POST", at + "/versions/{number}/settle", "data-steward", "dataset.update", {**odd, "number": 1}, json=body)
    walk("POST", at + "/compare", "data-steward", "dataset.compare", {**project, "dataset": "tokens"}, json={})
    wish = {"dataset": "tokens", "columns": ["customer_id"], "purpose": PURPOSE, "reason": "the walk"}
    base = "/projects/{project}/view-requests"
    for name, what, action, said in (
        ("w1", "grant", "view.create", {}),
        ("w2", "refuse", "view.refuse", {"answer": "no"}),
    ):
        asked = walk("POST", base, "scientist", "view.request", project, json={**wish, "name": name}).json()
        walk(
            "POST", base + "/{request}/" + what, "data-steward", action, {**project, "request": asked["id"]}, json=said
        )
    budget = {"purpose": PURPOSE, "epsilon": 1}
    walk("PUT", "/projects/{project}/datasets/{dataset}/budgets", "data-steward", "dataset.update", named, json=budget)
    told = {"kind": "count", "epsilon": 0.5}
    counted = {**project, "view": "training"}
    walk("POST", "/projects/{project}/views/{view}/statistics", "reviewer", "view.measure", counted, json=told)
    walk("DELETE", "/projects/{project}/views/{view}", "data-steward", "view.revoke", {**project, "view": "spare"})


def walk_training(walk, project):
    code = files("trustplane.examples.credit").joinpath("train.py").read_bytes()
    body = {
        "script": "train.py",
        "files": {"train.py": base64.b64encode(code).decode()},
        "views": ["training"],
        "seed": 7,
    }
    run = walk("POST", "/projects/{project}/runs", "scientist", "run.start", project, json=body).json()
    walk.wait(run["job"], "scientist")
    output = {**project, "run": run["id"], "path": "metrics.json"}
    walk("GET", "/projects/{project}/runs/{run}/outputs/{path}", "scientist", "run.open", output)
    judged = {"artifact": "model.onnx"}
    walk(
        "POST",
        "/projects/{project}/runs/{run}/scans",
        "scientist",
        "artifact.scan",
        {**project, "run": run["id"]},
        json=judged,
    )
    pickled = pickle.dumps(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    sent = {"artifact": "tree.pkl", "data": base64.b64encode(pickled).decode()}
    walk("POST", "/projects/{project}/conversions", "scientist", "run.start", project, json=sent)
    again = walk(
        "POST", "/projects/{project}/runs", "scientist", "run.start", project, json={**body, "views": []}
    ).json()
    walk("POST", "/jobs/{job}/cancel", "scientist", "job.cancel", {"job": again["job"]})
    named = {**project, "run": run["id"]}
    said = walk("GET", "/projects/{project}/runs/{run}/log", "scientist", "run.open", named)
    assert all(set(json.loads(line)) == {"stream", "text"} for line in said.text.splitlines())
    path = "/projects/{project}/runs/{run}/verify"
    repeated = walk("POST", path, "scientist", "run.verify", named, json={"tolerance": 0.1}).json()
    path = "/projects/{project}/runs/{run}/cancel"
    walk("POST", path, "scientist", ["job.cancel"], {**project, "run": again["id"]})
    walk.wait(repeated["job"], "scientist")
    return run["id"]


THREAT = """
name = "what a client can say otherwise"
budget = { distance = 0.05 }
features.LIMIT_BAL = { low = 10000, high = 1000000 }
"""


def walk_release(walk, project, run):
    named = {"name": "credit", "text": THREAT}
    kept = walk("POST", "/projects/{project}/threats", "scientist", "threat.keep", project, json=named).json()
    assert (kept["number"], kept["new"]) == (1, True)
    again = walk("POST", "/projects/{project}/threats", "reviewer", "threat.keep", project, json=named).json()
    assert (again["id"], again["new"]) == (kept["id"], False)
    model, at = {**project, "model": "risk"}, {**project, "model": "risk", "number": 1}
    version = "/projects/{project}/models/{model}/versions/{number}"
    walk("POST", "/projects/{project}/models/{model}/versions", "scientist", "model.register", model, json={"run": run})
    walk("POST", version + "/signature", "scientist", "model.sign", at)
    attacked = {"checks": ["robustness"], "parameters": {"robustness": {"rows": 60, "queries": 50}}}
    body = {"seed": 1, "suite": {**attacked, "threat": "credit"}}
    asked = walk("POST", version + "/assessments", "scientist", "assessment.run", at, json=body).json()
    assert asked["threat"]["digest"] == kept["digest"]
    walk.wait(asked["job"], "scientist")
    shown = walk.caller.call("GET", version.format(**at) + "/assessments", "auditor").json()["items"]
    assert [(a["state"], a["threat"]["number"]) for a in shown] == [("done", 1)]
    sealed = {**project, "assessment": asked["id"], "name": "robustness.evasions"}
    path = "/projects/{project}/assessments/{assessment}/evidence"
    listed = walk.caller.call("GET", path.format(**sealed), "auditor").json()["items"]
    assert [e["name"] for e in listed] == [sealed["name"]]
    walk("GET", path + "/{name}", "reviewer", "assessment.open", sealed, params={"format": "json", "limit": 2})
    gate = walk("POST", version + "/gate", "reviewer", "gate.evaluate", at).json()
    blocking = [f["control"] for f in gate["findings"] if f["status"] in {"failed", "no-evidence"}] or ["TP-ASM-02"]
    for control in blocking:
        body = {"control": control, "reason": "the walk", "days": 1}
        waiver = walk("POST", version + "/waivers", "scientist", "waiver.request", at, json=body).json()
        walk("POST", "/waivers/{waiver}/grant", "ada", "waiver.grant", {"waiver": waiver["id"]})
    approved = walk("POST", version + "/approvals", "reviewer", "model.approve", at, json={"reason": "it holds"}).json()
    assert approved["receipt"].startswith("c2sp.org/tlog-proof@v1")
    walk("GET", version + "/artifact", "scientist", "model.open", at)
    features = walk.caller.call("GET", version.format(**at), "scientist").json()["interface"]["features"]
    row = {f["name"]: f["maximum"] for f in features}
    told = walk("POST", version + "/reasons", "scientist", "model.explain", at, json={"rows": [row]}).json()
    assert told["exact"]
    assert len(told["rows"][0]["contributions"]) == len(features)


def walk_rollout(walk, project):
    body = {"environment": "production", "model": "risk"}
    made = walk("POST", "/projects/{project}/deployments", "operator", "deployment.create", project, json=body).json()
    features = walk.caller.call("GET", "/projects/credit/models/risk/versions/1", "operator").json()["interface"][
        "features"
    ]
    row = [(f["minimum"] + f["maximum"]) / 2 for f in features]
    tensor = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": row}
    asked = walk.caller.call("POST", f"/v2/models/{made['name']}/infer", "consumer", json={"inputs": [tensor]})
    assert asked.is_success, asked.text
    at = {**project, "deployment": made["name"]}
    deployment = "/projects/{project}/deployments/{deployment}"
    found = walk("GET", deployment + "/decisions", "operator", "decision.read", at).json()
    assert found["items"][0]["inputs"][features[0]["name"]] == [pytest.approx(row[0], rel=1e-5)]
    job = walk("POST", deployment + "/monitoring", "operator", "monitor.run", at).json()["job"]
    walk.wait(job, "operator")
    walk("PUT", deployment + "/monitoring/schedule", "operator", "monitor.run", at, json={"cron": "0 3 * * *"})
    retired = walk("DELETE", deployment, "operator", "deployment.retire", at).json()
    assert retired["status"] == "retired"


def walk_requests(walk, project, person):
    base = "/projects/{project}/requests"

    def opened(kind):
        body = {"kind": kind, "identifiers": [{"value": person}]}
        made = walk("POST", base, "data-steward", "request.open", project, json=body).json()
        return {**project, "request": made["id"]}

    def say(at, what, action="request.update", **body):
        return walk("POST", base + "/{request}/" + what, "data-steward", action, at, json=body)

    access = opened("access")
    say(access, "verify", how="passport")
    say(access, "extend", ground="JustificationA12Complexity")
    found = walk("GET", base + "/{request}/rows", "data-steward", "request.search", access).json()["items"]
    assert {f["dataset"]: f["rows"] for f in found} == {"clients": 1, "tokens": 1}
    held = walk("GET", base + "/{request}/export", "data-steward", "request.export", access).json()
    assert any(person in h["rows"][0].values() for h in held["held"])
    assert held["models"]
    say(access, "answer", answer="sent by mail")
    say(opened("access"), "refuse", ground="JustificationA12IdentityFailure", answer="we could not identify you")
    named = {**project, "dataset": "clients"}
    for what in ("hold", "lift-hold"):
        path = "/projects/{project}/datasets/{dataset}/" + what
        walk("POST", path, "data-steward", "dataset.update", named, json={"reason": "a claim"})
    erasure = opened("erasure")
    say(erasure, "verify", how="passport")
    walk.wait(say(erasure, "erase").json()["job_id"], "data-steward")
    shown = walk.caller.call("GET", base.format(**project) + "/" + erasure["request"], "auditor").json()
    assert [e["rows"] for e in shown["erased"]] == [1, 1, 1]
    assert {r["kind"] for r in shown["reached"]} == {"run", "model"}
    for thing in shown["reached"]:
        say(erasure, "outcomes", thing=thing["id"], outcome="retired", reason="it is used no more")
    say(erasure, "answer", answer="it is done")
    path = "/projects/{project}/retention"
    walk.wait(walk("POST", path, "ada", "project.update", project).json()["job_id"], "ada")
    walk("PUT", path + "/schedule", "ada", "project.update", project, json={"cron": "0 3 * * *"})


def walk_evidence(walk, project):
    evaluated = walk("POST", "/projects/{project}/evaluations", "reviewer", "control.evaluate", project).json()
    assert len({f["control"] for f in evaluated["findings"]}) >= 10
    report = walk("POST", "/projects/{project}/reports", "reviewer", "report.create", project).json()
    named = {**project, "report": report["id"]}
    page = walk(
        "GET", "/projects/{project}/reports/{report}", "auditor", "report.read", named, params={"format": "html"}
    )
    assert "<script" not in page.text
    walk("GET", "/ledger/export", "ada", "ledger.export")
    text = '@id("no-night-runs")\nforbid (principal, action == Action::"run.start", resource) when { context.now < 0 };'
    walk("POST", "/policies", "ada", "policy.propose", json={"name": "night", "text": text})
    walk("POST", "/policies/{name}/accept", "owner", "policy.accept", {"name": "night"})
    walk("POST", "/keys/rotation", "ada", "key.rotate")
    keys = walk.caller.call("GET", "/keys", "ada", params={"project": "credit"}).json()["items"]
    doomed = next(k for k in keys if k["purpose"] == "report")
    walk("POST", "/keys/{key}/destruction", "ada", "key.destroy", {"key": doomed["id"]}, json={"reason": "the walk"})
    report = walk.caller.call("POST", "/ledger/verify", "ada").json()
    assert report["sound"], report["discrepancies"]
