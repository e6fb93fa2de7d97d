"""Runs by the SDK: what goes along with a script, and what comes back."""

import base64
import json
import os
import subprocess
import sys

import pytest

from trustplane.client.jobs import Job
from trustplane.client.training import _gather, git_state
from trustplane.values.errors import BadInput, Denied, NotFound, TrustplaneError, Unavailable

SCRIPT = """
import json, os
from pathlib import Path
import pyarrow.parquet as pq
from more import words

table = pq.read_table(Path(os.environ["TRUSTPLANE_INPUT"]) / "people.parquet")
(Path(os.environ["TRUSTPLANE_OUTPUT"]) / "deep").mkdir()
(Path(os.environ["TRUSTPLANE_OUTPUT"]) / "deep" / "räume.json").write_text(json.dumps({"rows": table.num_rows, "said": words()}))
print("grüße", os.environ["TRUSTPLANE_SEED"])
"""


def test_a_script_runs_with_its_files_and_its_views(scientist, people_view, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "__init__.py").write_text("def words():\n    return 'from the package'\n")
    started = scientist.runs.start(tmp_path / "train.py", views=["people"], files=[tmp_path / "more"], seed=7)
    result = scientist.runs.job(started.id).wait()
    found = scientist.runs.get(started.id)
    assert found.state == "done", (result, scientist.runs.log(started.id))
    assert found.git is None or set(found.git) <= {"commit", "dirty"}
    out = scientist.runs.output(started.id, "deep/räume.json", tmp_path / "fetched.json")
    assert json.loads(out.read_text()) == {"rows": 58, "said": "from the package"}
    assert scientist.runs.log(started.id)["stdout"] == "grüße 7\n"
    assert [r.id for r in scientist.runs.list()] == [started.id]


def test_a_script_that_fails_is_told(scientist, cast, tmp_path):
    (tmp_path / "train.py").write_text("import sys\nprint('partly')\nsys.exit(3)\n")
    started = scientist.runs.start(tmp_path / "train.py")
    job = scientist.runs.job(started.id)
    list(job.follow())
    found = scientist.runs.get(started.id)
    assert found.state == "failed"
    assert scientist.runs.log(started.id)["stdout"] == "partly\n"


