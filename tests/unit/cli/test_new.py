"""``trustplane new``: what it writes imports, describes itself by its entry point, and passes its own test."""

import json
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest

from trustplane.cli import main as command_line
from trustplane.cli.context import settings
from trustplane.cli.new import KINDS


@pytest.fixture(autouse=True)
def _settings():
    yield
    settings.json = False


def run(*arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["trustplane", *map(str, arguments)])
    try:
        command_line.main()
    except SystemExit as ended:
        return ended.code
    return 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_its_own_test(kind, tmp_path, monkeypatch, capsys):
    name = f"own_{kind}"
    assert run("--json", "new", kind, name, "--into", tmp_path, monkeypatch=monkeypatch) == 0
    folder = tmp_path / f"trustplane-own-{kind}"
    assert json.loads(capsys.readouterr().out)["folder"] == str(folder)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "error",
            "--rootdir",
            str(folder),
            str(folder),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_its_entry_point_names_what_was_written(kind, tmp_path, monkeypatch):
    name = f"some_{kind}"
    run("new", kind, name, "--into", tmp_path, monkeypatch=monkeypatch)
    folder = tmp_path / f"trustplane-some-{kind}"
    [(group, entries)] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"].items()
    assert group == f"trustplane.{KINDS[kind].group}"
    module, _, attribute = entries[name].partition(":")
    monkeypatch.syspath_prepend(folder)
    made = import_module(module)
    if not attribute:
        return
    target = getattr(made, attribute)
    if kind in {"recogniser", "check", "format", "keystore"}:
        assert target.descriptor.name == name
    if kind == "control":
        assert [control.id for control in target] == ["OWN-SOME-CONTROL"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_passes_lint(kind, tmp_path, monkeypatch):
    run("new", kind, f"tidy_{kind}", "--into", tmp_path, monkeypatch=monkeypatch)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--no-cache",
            "--select",
            "E,F,I,B,UP",
            "--line-length",
            "140",
            ".",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path / f"trustplane-tidy-{kind}",
    )
    assert done.returncode == 0, done.stdout


def test_what_is_there_is_not_written_over(tmp_path, monkeypatch, capsys):
    assert run("new", "check", "mine", "--into", tmp_path, monkeypatch=monkeypatch) == 0
    before = (tmp_path / "trustplane-mine" / "mine.py").read_text()
    assert run("new", "recogniser", "mine", "--into", tmp_path, monkeypatch=monkeypatch) == 1
    assert "TP-CLI-002" in capsys.readouterr().err
    assert (tmp_path / "trustplane-mine" / "mine.py").read_text() == before


@pytest.mark.parametrize(
    "name", ["", "Mine", "../mine", "mine/", "1st", "import", "my-check", "a" * 65, "m\u00efne", "a\n"]
)
def test_a_bad_name_is_refused(name, tmp_path, monkeypatch, capsys):
    assert run("new", "check", name, "--into", tmp_path, monkeypatch=monkeypatch) == 2
    assert "is no name for a module" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_mistyped_kind_is_told(tmp_path, monkeypatch, capsys):
    assert run("new", "recognizer", "mine", "--into", tmp_path, monkeypatch=monkeypatch) == 2
    assert "recogniser" in capsys.readouterr().err
