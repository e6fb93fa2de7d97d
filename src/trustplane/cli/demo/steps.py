"""The eight steps of the lifecycle."""

import csv
from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from trustplane.cli.demo.cast import PROJECT, Cast
from trustplane.cli.demo.datasheet import DATASHEET
from trustplane.cli.demo.story import Story, require
from trustplane.cli.output import shown
from trustplane.examples.credit.table import write_credit_table

MODEL, PURPOSE = "default-risk", "dpv:CustomerSolvencyMonitoring"
SEED, BATCHES, ROWS = 350, 20, 50
_ESCAPE = """import socket
try:
    socket.create_connection(("192.0.2.1", 443), timeout=3)
except OSError as error:
    raise SystemExit(f"no way out: {error}")
"""


def data(story: Story, cast: Cast, table: Path) -> None:
    """Ingest, classify, make a view."""
    with story.step("Data: ingest, classify, and open a narrow view") as step:
        write_credit_table(table)
        story.refused(
            step,
            "the scientist ingests a dataset",
            lambda: cast.project("scientist").datasets.ingest(
                "clients", table, purposes=[PURPOSE], lawful_basis="A6-1-b"
            ),
            "TP-POLICY-020",
        )
        steward = cast.project("data-steward")
        made = steward.datasets.ingest(
            "clients",
            table,
            purposes=[PURPOSE],
            lawful_basis="A6-1-b",
            label="default payment",
            retention_days=3650,
            source="UCI Machine Learning Repository, data set 350, with synthetic people beside the rows",
            description="Credit-card clients with six months of payments, and whether they defaulted",
        )
        found = steward.datasets.get("clients")
        classes = [c["class"] for c in found.columns]
        require("identifier" in classes and "quasi-identifier" in classes, "the personal data was not recognised")
        story.tell(f"{shown(found.rows)} rows are encrypted, each column under a key of its own:")
        story.tell(", ".join(f"{classes.count(k)} {k}" for k in sorted(set(classes))))
        require(made.signs == 0, "the look for poisoning found something in the untouched table")
        story.tell(
            "the look for poisoning found nothing: no repeated rows, no block out of domain, no doubtful labels together"
        )
        steward.datasets.confirm("clients")
        story.tell("the data steward confirmed the classes")
        steward.datasets.describe("clients", **DATASHEET)
        story.refused(
            step,
            "a view of the data for advertising",
            lambda: steward.views.create("ads", "clients", ["email"], purpose="dpv:ServiceOptimisation"),
            "TP-POLICY-020",
        )
        columns = [c["name"] for c in found.columns if c["class"] != "identifier" or c["name"] == "customer_id"]
        steward.views.create(
            "training", "clients", columns, purpose=PURPOSE, pseudonyms=["customer_id"], filter="AGE >= 21", days=30
        )
        story.tell("the view 'training' shows no identifier but a keyed pseudonym, for one purpose, for 30 days")
        step.facts = {"rows": found.rows, "version": made.version_id, "columns": len(classes)}


def training(story: Story, cast: Cast) -> str:
    """Run the script, and one that tries to get out."""
    run = ""
    with story.step("Training: run the script in the sandbox") as step:
        scientist = cast.project("scientist")
        with TemporaryDirectory() as folder:
            bad = Path(folder) / "escape.py"
            bad.write_text(_ESCAPE, "utf-8")
            escaped = scientist.runs.start(bad)
            scientist.runs.job(escaped.id).wait()
        ended = scientist.runs.get(escaped.id)
        require(ended.state == "failed", "a script reached the network")
        story.tell(
            f"refused  a script opens a socket: {scientist.runs.log(escaped.id)['stderr'].strip().splitlines()[-1]}"
        )
        step.refused.append("a script opens a socket")
        script = files("trustplane.examples.credit").joinpath("train.py")
        started = scientist.runs.start(Path(str(script)), views=["training"], seed=SEED)
        for told in scientist.runs.job(started.id).follow():
            story.tell(f"{told.message}") if told.message.startswith("running") else None
        done = scientist.runs.get(started.id)
        require(done.state == "done", f"the run did not end well: {done.ended}")
        run = str(done.id)
        story.tell(
            f"it left {', '.join(sorted(done.outputs))}; {len(done.environment['readable'])} paths were readable to it, and no network"
        )
        story.tell(
            f"on record: code {done.code[:19]}…, environment {done.environment['lock'][:19]}…, seed {done.seed}, its inputs and outputs"
        )
        again = scientist.runs.verify(run)
        scientist.runs.job(again.id).wait()
        compared = scientist.runs.get(again.id).comparison
        require(compared["verdict"] == "identical", "the run, repeated, gave something else")
        story.tell("run again from its record: every output has the same digest")
        step.facts = {"run": run, "repeated": again.id, "metrics": done.metrics}
    return run


