"""Every code block of the documentation runs: each page is one session in an empty folder.

``bash`` blocks run in order; the ``python`` blocks of a page are one program, which runs where the first of them stands. ``toml`` and
``json`` blocks are parsed. What is ``text`` is not code.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?P<language>[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {"bash", "python", "toml", "json", "text"}


@dataclass(frozen=True)
class Block:
    """A fenced block and the line that it starts at."""

    language: str
    code: str
    line: int


def blocks(page):
    text = page.read_text("utf-8")
    return [Block(m["language"].strip(), m["code"], text[: m.start()].count("\n") + 1) for m in FENCE.finditer(text)]


def name(page):
    return str(page.relative_to(ROOT))


def session(page):
    """The page as one shell script."""
    program = "".join(f"# line {b.line}\n{b.code}\n" for b in blocks(page) if b.language == "python")
    lines, told = ["set -euo pipefail"], False
    for block in blocks(page):
        if block.language == "bash":
            lines += [f": line {block.line}", block.code]
        elif block.language == "python" and not told:
            lines.append("python -W error page.py")
            told = True
    return "\n".join(lines), program


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_block_says_what_it_is(page):
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{name(page)}:{block.line}"
        if block.language == "toml":
            tomllib.loads(block.code)
        if block.language == "json":
            json.loads(block.code)


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if {b.language for b in blocks(p)} & {"bash", "python"}], ids=name)
def test_the_page_runs(page, tmp_path):
    script, program = session(page)
    home, site, shims = tmp_path / "work", tmp_path / "site", tmp_path / "bin"
    for folder in (home, site, shims):
        folder.mkdir()
    (home / "page.py").write_text(program)
    # The environment of the tests has no pip and stays as it is: what a page installs goes to a folder of its own.
    pip = shims / "pip"
    install = f'{sys.executable} -m uv pip install --quiet --offline --no-deps --no-build-isolation --target "{site}"'
    pip.write_text(f'#!/bin/sh\nshift\n[ "$1" = -e ] && shift\nexec {install} --python {sys.executable} "./$1"\n')
    pip.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=600,
        env={
            "PATH": f"{shims}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(site),
            "PYTHONDONTWRITEBYTECODE": "",
            "TRUSTPLANE_SOURCE": str(ROOT),
        },
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
