"""The command line's frame: what is imported for help, the help of every command, exit codes, and what goes where."""

import json
import subprocess
import sys

import pytest

from trustplane import __version__
from trustplane.cli.main import COMMANDS, overview
from trustplane.values.errors import catalogue

HEAVY = ("sqlalchemy", "fastapi", "pydantic", "pandas", "pyarrow", "numpy", "cryptography", "dbos", "alembic", "onnx", "sklearn", "httpx", "typer", "rich")  # fmt: skip


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_help_imports_next_to_nothing(argument):
    """Modules are counted and not seconds: what is not imported takes no time on any machine."""
    script = (
        "import sys; sys.argv = ['trustplane', sys.argv[1]]\n"
        "from trustplane.cli.main import main\n"
        "main()\n"
        "print('|'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script, argument], capture_output=True, text=True)
    assert done.returncode == 0
    modules = done.stderr.strip().split("|")
    own = [m for m in modules if m.split(".")[0] == "trustplane"]
    assert sorted(own) == ["trustplane", "trustplane.cli", "trustplane.cli.main"]
    assert not [m for m in modules if m.split(".")[0] in HEAVY]
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print(len(sys.modules))"], capture_output=True, text=True
    )
    assert len(modules) < int(bare.stdout) + 40


@pytest.mark.parametrize(
    ("ends", "code"), [("pass", 0), ("sys.exit(4)", 4), ("sys.exit('no')", 1), ("sys.exit()", 0), ("1 / 0", 1)]
)
def test_the_script_ends_with_its_code_after_threads_and_exit_functions(ends, code):
    script = (
        "import atexit, sys, threading, time\n"
        "from trustplane.cli import main as cli\n"
        "def main():\n"
        "    atexit.register(print, 'left', end='')\n"
        "    threading.Thread(target=lambda: (time.sleep(0.2), print('thread', end=' '))).start()\n"
        f"    {ends}\n"
        "cli.main = main\n"
        "cli.run()"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, "thread left")
    assert ("ZeroDivisionError" in done.stderr) is (ends == "1 / 0")


def test_the_overview_names_every_command(call):
    done = call("--help")
    assert done.code == 0
    assert all(f"  {name} " in done.out for name in COMMANDS)
    assert "Exit codes: 0 ok, 1 a gate or check failed, 2 usage, 3 something is unavailable, 4 denied." in overview()
    assert call("--version").out == f"trustplane {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, call):
    done = call(name, "--help")
    assert done.code == 0
    assert "Usage: trustplane " + name in done.out


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["leger"], "ledger"),
        (["datasets"], "dataset"),
        ([""], ""),
        (["--workspace"], "value"),
        (["no-such-thing"], "--help"),
    ],
)
def test_a_mistyped_command_is_told(arguments, hint, call):
    done = call(*arguments)
    assert done.code == 2
    assert hint in done.err
    assert done.out == ""


def test_explain_knows_every_code(call):
    for code in ("TP-DATA-003", "tp-data-003"):
        assert catalogue()["TP-DATA-003"].meaning in call("explain", code).out
    done = call("explain", "TP-DATA-0033")
    assert done.code == 2
    assert "TP-DATA-03" in done.err


def test_plugins_are_listed_with_their_package(call):
    items = json.loads(call("plugins", "--json").out)["items"]
    assert {
        "recognisers",
        "readers",
        "sandboxes",
        "attacks",
        "checks",
        "formats",
        "runtimes",
        "keystores",
        "controls",
        "frameworks",
    } == {i["kind"] for i in items}
    assert all(i["package"].startswith("trustplane ") for i in items)


def test_a_file_is_scanned_without_a_workspace(call, tmp_path):
    (tmp_path / "good.txt").write_text("words", encoding="utf-8")
    bad, log = tmp_path / "bad.pkl", tmp_path / "scan.sarif"
    bad.write_bytes(b"cos\nsystem\n(S'touch fired'\ntR.")
    assert call("scan", tmp_path / "good.txt").code == 0
    done = call("scan", tmp_path, "--sarif", log)
    assert done.code == 1
    assert "unknown-global: it asks for os.system, which no model needs at byte 0" in done.out
    assert json.loads(log.read_text("utf-8"))["runs"][0]["results"][0]["ruleId"] == "unknown-global"
    told = json.loads(call("scan", bad, "--json").out)
    assert (told["schema"], told["refused"], told["items"][0]["objections"][0]["offset"]) == ("trustplane/1", 1, 0)
    bad.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(40))
    assert call("scan", bad).code == 3
    assert call("scan", tmp_path / "nothing").code == 2