def release_candidate(story: Story, cast: Cast, run: str) -> None:
    """Register, sign and assess."""
    with story.step("Assessment: measure the model on rows it has not seen") as step:
        scientist = cast.project("scientist")
        story.refused(
            step,
            "metrics.json is registered as a model",
            lambda: scientist.models.register("not-a-model", run, "metrics.json"),
            "TP-RELEASE",
        )
        made = scientist.models.register(MODEL, run)
        scientist.models.sign(MODEL)
        story.tell(
            f"version {made.number} of {MODEL} is admitted as {made.format} and signed (in-toto in DSSE, Ed25519)"
        )
        gate = scientist_gate(cast)
        require(not gate["passed"], "the gate let a model pass that nobody assessed")
        story.tell(f"refused  the gate, before the assessment: {gate['reason']}")
        step.refused.append("the gate before the assessment")
        scientist.models.assess(MODEL, seed=SEED).wait()
        newest = scientist.models.version(MODEL).assessments[0]
        require(newest["state"] == "done", f"the assessment did not end well: {newest['ended']}")
        for name, result in newest["results"].items():
            story.tell(f"{name}: {result['status']}, {result['reason']}")
        step.facts = {"assessment": newest["id"], "results": {n: r["status"] for n, r in newest["results"].items()}}


def scientist_gate(cast: Cast) -> Any:
    """What the gate says, asked by the reviewer."""
    return cast.project("reviewer").models.gate(MODEL)


def release(story: Story, cast: Cast) -> None:
    """Gate and approval."""
    with story.step("Release: the gate, and an approval by somebody else than the author") as step:
        reviewer = cast.project("reviewer")
        story.refused(
            step,
            "the author approves the model",
            lambda: cast.project("scientist").models.approve(MODEL, reason="it is good"),
            "TP-POLICY-020",
        )
        gate = scientist_gate(cast)
        for finding in gate["findings"]:
            story.tell(f"{finding['control']:<11} {finding['status']:<14} {finding['reason']}")
        if not gate["passed"]:
            _waive(story, cast, gate)
        made = reviewer.models.approve(
            MODEL, reason="the figures hold on the hold-out, and the exceptions are documented"
        )
        require(
            made.receipt and made.receipt.startswith("c2sp.org/tlog-proof"), "the approval came without its receipt"
        )
        story.tell("the reviewer approved it; the approval came with its receipt")
        step.facts = {"version": made.id, "waived": [f["control"] for f in gate["findings"] if f["status"] == "failed"]}


def _waive(story: Story, cast: Cast, gate: Any) -> None:
    """A control that does not hold is not hidden: the scientist asks for a waiver, and the owner grants it, on record."""
    for finding in gate["findings"]:
        if finding["status"] in {"passed", "not-applicable", "waived"}:
            continue
        asked = cast.project("scientist").models.request_waiver(
            MODEL, finding["control"], reason="a demonstration: the finding is real and is accepted for it", days=7
        )
        cast.owner.project(PROJECT).models.grant_waiver(asked.id)
        story.tell(f"waived   {finding['control']} for 7 days: asked by the scientist, granted by the owner, on record")


