"""``trustplane run``: short form and verbs, what they print, and how they end."""

import json

import pytest
import yaml

from trustplane.cli.run.asked import parameters_of
from trustplane.cli.run.shown import WIDTH, spark

SCRIPT = """
import json, os
from trustplane.training import log
for step in range(9):
    log.metric("loss", 1 / (step + 1), step)
log.parameter("chosen", 7)
print("said", json.loads(os.environ["TRUSTPLANE_PARAMETERS"]))
open("model", "w").write("x")
"""


@pytest.fixture
def database_kind():
    """The kind of the database plays no part here, so one is enough."""
    return "sqlite"


@pytest.fixture
def sam(call, home, tmp_path, monkeypatch):
    """A scientist who is logged in, and a script in the folder."""
    call("project", "create", "credit")
    password = "correct-horse-sam"
    assert call("-u", "ada", "user", "create", "sam", "--password", TRUSTPLANE_NEW_PASSWORD=password).code == 0
    assert call("-u", "ada", "-p", "credit", "user", "grant", "sam", "scientist").code == 0
    assert call("login", "sam", TRUSTPLANE_PASSWORD=password).code == 0
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def test_a_run_from_its_start_to_its_repetition(call, sam):
    started = call("--json", "run", "train.py", "--param", "depth=3", "--seed", "5")
    assert started.code == 0, started.err
    run = json.loads(started.out)
    assert (run["state"], run["parameters"]) == ("done", {"depth": 3})
    shown = call("run", "show", run["id"])
    for word in ("profile     strict", "wall s", "█", "chosen=7", "model", "no inputs"):
        assert word in shown.out, word
    assert "said {'depth': 3}" in call("run", "logs", run["id"]).out
    assert call("run", "logs", "-f", run["id"]).out == "said {'depth': 3}\n"
    assert call("run", "log", run["id"]).code == 0
    assert run["id"] in call("runs", "list").out, "the noun's old name is understood"
    verified = call("run", "verify", run["id"])
    assert verified.code == 0, verified.err
    assert "verdict     identical" in verified.out
    usage = call("--json", "run", "usage")
    assert json.loads(usage.out)["total"]["done"] == 2
    assert "in all" in call("run", "usage").out
    assert call("run", "fetch", run["id"], "model").code == 0
    assert (sam / "model").read_text() == "x"
    assert "is succeeded" in call("run", "cancel", run["id"]).out


def test_what_cannot_be_run_is_told_before_anything_starts(call, sam):
    assert call("run", "train.py", "--memory", "4").err.startswith("TP-RUN-021 ")
    assert call("run", "train.py", "--profile", "gpu").err.startswith("TP-RUN-020 ")
    assert call("run", "train.py", "--profile", "huge").err.startswith("TP-RUN-022 ")
    assert call("run", "trian.py").code == 2
    assert call("run", "nothing").code == 2
    assert call("run", "train.py", "--param", "x").code == 2
    assert call("--json", "run", "list").out.count('"id"') == 0
    assert "research" in call("run", "profiles").out


def test_a_manifest_is_yaml_on_stdout(call, sam):
    assert call("run", "manifest", "train.py").code == 2
    done = call("run", "manifest", "train.py", "--image", "x/y@sha256:" + "0" * 64, "--time", "60")
    assert done.code == 0, done.err
    assert [d["kind"] for d in yaml.safe_load_all(done.out)] == ["Namespace", "NetworkPolicy", "ConfigMap", "Job"]


def test_parameters_are_read_as_json_where_they_are():
    read = parameters_of(["a=1", "b=true", "c=x", "d=[1]", "e=1.5", 'f="1"', "g="])
    assert read == {"a": 1, "b": True, "c": "x", "d": "[1]", "e": 1.5, "f": "1", "g": ""}


def test_a_curve_in_one_line():
    assert spark([0, 1, 7]) == "▁▂█"
    assert spark([1, None, 3])[1] == " "
    assert spark([]) == spark([1]) == ""
    assert set(spark([2, 2])) == {"▁"}
    assert len(spark(list(range(1000)))) == WIDTH
