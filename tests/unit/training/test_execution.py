"""A script that means well, from asking to what is kept; and what comes of one that fails."""

import hashlib
import json

import pytest

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.tables import Binding
from trustplane.kernel.jobs.cancelling import cancel_job
from trustplane.kernel.jobs.status import State
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import AccessDenied
from trustplane.training.code import code_digest
from trustplane.training.environment import environment_facts
from trustplane.training.keeping import _metrics
from trustplane.training.runs import CANCELLED, fail_run, resume_runs
from trustplane.values.digests import Digest
from trustplane.values.errors import NotFound, Tampered

TRAIN = """
import json, os, sys
from pathlib import Path
import pyarrow.parquet as pq
from rates import double

table = pq.read_table(Path(os.environ["TRUSTPLANE_INPUT"], "people.parquet"))
output = Path(os.environ["TRUSTPLANE_OUTPUT"])
facts = {
    "columns": table.column_names,
    "rows": table.num_rows,
    "who": table["customer_id"][0].as_py(),
    "parameters": json.loads(os.environ["TRUSTPLANE_PARAMETERS"]),
    "seed": os.environ["TRUSTPLANE_SEED"],
    "doubled": double(table["age"][0].as_py()),
}
(output / "facts.json").write_text(json.dumps(facts))
(output / "deep").mkdir()
(output / "deep" / "model.bin").write_bytes(bytes(range(256)))
(output / "metrics.json").write_text(json.dumps({"auc": 0.75, "rows": table.num_rows, "name": "x", "sure": True}))
print("trained")
print("no warning", file=sys.stderr)
"""
RATES = b"def double(x):\n    return 2 * x\n"
PARAMETERS = {"depth": 3, "name": "é"}
GIT = {"commit": "ab" * 20, "dirty": True}


def scratch(plane):
    """What lies in the only place where plaintext may lie."""
    return list((plane.workspace.folder / "scratch").iterdir())


def test_a_run_records_what_went_in_and_what_came_out(plane, view, clients, run, output, said) -> None:
    row = run(TRAIN, files={"rates.py": RATES}, views=(view,), parameters=PARAMETERS, seed=7, git=GIT)
    assert (row.state, row.ended) == ("done", "completed: the script ended with exit code 0"), said(row)
    assert said(row) == ("trained\n", "no warning\n")
    assert row.metrics == {"auc": 0.75, "rows": 40.0}

    facts = json.loads(output(row, "facts.json"))
    assert facts.pop("who").startswith("ps_"), "the view shows pseudonyms only"
    columns = ["customer_id", "email", "age", "amount"]
    assert facts == {"columns": columns, "rows": 40, "parameters": PARAMETERS, "seed": "7", "doubled": 36}

    content = bytes(range(256))
    assert set(row.outputs) == {"facts.json", "deep/model.bin", "metrics.json"}
    assert output(row, "deep/model.bin") == content
    model = row.outputs["deep/model.bin"]
    assert (model["size"], model["sha256"]) == (256, f"sha256:{hashlib.sha256(content).hexdigest()}")
    assert model["digest"] != model["sha256"], "the address is that of the ciphertext"

    assert row.code == code_digest({"train.py": TRAIN.encode(), "rates.py": RATES})
    assert (row.git, row.parameters, row.seed, row.reason) == (GIT, PARAMETERS, 7, "")
    assert row.environment["lock"] == environment_facts()["lock"]
    assert (row.environment["exit_code"], row.environment["logs_truncated"]) == (0, False)
    assert (row.inputs[view]["version"], row.inputs[view]["rows"]) == (clients.version_id, 40)

    finished = plane.ledger.get(_events(plane, row, "job.finish")[0])
    assert finished.payload["facts"]["state"] == "done"
    assert finished.payload["refers"]["output/deep/model.bin"] == model["digest"]
    opening = plane.ledger.get(row.inputs[view]["event"])
    assert (opening.leaf.action, opening.leaf.outcome) == ("view.open", "done")
    assert opening.payload["cause"] == _events(plane, row, "run.start")[0], "the opening names the run that caused it"
    assert scratch(plane) == [], "no plaintext is left"


def _events(plane, row, action):
    with plane.database.read() as session:
        return events_about(session, f"Run::{row.id}", action)


def test_progress_is_told(plane, start) -> None:
    told = [p.message for p in plane.jobs.follow(start("pass"))]
    assert told[0] == "opening the views"
    assert told[-1] == "done"


def test_a_script_that_fails_keeps_its_words_and_no_output(plane, run, output, said) -> None:
    row = run("import sys\nopen('half', 'w').write('x')\nprint('so far')\nsys.exit(3)")
    assert (row.state, row.ended) == ("failed", "completed: the script ended with exit code 3")
    assert said(row) == ("so far\n", "")
    assert (row.outputs, row.metrics) == ({}, {})
    with pytest.raises(NotFound) as caught:
        output(row, "half")
    assert caught.value.code == "TP-RUN-014"
    assert scratch(plane) == []


def test_what_a_record_calls_things_is_no_bad_name_for_an_output(run, output) -> None:
    """These once collided with words that the record of the run itself uses."""
    names = ["self", "code", "outputs", "run", "cause", "é.json", "log/log", "logs"]
    row = run(f"import os\nos.mkdir('log')\nfor name in {names!r}: open(name, 'w').write(name)")
    assert (row.state, sorted(row.outputs)) == ("done", sorted(names))
    assert output(row, "self") == b"self"
    assert output(row, "log/log") == b"log/log"


