"""What is drafted, compared and told of assessments."""

import tomllib
from datetime import UTC, datetime
from types import SimpleNamespace

from trustplane.assessment.checks.registry import installed_checks
from trustplane.assessment.comparing import caveat_of, compare
from trustplane.assessment.drafting import draft_suite
from trustplane.assessment.report import document, render
from trustplane.assessment.suite import checked_suite, read_suite


def result(status, figures=None, intervals=None):
    return {"status": status, "reason": "so it is", "figures": figures or {}, "intervals": intervals or {}}


def test_a_draft_is_a_suite_that_runs_every_check_by_its_defaults():
    checks = installed_checks()
    drafted = tomllib.loads(draft_suite("risk", ["income", "de\nbt"], checks))
    kept = checked_suite(read_suite(drafted), checks)
    assert set(kept["parameters"]) == set(checks)
    for name, check in checks.items():
        assert kept["parameters"][name] == {p.name: p.default for p in check.descriptor.parameters}
    assert set(drafted["checks"]) == {n for n, c in checks.items() if c.descriptor.on_request}


def test_a_draft_of_many_features_names_a_few():
    text = draft_suite("risk", [f"f{n}" for n in range(1000)], {})
    assert "1000 features" in text
    assert "and so on" in text
    assert tomllib.loads(text)["checks"] == []


def test_verdicts_that_got_worse_and_figures_that_moved_are_named():
    before = {
        "performance": result("passed", {"auc": 0.80, "f1": 0.5}, {"auc": [0.78, 0.82]}),
        "gone": result("passed"),
    }
    after = {"performance": result("failed", {"auc": 0.70, "f1": 0.4}, {"auc": [0.68, 0.72]}), "new": result("passed")}
    made = compare(before, after)
    assert made.worse == ("performance",)
    assert made.strict
    assert {c.check: (c.before, c.after) for c in made.checks}["gone"] == ("passed", "")
    moved = {f.name: f.apart for f in made.figures}
    assert moved == {"auc": True, "f1": None}
    assert compare(after, before).worse == ()
    assert compare(before, before).figures[0].apart is False


def test_no_evidence_after_a_pass_is_worse():
    assert compare({"a": result("passed")}, {"a": result("no-evidence")}).worse == ("a",)
    assert compare({"a": result("not-applicable")}, {"a": result("failed")}).worse == ("a",)


def test_why_figures_may_not_compare():
    one = {"holdout": "x", "suite": {"threshold": 0.5, "asked": {"cause": 1}}}
    assert caveat_of(one, {**one, "suite": {"threshold": 0.5, "asked": {"cause": 2}}}) == ""
    assert "hold-outs" in caveat_of(one, {**one, "holdout": "y"})
    assert "suites" in caveat_of(one, {**one, "suite": {"threshold": 0.4}})


def test_the_page_holds_every_figure_and_escapes_what_it_shows():
    checks = installed_checks()
    row = SimpleNamespace(
        suite={"threshold": 0.5, "favourable": 0, "parameters": {"performance": {"min_auc": 0.5}, "strange": {"x": 1.0}}, "event": "e2", "asked": {"cause": "e1"}},
        results={"performance": result("failed", {"auc": 0.6123}, {"auc": [0.59, 0.63]}), "strange": result("passed", {"<b>": 1.0})},
        model_digest="sha256:aa", holdout_digest="sha256:bb",
    )  # fmt: skip
    facts = {
        "id": "a",
        "job": "a",
        "state": "done",
        "seed": 0,
        "results": {},
        "ended": "",
        "created": str(datetime(2026, 1, 1, tzinfo=UTC)),
        "finished": None,
    }
    body = document("risk 1", facts, row, checks)
    assert body["events"] == ["e1", "e2"]
    [rule] = [p for p in body["checks"][0]["parameters"] if p["name"] == "min_auc"]
    assert rule["laxer"]
    page = render(body)
    assert "0.6123" in page
    assert "0.59 to 0.63" in page
    assert "&lt;b&gt;" in page
    assert "<script" not in page
    assert "laxer" in page