def serving(story: Story, cast: Cast, table: Path) -> None:
    """Deploy to staging and production, and ask."""
    with story.step("Rollout and serving: staging, then production, every decision on record") as step:
        scientist, operator = cast.project("scientist"), cast.project("operator")
        staged = scientist.deployments.create(MODEL, "staging")
        story.tell(f"the scientist deployed it to staging as {staged.name}")
        story.refused(
            step,
            "the scientist deploys to production",
            lambda: scientist.deployments.create(MODEL, "production"),
            "TP-POLICY-020",
        )
        live = operator.deployments.create(MODEL, "production")
        story.tell(f"the operator deployed it to production as {live.name}: POST {live.endpoint}")
        app = cast.people["scoring-app"]
        names = [f["name"] for f in scientist.models.version(MODEL).interface["features"]]
        rows = _rows(table, names)
        first = None
        for _ in range(BATCHES):
            answer = app.infer(live.name, list(islice(rows, ROWS)))
            first = first or answer
        require(first is not None and first.outputs, "the deployment gave no answer")
        story.refused(
            step,
            "an input far out of the training range",
            lambda: app.infer(live.name, [[1e12] * len(names)]),
            "TP-SERVING",
        )
        story.refused(
            step,
            "somebody without a role asks",
            lambda: cast.people["data-steward"].infer(live.name, [[0.0] * len(names)]),
            "TP-POLICY-020",
        )
        kept = operator.deployments.get(live.name)
        require(kept.decisions == BATCHES, f"{kept.decisions} of {BATCHES} answers are on record")
        story.tell(
            f"{kept.decisions} answers about {shown(kept.rows)} clients, each durable and encrypted before it left"
        )
        step.facts = {"deployment": live.id, "decisions": kept.decisions, "rows": kept.rows}


def monitoring(story: Story, cast: Cast) -> None:
    """Compare the served inputs with the reference."""
    with story.step("Monitoring: do the served inputs look like the training data?") as step:
        operator = cast.project("operator")
        name = f"{MODEL}-production"
        operator.deployments.schedule_monitor(name, "0 * * * *")
        operator.deployments.monitor(name).wait()
        newest = operator.deployments.monitoring(name)[0]
        require(newest.features, f"nothing was compared: {newest.reason}")
        worst = max(newest.features.items(), key=lambda f: f[1]["psi"])
        story.tell(f"{newest.verdict}: {newest.reason}")
        story.tell(
            f"the least stable feature is {worst[0]}: population stability {worst[1]['psi']:.3f}, Kolmogorov-Smirnov {worst[1]['ks']:.3f}"
        )
        story.tell("it is compared again every hour while 'trustplane up' runs")
        step.facts = {"verdict": newest.verdict, "features": len(newest.features)}


def compliance(story: Story, cast: Cast, folder: Path) -> None:
    """Evaluate the controls and make the report."""
    with story.step("Compliance: controls over all stages, and a report with receipts") as step:
        reviewer = cast.project("reviewer")
        made = reviewer.reports.create()
        for kind in ("html", "json"):
            reviewer.reports.fetch(made.id, folder / f"report.{kind}", kind)
        findings = cast.project("auditor").controls.findings()
        controls = {f.control for f in findings}
        require(len(controls) >= 12, f"only {len(controls)} controls were evaluated")
        story.tell(f"{len(controls)} controls, {len(findings)} findings: {shown(made.counts)}")
        for finding in findings:
            if finding.status in {"failed", "no-evidence"}:
                story.tell(f"{finding.control} {finding.status}: {finding.reason}")
        story.tell(f"the report with its receipts: {folder / 'report.html'} and {folder / 'report.json'}")
        step.facts = {"report": made.id, "counts": made.counts, "controls": sorted(controls)}


def verification(story: Story, cast: Cast, folder: Path) -> None:
    """Recompute the log."""
    with story.step("Verification: recompute the log, and compare everything with it") as step:
        report = cast.owner.ledger.verify()
        require(report.sound, f"the log does not hold: {report.discrepancies[:3]}")
        cast.owner.ledger.export(folder / "export")
        (folder / "log.vkey").write_text(cast.owner.ledger.vkey(), "utf-8")
        story.tell(
            f"{shown(report['size'])} events, root {report.root[:16]}…: the tree, the payloads, the rows and the objects hold"
        )
        story.tell(f"for an auditor: python tools/verify_log.py {folder / 'export'} --vkey {folder / 'log.vkey'}")
        step.facts = {"events": report["size"], "root": report.root}


def _rows(table: Path, names: list[str]) -> Iterator[list[float]]:
    """The features of the table's clients, from the end of the table on."""
    with table.open(encoding="utf-8", newline="") as file:
        yield from ([float(row[name]) for name in names] for row in csv.DictReader(file))