def test_who_may_not_run_starts_nothing(ask, scientist, tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    with pytest.raises(Denied):
        ask("auditor").project("credit").runs.start(tmp_path / "train.py")
    with pytest.raises(TrustplaneError):
        scientist.runs.start(tmp_path / "train.py", sandbox="unsafe-none")
    with pytest.raises(NotFound):
        scientist.runs.start(tmp_path / "train.py", views=["no-such-view"])
    assert scientist.runs.list() == []


def test_a_missing_output_leaves_no_file(scientist, made_run, tmp_path):
    run = made_run()
    for path in ("nothing.bin", "deep/nothing", "../model.onnx", "model.onnx/"):
        with pytest.raises((NotFound, BadInput)):
            scientist.runs.output(run, path, tmp_path / "out")
    assert list(tmp_path.glob("*out*")) == []
    scientist.runs.output(run, "features.json", tmp_path / "out")
    assert (tmp_path / "out").read_bytes().startswith(b"[")


def test_parameters_are_plain_values(scientist, tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    with pytest.raises(BadInput) as told:
        scientist.runs.start(tmp_path / "train.py", parameters={"rate": float("nan")})
    assert told.value.code == "TP-CLIENT-011"
    with pytest.raises(BadInput) as told:
        scientist.runs.start(tmp_path / "none.py")
    assert told.value.code == "TP-CLIENT-005"


class TestGathering:
    def test_folders_are_taken_whole_without_caches(self, tmp_path):
        (tmp_path / "lib" / "deep" / "__pycache__").mkdir(parents=True)
        for name in ("train.py", "lib/a.py", "lib/deep/b.py", "lib/deep/__pycache__/b.pyc", "other.py"):
            (tmp_path / name).write_text(name)
        gathered = _gather(tmp_path / "train.py", [tmp_path / "lib"])
        assert gathered == {name: name.encode() for name in ("train.py", "lib/a.py", "lib/deep/b.py")}

    @pytest.mark.parametrize("link", [True, False])
    def test_nothing_is_taken_from_elsewhere(self, tmp_path, link):
        """Neither by its path nor by a link that lies in the folder."""
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "train.py").write_text("")
        (tmp_path / "secret").write_text("a key")
        wanted = tmp_path / "work" / "beside" if link else tmp_path / "work" / ".." / "secret"
        if link:
            wanted.symlink_to(tmp_path / "secret")
        with pytest.raises(BadInput) as told:
            _gather(tmp_path / "work" / "train.py", [wanted])
        assert told.value.code == "TP-RUN-011"

    def test_a_file_that_is_not_there_is_told(self, tmp_path):
        (tmp_path / "train.py").write_text("")
        with pytest.raises(BadInput) as told:
            _gather(tmp_path / "train.py", [tmp_path / "none.py"])
        assert told.value.code == "TP-CLIENT-005"


class TestGit:
    def git(self, folder, *words):
        named = {
            "GIT_AUTHOR_NAME": "x",
            "GIT_AUTHOR_EMAIL": "x@x",
            "GIT_COMMITTER_NAME": "x",
            "GIT_COMMITTER_EMAIL": "x@x",
        }
        environment = {**os.environ, **named, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, check=True, env=environment
        )
        return done.stdout.strip()

    def test_the_commit_and_whether_it_has_changes(self, tmp_path):
        self.git(tmp_path, "init", "-q")
        (tmp_path / "a").write_text("a")
        self.git(tmp_path, "add", "a")
        self.git(tmp_path, "commit", "-q", "-m", "a")
        commit = self.git(tmp_path, "rev-parse", "HEAD")
        assert git_state(tmp_path) == {"commit": commit, "dirty": False}
        (tmp_path / "a").write_text("b")
        assert git_state(tmp_path) == {"commit": commit, "dirty": True}

    def test_no_tree_and_no_git(self, tmp_path, monkeypatch):
        assert git_state(tmp_path) is None
        monkeypatch.setenv("PATH", "")
        assert git_state(tmp_path) is None


class TestJobs:
    def test_unknown_jobs_are_told(self, ask):
        job = ask("owner").jobs.get("no-such-job")
        for look in (job.status, job.wait, job.cancel):
            with pytest.raises(NotFound):
                look()

    def test_jobs_are_listed_to_whom_they_belong(self, ask, scientist, tmp_path):
        (tmp_path / "train.py").write_text("print(1)\n")
        started = scientist.runs.start(tmp_path / "train.py")
        job = scientist.runs.job(started.id)
        job.wait()
        assert job.status().state == "succeeded"
        assert [j.id for j in ask("scientist").jobs.list()] == [job.id]
        assert ask("consumer").jobs.list() == []
        assert job.id in repr(job)

    @pytest.mark.parametrize("error", [{"code": "TP-RUN-009", "detail": "no sandbox"}, {"code": "TP-NOT-999"}, {}])
    def test_a_job_that_failed_raises_its_error(self, error):
        class Ended(Job):
            def follow(self):
                return iter(())

            def status(self):
                from trustplane.client.records import Record

                return Record({"state": "failed", "error": error, "result": None})

        with pytest.raises(Unavailable) as told:
            Ended(None, "j").wait()
        assert told.value.code == (error.get("code") if error.get("code") == "TP-RUN-009" else "TP-CLIENT-002")


def test_files_travel_as_base64(scientist, monkeypatch, tmp_path):
    sent = []
    monkeypatch.setattr(scientist.runs._wire, "post", lambda path, body: sent.append(body) or {})
    (tmp_path / "train.py").write_bytes(b"\xff\x00")
    scientist.runs.start(tmp_path / "train.py", reason=None, limits={"wall_seconds": 5})
    assert base64.b64decode(sent[0]["files"]["train.py"]) == b"\xff\x00"
    assert "reason" not in sent[0]
    assert sent[0]["limits"] == {"wall_seconds": 5}


TOLD = """
import sys
from trustplane.training import log
for step in range(3):
    log.metric("loss", 1 / (step + 1), step)
print("said")
print("warned", file=sys.stderr)
open("model", "w").write("x")
"""


def test_a_run_is_looked_at_followed_repeated_and_counted(scientist, tmp_path):
    (tmp_path / "train.py").write_text(TOLD)
    run = scientist.runs.start(tmp_path / "train.py", seed=3)
    said = {part.stream: part.text for part in scientist.runs.follow(run.id)}
    assert said == {"stdout": "said\n", "stderr": "warned\n"}
    scientist.runs.job(run.id).wait()
    found = scientist.runs.get(run.id)
    assert (found.kind, found.profile, found.metrics, found.series) == (
        "script",
        "strict",
        {"loss": 1 / 3},
        {"loss": 3},
    )
    assert found.used["wall_seconds"] > 0
    assert scientist.runs.series(run.id)["loss"]["values"] == [1.0, 0.5, 1 / 3]
    again = scientist.runs.verify(run.id)
    scientist.runs.job(again.id).wait()
    assert scientist.runs.get(again.id).comparison["verdict"] == "identical"
    assert scientist.runs.get(run.id).repetitions[0]["comparison"]["verdict"] == "identical"
    usage = scientist.runs.usage()
    assert (usage.total["runs"], usage.total["done"], len(usage.authors)) == (2, 2, 1)
    assert [p.name for p in scientist.runs.profiles()] == ["strict", "research", "gpu"]
    assert scientist.runs.cancel(run.id).state == "succeeded", "a run that has ended stays so"


def test_a_function_of_a_module_is_trained(scientist, tmp_path, monkeypatch):
    (tmp_path / "sent_module.py").write_text("def fit(depth, seed):\n    return {'score': depth * seed}\n")
    monkeypatch.syspath_prepend(tmp_path)
    import sent_module

    run = scientist.train(sent_module.fit, parameters={"depth": 4}, seed=5)
    scientist.runs.job(run.id).wait()
    found = scientist.runs.get(run.id)
    assert (found.kind, found.script, found.entry, found.metrics) == (
        "callable",
        "sent_module.py",
        "fit",
        {"score": 20.0},
    )
    del sys.modules["sent_module"]


def test_a_manifest_is_written_and_nothing_started(scientist, tmp_path):
    (tmp_path / "train.py").write_text("pass")
    text = scientist.runs.manifest(tmp_path / "train.py", image="x/y@sha256:" + "0" * 64, profile="research", seed=4)
    assert 'kind: "Job"' in text
    assert scientist.runs.list() == []
