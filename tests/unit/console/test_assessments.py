"""The page of an assessment: rows that are kept sealed are shown to whoever may open them, on record, and nothing is unescaped."""

import numpy as np
import pyarrow as pa
from tests.unit.client.test_models import assessed_by_attack  # noqa: F401 - a fixture

from trustplane.assessment.changed import changed_table
from trustplane.assessment.evidence import parquet_of
from trustplane.assessment.report import render, with_rows


def test_the_rows_that_cost_least_are_shown_on_record(look, plane, scientist, assessed_by_attack):  # noqa: F811
    version = scientist.models.version("risk")
    at = f"/models/{version.id}/assessments/{assessed_by_attack['id']}"

    def openings():
        return sum(e.leaf.action == "assessment.open" for e in plane.ledger.feed(limit=100))

    plain = look(at)
    assert plain.headers["cache-control"] == "no-store"
    assert 'href="?rows=true#robustness"' in plain.text
    assert openings() == 0
    shown = look(at + "?rows=true")
    assert shown.status_code == 200
    assert "Evasions that cost least" in shown.text
    assert "Counterfactuals that cost least" in shown.text
    assert openings() == 1
    assert "?rows=true" not in look(at, "auditor").text
    denied = look(at + "?rows=true", "auditor")
    assert denied.status_code == 403
    assert "cost least" not in denied.text
    assert "are kept sealed" in look(at, "operator").text


def page(evidence, opened=None, link=""):
    check = {
        "name": "odd", "question": "?", "status": "passed", "reason": "so it is", "figures": {}, "intervals": {},
        "parameters": [], "evidence": evidence,
    }  # fmt: skip
    body = {
        "subject": "risk 1", "state": "done", "ended": "", "created": "", "finished": "", "model": "", "holdout": "",
        "seed": 0, "suite": {"threshold": 0.5, "favourable": 0}, "events": [], "checks": [check],
    }  # fmt: skip
    return render(body if opened is None else with_rows(body, opened), link)


def test_rows_of_any_form_are_shown_and_escaped():
    changed = changed_table(["<b>"], np.array([[1.5]]), np.array([[2.0]]), {"row": np.array([7])})
    text = page({"rows": 1}, {"odd.rows": parquet_of(changed), "other.rows": parquet_of(changed)})
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert "1.5" in text
    assert text.count("that cost least") == 1
    text = page({"rows": 1}, {"odd.rows": parquet_of(pa.table({"<i>": ["<script>"], "n": [0.25]}))})
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    assert "that cost least" not in page({"rows": 0}, {"odd.rows": parquet_of(changed.slice(0, 0))})


def test_withheld_rows_say_why():
    assert "Nothing is kept." in page({"withheld": "nothing is kept"}, link="?rows=true")
    assert "12 evasions are kept sealed" in page({"evasions": 12})