def test_discovery_is_evaluated_without_a_workspace(call, tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    span = {"start_position": 8, "end_position": 22, "entity_type": "MAIL"}
    corpus.write_text(json.dumps({"full_text": "mail to jo@example.org", "spans": [span]}), encoding="utf-8")
    done = call("data", "evaluate-discovery", corpus, "--alias", "MAIL:EMAIL_ADDRESS", "--json")
    assert json.loads(done.out)["overall"]["f1"] == 1.0
    assert "EMAIL_ADDRESS" in call("data", "evaluate-discovery", corpus).out
    assert call("data", "evaluate-discovery", corpus, "--alias", "MAIL").code == 2
    corpus.write_text("{}", encoding="utf-8")
    done = call("data", "evaluate-discovery", corpus)
    assert (done.code, "TP-DATA-090" in done.err) == (2, True)


class TestExitCodes:
    def test_0_it_went_well(self, call, home):
        assert call("whoami").code == 0

    def test_1_a_check_failed(self, call, home):
        call("project", "create", "credit")
        call("project", "create", "other")
        done = call("project", "create", "credit")
        assert done.code == 1
        assert done.err.startswith("TP-IDENTITY-006 ")

    def test_2_it_was_used_wrongly(self, call, home):
        assert call("project", "show-me").code == 2
        assert call("dataset", "show", "x").code == 2

    def test_3_something_is_unavailable(self, call, home):
        (home / "keys" / "root.json").chmod(0o644)
        done = call("whoami")
        assert done.code == 3
        assert done.err.startswith("TP-VAULT-006 ")

    def test_4_denied(self, call, home):
        call("user", "create", "bo", "--password", TRUSTPLANE_NEW_PASSWORD="correct-horse-bo")
        call("login", "bo", TRUSTPLANE_PASSWORD="correct-horse-bo")
        done = call("-u", "bo", "project", "create", "mine")
        assert done.code == 4
        assert "to do:" in done.err
        assert "more: trustplane explain TP-POLICY-020" in done.err


class TestAnswers:
    def test_json_is_one_object_with_a_schema_on_stdout(self, call, home):
        for arguments in (
            ["project", "create", "credit"], ["project", "list"], ["user", "list"], ["user", "roles"], ["token", "list", "ada"], ["dataset", "list"],
            ["dataset", "purposes"], ["view", "list"], ["runs", "list"], ["model", "list"], ["deployment", "list"], ["ledger", "list"],
            ["ledger", "checkpoint"], ["ledger", "verify"], ["ledger", "vkey"], ["policy", "list"], ["policy", "test"], ["control", "list"], ["report", "list"],
            ["key", "list"], ["job", "list"], ["job", "schedules"], ["doctor"], ["whoami"],
        ):  # fmt: skip
            done = call(*arguments, "--json")
            assert done.code == 0, (arguments, done.err)
            assert json.loads(done.out)["schema"] == "trustplane/1", arguments
            assert done.out.count("\n") == 1

    def test_errors_are_json_too(self, call, home):
        done = call("--json", "dataset", "show", "none", "-p", "nothing")
        assert done.out == ""
        body = json.loads(done.err.splitlines()[-1])
        assert body["schema"] == "trustplane/1"
        assert body["error"]["code"] == "TP-IDENTITY-008"

    def test_settings_stand_anywhere(self, call, home):
        call("project", "create", "credit")
        for arguments in (
            ["-p", "credit", "dataset", "list"],
            ["dataset", "-p", "credit", "list"],
            ["dataset", "list", "--project=credit"],
        ):
            assert call(*arguments).code == 0

    def test_no_colour_codes(self, call, home):
        for arguments in (["--help"], ["whoami"], ["policy", "--help"], ["dataset", "show", "x"]):
            done = call(*arguments)
            assert "\x1b[" not in done.out + done.err
