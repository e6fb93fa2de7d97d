"""A founded workspace with a logged-in owner, and the command line called in this process."""

import io
import sys
from dataclasses import dataclass, replace

import pytest

from trustplane.cli import main as command_line
from trustplane.cli.context import Settings, settings
from trustplane.client import credentials
from trustplane.kernel.identity import principals as people
from trustplane.kernel.plane import Plane


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch, capsys):
    """Call the command line; give what it printed and its exit code."""
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments, stdin="", **environment):
        for name in Settings.__slots__:
            setattr(settings, name, getattr(Settings(), name))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["trustplane", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            for name, value in environment.items():
                patch.setenv(name, value)
            capsys.readouterr()
            try:
                command_line.main()
                code = 0
            except SystemExit as ended:
                code = ended.code or 0
        told = capsys.readouterr()
        return Done(code, told.out, told.err)

    return run


@pytest.fixture
def home(workspace, monkeypatch):
    """A workspace whose owner ``ada`` is logged in, found by the environment."""
    monkeypatch.setenv("TRUSTPLANE_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("TRUSTPLANE_WORKSPACE", str(workspace.folder))
    with Plane(workspace) as plane, plane.database.read() as session:
        row = people.find_principal(session, "ada")
        actor = replace(plane.stand_in(row.id, ("*",)), scopes=("*",))
        credentials.save(workspace.folder, "ada", people.issue_token(plane, actor, row.id).secret)
    return workspace.folder


@pytest.fixture
def steward(call, home):
    """A project ``credit`` in which ``kim`` is the data steward, logged in."""
    call("project", "create", "credit")
    assert call("-u", "ada", "user", "create", "kim", "--password", TRUSTPLANE_NEW_PASSWORD="correct-horse").code == 0
    assert call("-u", "ada", "-p", "credit", "user", "grant", "kim", "data-steward").code == 0
    assert call("login", "kim", TRUSTPLANE_PASSWORD="correct-horse").code == 0
    return "kim"
