"""The pages of runs and of lineage, and their twins in JSON."""

import json
import re

import pytest

from trustplane.kernel.ledger.evidence import events_about

SCRIPT = """
from trustplane.training import log
for step in range(5):
    log.metric("<b>loss</b>", 1 / (step + 1), step)
print("<script>alert(1)</script>")
open("model", "w").write("x")
"""


@pytest.fixture
def database_kind():
    """The kind of the database plays no part here, so one is enough."""
    return "sqlite"


@pytest.fixture
def ran(scientist, people_view, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    run = scientist.runs.start(tmp_path / "train.py", views=["people"], seed=3)
    scientist.runs.job(run.id).wait()
    return scientist.runs.get(run.id)


def test_a_run_has_pages_that_hold_no_script_of_its_own(plane, look, ran) -> None:
    with plane.database.read() as session:
        from trustplane.training.tables import Run

        project = session.get_one(Run, ran.id).project_id
    pages = {
        path: look(path)
        for path in (
            f"/projects/{project}/runs",
            f"/runs/{ran.id}",
            f"/runs/{ran.id}/log",
            f"/runs/{ran.id}/lineage",
            f"/projects/{project}/lineage",
        )
    }
    for path, answer in pages.items():
        assert answer.status_code == 200, path
        assert "<script" not in answer.text
        assert "<b>loss" not in answer.text
        assert not re.search(r"\sstyle=|\son\w+=", answer.text), path
    shown = pages[f"/runs/{ran.id}"].text
    assert "&lt;b&gt;loss&lt;/b&gt;" in shown
    assert '<svg class="curve"' in shown
    assert f"trustplane run verify {ran.id}" in shown
    assert "&lt;script&gt;alert(1)" in pages[f"/runs/{ran.id}/log"].text
    lineage = pages[f"/runs/{ran.id}/lineage"].text
    assert f'href="/console/runs/{ran.id}"' in lineage
    assert "clients 1" in lineage
    twin = json.loads(look(f"/runs/{ran.id}.json").text)
    assert (twin["metrics"], twin["series"]["<b>loss</b>"]["steps"]) == (ran.metrics, [0, 1, 2, 3, 4])
    graph = look(f"/runs/{ran.id}/lineage.json").json()
    assert {n["kind"] for n in graph["nodes"]} == {"dataset", "view", "run"}
    assert len(graph["edges"]) == 2
    assert [r["id"] for r in look(f"/projects/{project}/runs.json").json()["runs"]] == [ran.id]
    assert look(f"/projects/{project}/lineage.json").json() == graph


def test_looking_at_what_a_run_printed_is_on_record_and_a_right_of_its_own(plane, look, ran) -> None:
    def opened():
        with plane.database.read() as session:
            return len(events_about(session, f"Run::{ran.id}", "run.open"))

    before = opened()
    assert look(f"/runs/{ran.id}").status_code == 200
    assert opened() == before, "figures are metadata"
    assert look(f"/runs/{ran.id}/log").status_code == 200
    assert opened() == before + 1
    assert look(f"/runs/{ran.id}/log", "owner").status_code == 403
    assert "What it printed" not in look(f"/runs/{ran.id}", "owner").text
    assert look("/runs/none").status_code == 404
