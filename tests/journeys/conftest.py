"""The workspace that ``trustplane demo`` leaves, made once, and a plane that serves a copy of it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

TRUSTPLANE = (sys.executable, "-m", "trustplane.cli.main")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Demo:
    """What the demo left behind and said."""

    folder: Path
    code: int
    said: dict
    told: str


def command(*arguments, check=True, settings=None, **options):
    """Run the command line in a process of its own; return what it did."""
    done = subprocess.run(
        [*TRUSTPLANE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1", **(settings or {})},
        timeout=300,
        **options,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def run_command():
    """Run the command line in a process of its own."""
    return command


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo, run as a user runs it."""
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    done = command("demo", folder, "--json", check=False)
    return Demo(folder, done.returncode, json.loads(done.stdout or "{}"), done.stderr)


def _erase_somebody(folder):
    """Let a person of the demo's table be erased, so that the console has a request to show."""
    steward = ("-w", folder, "-u", "data-steward", "--json")
    taken = json.loads(command(*steward, "request", "open", "erasure", input="C0000007\n").stdout)["id"]
    command(*steward, "request", "verify", taken, "--how", "passport shown at the counter")
    command(*steward, "request", "erase", taken)


RECIPE = 'quasi_identifiers = ["SEX", "EDUCATION", "AGE"]\nk = 10\nmethod = "mondrian"\n'


def _protect_and_count(folder, scratch):
    """Let a table be protected, and a statistic be told under a budget, so that the console has both to show."""
    steward = ("-w", folder, "-u", "data-steward", "--json")
    recipe = scratch / "recipe.toml"
    recipe.write_text(RECIPE)
    command(*steward, "view", "protect", "training", recipe, "--into", "clients-k10")
    purpose = json.loads(command(*steward, "dataset", "show", "clients").stdout)["purposes"][0]
    command(*steward, "budget", "set", "clients", "--epsilon", "2", "--purpose", purpose)
    command(*steward, "statistic", "mean", "training", "AGE", "--lower", "18", "--upper", "100", "--epsilon", "0.5")


THREAT = """
name = "what a client can pay otherwise"
budget = { distance = 0.5, cost = 2 }
features.LIMIT_BAL = { mutable = false }
features.PAY_AMT1 = { low = 0, high = 900000, direction = "up" }
relations = [{ name = "no more than the limit", holds = "PAY_AMT1 <= LIMIT_BAL * 100" }]
"""


def _keep_threats(folder, scratch):
    """Let a threat model be kept in two versions, and an assessment go by the second, so that the console has them to show."""
    scientist = ("-w", folder, "-u", "scientist", "--json")
    file = scratch / "threat.toml"
    for text in (THREAT, THREAT.replace("cost = 2", "cost = 3")):
        file.write_text(text)
        command(*scientist, "threat", "keep", file, "--name", "payments")
    asked = ("assess", "default-risk", "--check", "robustness", "--threat", "payments")
    command(*scientist, *asked, check=False)  # other checks may fail on this model


def _hire_a_steward(folder, password):
    """Make a data steward ``kim`` who logs in with the owner's password: those of the demo's people are kept nowhere."""
    owner = ("-w", folder, "-u", "owner", "-p", "credit")
    command(*owner, "user", "create", "kim", "--password", settings={"TRUSTPLANE_NEW_PASSWORD": password})
    command(*owner, "user", "grant", "kim", "data-steward")


@pytest.fixture(scope="session")
def served(demo, tmp_path_factory):
    """The address of a plane that serves a copy of the demo's workspace, and the password of its owner."""
    folder = tmp_path_factory.mktemp("served") / "workspace"
    shutil.copytree(demo.folder, folder)
    _erase_somebody(folder)
    _protect_and_count(folder, folder.parent)
    _keep_threats(folder, folder.parent)
    password = (folder / "console-password").read_text().strip()
    _hire_a_steward(folder, password)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder.parent / "up.log").open("w")
    process = subprocess.Popen([*TRUSTPLANE, "-w", str(folder), "up", "--port", str(port)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{url}/v2/health/live").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail((folder.parent / "up.log").read_text())
            time.sleep(0.1)
        yield url, password
    finally:
        process.terminate()
        process.wait(20)
        log.close()
