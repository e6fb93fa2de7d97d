"""Notebooks and functions as runs, what scripts log, following and cancelling: the whole way, in the real sandbox."""

import json
import time

import pytest

from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import AccessDenied
from trustplane.training.cancelling import cancel_run
from trustplane.training.following import SILENCE, follow_log
from trustplane.training.runs import CANCELLED, RunSpec, detail_of, series_of, start_run
from trustplane.training.sandboxes.contract import GIB, Limits
from trustplane.training.tables import Run
from trustplane.training.watching import latest_progress, share
from trustplane.values.errors import BadInput


@pytest.fixture
def database_kind():
    """The kind of the database plays no part here, so one is enough."""
    return "sqlite"


def notebook(*sources, tags=()):
    cells = [
        {"id": f"c{n}", "cell_type": "code", "metadata": {"tags": list(tags) if n == 0 else []}, "source": source, "outputs": [], "execution_count": None}
        for n, source in enumerate(sources)
    ]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


@pytest.fixture
def run_of(plane, cast, ended):
    """Run what a specification says, to its end."""
    return lambda script, files, **said: ended(
        start_run(plane, cast["scientist"], "credit", RunSpec(script, files, **said))
    )


def test_a_notebook_is_executed_with_its_parameters_and_kept(plane, view, run_of, output, said) -> None:
    book = notebook(
        "depth = 1",
        "import os\nimport pyarrow.parquet as pq\nfrom rates import double\nprint('depth', double(depth))\npq.read_table(os.environ['TRUSTPLANE_INPUT'] + '/people.parquet').num_rows",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))",
        tags=("parameters",),
    )
    files = {"study.ipynb": book, "rates.py": b"def double(x): return 2 * x"}
    row = run_of("study.ipynb", files, kind="notebook", parameters={"depth": 21}, views=(view,))
    assert row.state == "done", said(row)
    kept = json.loads(output(row, "study.ipynb"))
    assert [cell["source"] for cell in kept["cells"]][1] == ["# Parameters\n", "depth = 21"]
    assert kept["cells"][2]["outputs"][0] == {"output_type": "stream", "name": "stdout", "text": ["depth 42\n"]}
    assert kept["cells"][2]["outputs"][1]["data"]["text/plain"] == ["40"]
    assert kept["cells"][3]["outputs"][0]["data"]["text/html"] == ["<b>x</b>"]
    assert said(row)[0] == "depth 42\n", "what a cell prints is in the log too"


def test_a_notebook_ends_at_the_first_cell_that_raises(run_of, said) -> None:
    row = run_of("a.ipynb", {"a.ipynb": notebook("print('one')", "1 / 0", "print('three')")}, kind="notebook")
    assert (row.state, row.ended) == ("failed", "completed: the script ended with exit code 1")
    stdout, stderr = said(row)
    assert stdout == "one\n"
    assert "cell 2 raised ZeroDivisionError" in stderr


def test_a_function_is_called_with_what_it_asks_for(plane, view, run_of, output, said) -> None:
    code = b"import json\nfrom lib.more import twice\ndef fit(depth, views, output, seed):\n    (output / 'facts.json').write_text(json.dumps([twice(depth), sorted(views), seed]))\n    return {'auc': 0.75}\n"
    files = {"pkg/train.py": code, "lib/more.py": b"def twice(x): return 2 * x"}
    row = run_of("pkg/train.py", files, kind="callable", entry="fit", parameters={"depth": 4}, seed=9, views=(view,))
    assert row.state == "done", said(row)
    assert json.loads(output(row, "facts.json")) == [8, ["people"], 9]
    assert row.metrics == {"auc": 0.75}
    with plane.database.read() as session:
        assert (detail_of(session, row.id).kind, detail_of(session, row.id).entry) == ("callable", "fit")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"kind": "spell"}, "TP-RUN-025"),
        ({"kind": "callable"}, "TP-RUN-025"),
        ({"kind": "callable", "entry": "a.b"}, "TP-RUN-025"),
        ({"entry": "fit"}, "TP-RUN-025"),
        ({"kind": "notebook"}, "TP-RUN-024"),
        ({"profile": "none"}, "TP-RUN-022"),
    ],
)
def test_what_fits_no_kind_is_refused_at_once(said, code) -> None:
    with pytest.raises(Exception, match=code):
        start_run(None, None, "credit", RunSpec("train.py", {"train.py": b"{}"}, **said))


LOGGING = """
import os
from trustplane.training import log
log.parameter("chosen", 5)
for step in range(20):
    log.metric("loss", 1 / (step + 1), step)
log.metric("final", 0.5)
open("model", "w").close()
log.artifact("model", "the model")
log.artifact("none", "is not there")
os.makedirs("mlruns/0/r/metrics")
open("mlruns/0/r/metrics/auc", "w").write("1700000000000 0.5 0\\n1700000001000 0.625 1\\n")
open("metrics.json", "w").write('{"final": 0.75}')
"""


def test_what_a_script_logs_is_kept_with_the_run(plane, run) -> None:
    row = run(LOGGING)
    assert row.state == "done", row.ended
    assert row.metrics == {"loss": 0.05, "final": 0.75, "auc": 0.625}, "metrics.json has the last word"
    with plane.database.read() as session:
        detail, series = detail_of(session, row.id), series_of(session, row.id)
    assert detail.logged == {"parameters": {"chosen": 5}, "artifacts": {"model": "the model"}, "dropped": 0}
    assert (series["loss"]["steps"], series["auc"]["values"]) == (list(range(20)), [0.5, 0.625])


