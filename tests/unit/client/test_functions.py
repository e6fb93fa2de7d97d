"""Functions as code that can be sent, and those that cannot."""

import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from trustplane.client.functions import source_of
from trustplane.values.errors import BadInput

PACKAGE = {
    "work/__init__.py": "",
    "work/train.py": "from .parts import twice\nimport work.deep.more\nimport json\ndef fit(x):\n    return {'y': twice(x)}\n",
    "work/parts.py": "def twice(x):\n    return 2 * x\n",
    "work/deep/__init__.py": "",
    "work/deep/more.py": "",
    "work/other.py": "raise RuntimeError('not imported')\n",
    "alone.py": "import alone_beside\ndef fit():\n    return None\n",
    "alone_beside.py": "",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [n for n in sys.modules if n.split(".")[0] in {"work", "alone", "alone_beside"}]:
        del sys.modules[name]


def test_a_function_is_sent_with_its_module_and_what_that_imports_beside_it(package) -> None:
    import work.train

    sent = source_of(work.train.fit)
    assert (sent.script, sent.entry, sent.folder) == ("work/train.py", "fit", package)
    assert set(sent.files) == set(PACKAGE) - {"work/other.py", "alone.py", "alone_beside.py"}
    assert sent.files["work/parts.py"].decode() == PACKAGE["work/parts.py"]


def test_a_module_without_a_package_is_sent_from_its_folder(package) -> None:
    import alone

    sent = source_of(alone.fit)
    assert (sent.script, set(sent.files)) == ("alone.py", {"alone.py", "alone_beside.py"})


def outer():
    free = 1

    def inner():
        return free

    return inner


class Thing:
    def method(self):
        return self


def counting():
    yield 1


@pytest.mark.parametrize(
    ("function", "word"),
    [
        (lambda x: x, "lambda"),
        (outer(), "closure"),
        (Thing.method, "class or a function"),
        (Thing().method, "no function"),
        (counting, "generator"),
        (partial(outer), "no function"),
        (print, "no function"),
        (textwrap.dedent, "installed software"),
    ],
)
def test_what_hangs_on_more_than_its_source_is_refused(function, word) -> None:
    with pytest.raises(BadInput) as caught:
        source_of(function)
    assert caught.value.code == "TP-RUN-023"
    assert word in f"{caught.value.what} {caught.value.why}"


MAIN = """
from trustplane.client.functions import source_of
from trustplane.values.errors import BadInput
import json, functools

LIMIT = 3

def whole(x, views):
    import math
    def inner(y):
        return math.sqrt(y)
    return {"a": inner(x) + len(views)}

def around(x):
    return {"a": x + LIMIT, "b": json.dumps(x)}

@functools.cache
def decorated():
    return None

def plain_decorator(function):
    return function

@plain_decorator
def quietly():
    return None

sent = source_of(whole)
assert (sent.script, sent.entry, list(sent.files)) == ("function.py", "whole", ["function.py"]), sent
assert sent.files["function.py"].startswith(b"def whole(x, views):"), sent.files
for function, word in ((around, "LIMIT, json"), (decorated, "no function"), (quietly, "decorated")):
    try:
        source_of(function)
    except BadInput as error:
        assert word in error.what, error
    else:
        raise AssertionError(function)
exec("def typed(): return None")
try:
    source_of(typed)
except BadInput as error:
    assert "cannot be found" in error.what, error
else:
    raise AssertionError("typed")
"""


def test_a_function_of_the_main_program_is_sent_alone(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MAIN)
    done = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
