"""The server's part of an installation, found by entry point."""

import sys
from importlib.metadata import EntryPoint

import pytest

from trustplane.client import embedded
from trustplane.values.errors import Unavailable


@pytest.mark.parametrize("name", ["application", "found", "upgrade", "serve"])
def test_every_part_is_registered(name):
    assert callable(embedded.part(name))


def test_a_server_whose_libraries_are_missing_names_the_extra_and_the_library(monkeypatch):
    entry = EntryPoint("application", "a_library_that_is_not_there.app:make", embedded.GROUP)
    monkeypatch.setattr(embedded, "entry_points", lambda group: [entry])
    with pytest.raises(Unavailable) as told:
        embedded.part("application")
    assert told.value.code == "TP-SETUP-001"
    assert "a_library_that_is_not_there" in told.value.what
    assert "trustplane[plane]" in told.value.fix


def test_the_client_imports_no_part_of_the_server():
    """What it needs of the server it finds by entry point, so that the client can be installed alone."""
    import subprocess

    script = (
        "import sys, trustplane; trustplane.connect; import trustplane.client.connection\n"
        "print([m for m in sys.modules if m.split('.')[0] in {'sqlalchemy', 'fastapi', 'pydantic', 'pyarrow', 'pandas', 'polars', 'cedarpy', 'dbos'}\n"
        " or m.startswith(('trustplane.kernel', 'trustplane.api', 'trustplane.data', 'trustplane.training'))])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