def test_a_changed_byte_of_an_output_is_found(plane, run, output) -> None:
    row = run("open('model', 'wb').write(bytes(5000))")
    path = plane.blobs.path(Digest(row.outputs["model"]["digest"]))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Tampered):
        output(row, "model")


def test_code_that_was_changed_in_the_store_is_not_run(plane, queue, begin) -> None:
    run_id, row = queue("open('ran', 'w').close()")
    path = plane.blobs.path(Digest(row.code_blob))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    ended = begin(run_id)
    assert ended.state == "failed"
    assert ended.ended.startswith("TP-VAULT-")


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b'{"a": 1, "b": 2.5, "c": true, "d": "x", "e": null, "f": [1]}', {"a": 1.0, "b": 2.5}),
        (b'{"b": -1e301, "c": 1e299}', {"c": 1e299}),
        (b'{"a": 1e999}', {}),
        (b'{"a": 1' + b"0" * 400 + b', "b": 2}', {"b": 2.0}),
        (b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", {}),
        (b'{"a": NaN}', {}),
        (b'{"\\u0000": 1, "\\u001b[2J": 2, "' + b"x" * 65 + b'": 3, "good": 4}', {"good": 4.0}),
        (b'{"\\ud800": 1}', {}),
        (b"[1]", {}),
        (b"\xff\xfe", {}),
        (b"", {}),
        (b'{"a": 1}' + b" " * (64 << 10), {}),
    ],
)
def test_metrics_are_read_as_what_a_script_wrote(tmp_path, content, kept) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(content)
    assert _metrics(path) == kept


def test_at_most_a_hundred_metrics_are_kept(tmp_path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({f"word {n}": "x" for n in range(200)} | {f"m{n}": n for n in range(150)}))
    assert list(_metrics(path)) == [f"m{n}" for n in range(100)]


# --- what changes between asking and running


def test_a_view_that_has_expired_meanwhile_is_not_opened(plane, view, queue, begin, later) -> None:
    run_id, _ = queue("open('ran', 'w').close()", views=(view,))
    later(days=31)
    row = begin(run_id)
    assert row.state == "failed"
    assert row.ended.startswith("TP-POLICY-020 view.open is denied")
    assert scratch(plane) == []


def test_who_lost_the_role_meanwhile_opens_nothing(plane, cast, view, queue, begin) -> None:
    run_id, _ = queue("pass", views=(view,))
    with plane.database.read() as session:
        bound = session.query(Binding).filter_by(principal_id=cast["scientist"].id).one().id
    people.revoke(plane, cast["owner"], bound)
    row = begin(run_id)
    assert row.state == "failed"
    assert row.ended.startswith("TP-POLICY-020 view.open is denied")


def test_who_was_disabled_meanwhile_ends_the_run_on_record(plane, cast, view, queue, begin) -> None:
    run_id, _ = queue("pass", views=(view,))
    people.disable_principal(plane, cast["owner"], "some-scientist")
    row = begin(run_id)
    assert (row.state, row.ended[:15]) == ("failed", "TP-IDENTITY-012")
    assert row.inputs == {view: {}}
    assert [plane.ledger.get(e).leaf.actor for e in _events(plane, row, "job.finish")] == ["plane"]


def test_the_job_reaches_no_further_than_the_token(plane, cast, view, queue_as, begin) -> None:
    run_id, _ = queue_as(plane.stand_in(cast["scientist"].id, ("run.start",)), "pass", views=(view,))
    row = begin(run_id)
    assert row.state == "failed"
    assert row.ended.startswith("TP-POLICY-020 view.open is denied")


def test_a_sandbox_that_is_gone_meanwhile_ends_the_run(plane, view, queue, begin, monkeypatch) -> None:
    run_id, _ = queue("open('ran', 'w').close()", views=(view,))
    monkeypatch.setattr("trustplane.training.sandboxes.sandlock.kernel_abi", lambda: 0)
    row = begin(run_id)
    assert (row.state, row.ended[:10]) == ("failed", "TP-RUN-001")
    assert scratch(plane) == []


# --- cancelling


def test_a_run_that_is_cancelled_has_failed_and_leaves_nothing(plane, cast, start, settled, wait_for) -> None:
    run_id = start("import os, time\nopen('half', 'w').close()\nwhile not os.path.exists('go'): time.sleep(0.02)")
    folder = plane.workspace.folder / "scratch" / run_id / "output"
    wait_for(lambda: (folder / "half").exists())
    assert cancel_job(plane, cast["scientist"], run_id).state is State.CANCELLED
    (folder / "go").touch()
    row = settled(run_id)
    assert (row.state, row.ended, row.outputs) == ("failed", CANCELLED, {})
    wait_for(lambda: scratch(plane) == [])


def test_a_run_that_is_cancelled_before_it_began_is_settled_when_runs_are_resumed(plane, cast, queue, begin) -> None:
    run_id, _ = queue("open('ran', 'w').close()")
    cancel_job(plane, cast["scientist"], run_id)
    assert resume_runs(plane) == 1
    row = begin(run_id)
    assert (row.state, row.ended) == ("failed", CANCELLED)
    assert resume_runs(plane) == 0


def test_others_may_not_cancel_a_run(plane, cast, queue) -> None:
    run_id, _ = queue("pass")
    with pytest.raises(AccessDenied):
        cancel_job(plane, cast["reviewer"], run_id)


def test_a_run_that_has_ended_stays_as_it_is(plane, run) -> None:
    row = run("open('model', 'w').close()")
    assert fail_run(plane, row.id, "too late") == {"run": row.id, "state": "done", "outputs": 1}