def test_a_log_that_is_no_log_does_no_harm(plane, run) -> None:
    row = run("open('log.jsonl', 'wb').write(bytes(range(256)) * 100)")
    with plane.database.read() as session:
        assert (row.state, series_of(session, row.id)) == ("done", {})


WAITING = """
import os, sys, time
from trustplane.training import log
print("begun", flush=True)
print("é" * 3, file=sys.stderr, flush=True)
log.progress(1, 4, "a quarter")
while not os.path.exists("go"): time.sleep(0.02)
print("gone on")
"""


@pytest.fixture
def begun(plane, start, wait_for):
    """A run that waits for a file, once it has begun; its id and its output folder."""

    def begin(script=WAITING):
        run_id = start(script)
        folder = plane.workspace.folder / "scratch" / run_id
        log = folder / "logs" / "stdout.log"
        wait_for(lambda: log.exists() and log.read_text() == "begun\n")
        return run_id, folder / "output"

    return begin


def test_a_run_is_followed_while_it_runs_and_that_is_on_record(plane, cast, begun, settled) -> None:
    run_id, output = begun()
    parts = follow_log(plane, cast["scientist"], "credit", run_id, lambda _: time.sleep(0.02))
    with plane.database.read() as session:
        (event,) = events_about(session, f"Run::{run_id}", "run.open")
    assert plane.ledger.get(event).payload["facts"] == {"output": "log", "live": True}
    first = next(parts)
    assert (first.stream, first.text) == ("stdout", "begun\n")
    (output / "go").touch()
    rest = list(parts)
    assert [(p.stream, p.text) for p in rest] == [("stderr", "ééé\n"), ("stdout", "gone on\n")]
    settled(run_id)
    again = list(follow_log(plane, cast["scientist"], "credit", run_id))
    assert [(p.stream, p.text) for p in again] == [("stdout", "begun\ngone on\n"), ("stderr", "ééé\n")]
    with pytest.raises(AccessDenied):
        follow_log(plane, cast["operator"], "credit", run_id)


def test_a_run_that_prints_nothing_says_so_now_and_then(plane, cast, begun, settled) -> None:
    run_id, output = begun()
    parts = follow_log(plane, cast["scientist"], "credit", run_id, lambda _: None)
    while next(parts) is not SILENCE:
        pass
    (output / "go").touch()
    assert "gone on\n" in [p.text for p in parts if p is not SILENCE]
    settled(run_id)


def test_progress_of_the_script_is_that_of_its_job(plane, begun, settled) -> None:
    run_id, output = begun()
    told = []
    for progress in plane.jobs.follow(run_id):
        told.append(progress.message)
        if told[-1] == "a quarter (1 of 4)":
            (output / "go").touch()
    assert "a quarter (1 of 4)" in told
    settled(run_id)


def test_a_cancelled_run_is_ended_at_once_and_on_record(plane, cast, begun, settled, wait_for) -> None:
    run_id, _ = begun()
    cancel_run(plane, cast["scientist"], "credit", run_id)
    row = settled(run_id)  # nobody wrote the file that the script waits for
    assert (row.state, row.ended, row.outputs) == ("failed", CANCELLED, {})
    wait_for(lambda: not (plane.workspace.folder / "scratch" / run_id).exists())
    with plane.database.read() as session:
        (event,) = events_about(session, f"Job::{run_id}", "job.cancel")
    assert plane.ledger.get(event).leaf.actor == cast["scientist"].id


def test_a_run_that_waits_is_settled_when_it_is_cancelled(plane, cast, queue) -> None:
    run_id, _ = queue("pass")
    with pytest.raises(AccessDenied):
        cancel_run(plane, cast["reviewer"], "credit", run_id)
    cancel_run(plane, cast["scientist"], "credit", run_id)
    with plane.database.read() as session:
        row = session.get_one(Run, run_id)
    assert (row.state, row.ended) == ("failed", CANCELLED)


def test_the_latest_progress_is_found_in_the_end_of_a_log(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    assert latest_progress(path) is None
    path.write_text(
        '{"progress": 1, "total": 4}\n'
        + "x" * 100
        + '\n{"progress": 3, "total": 4}\n{"progress": "a"}\n{"progress": 4, "to'
    )
    found = latest_progress(path)
    assert (found.done, share(found)) == (3, 72)
    path.write_text('{"progress": 1e9, "total": 4}\n')
    assert share(latest_progress(path)) == 94


def test_limits_beyond_the_profile_are_refused(plane, cast) -> None:
    spec = RunSpec("train.py", {"train.py": b"pass"}, limits=Limits(memory_bytes=8 * GIB))
    with pytest.raises(BadInput, match="TP-RUN-021"):
        start_run(plane, cast["scientist"], "credit", spec)


def test_the_profile_is_known_to_policy_and_on_record(plane, cast, run_of) -> None:
    row = run_of("train.py", {"train.py": b"pass"}, profile="research")
    assert row.limits["memory_bytes"] == 32 << 30
    with plane.database.read() as session:
        (event,) = events_about(session, f"Run::{row.id}", "run.start")
    facts = plane.ledger.get(event).payload["facts"]
    assert (facts["profile"], facts["kind"]) == ("research", "script")
