"""The model of names that ships is the one that a run on record left and that was signed; whoever changes a part is found out."""

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from trustplane.release.shipped import verify_shipped
from trustplane.values.errors import Tampered

FOLDER = Path(str(files("trustplane.data.recognisers.names")))
ROOT = Path(__file__).parents[3]


@pytest.fixture
def copy(tmp_path):
    for name in ("manifest.json", "names.npz"):
        shutil.copy(FOLDER / name, tmp_path)
    shutil.copytree(FOLDER / "record", tmp_path / "record")
    return tmp_path


def test_the_record_holds_and_tells_of_these_weights():
    held = verify_shipped()
    assert held["digests"]["names.npz"] == "sha256:" + json.loads((FOLDER / "manifest.json").read_text())["sha256"]
    assert held["key"] in (FOLDER / "MODEL_CARD.md").read_text("utf-8")


def test_the_exported_ledger_is_verified_without_trustplane():
    record = FOLDER / "record"
    command = [sys.executable, ROOT / "tools" / "verify_log.py", record / "ledger", "--vkey", record / "log.vkey"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok: ")


def test_it_was_assessed_and_the_card_tells_what_was_found():
    told = json.loads((FOLDER / "record" / "assessment.json").read_text("utf-8"))
    card = (FOLDER / "MODEL_CARD.md").read_text("utf-8")
    assert told["state"] == "done"
    assert all(f"{name} {each['status']}, {each['reason']}" in card for name, each in told["results"].items())
    assert told["results"]["performance"]["figures"]["auc"] > 0.97
    assert told["results"]["fairness"]["figures"]["odds_difference[language]"] < 0.1


def change(path, old, new):
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new, 1))


def flip(path):
    raw = path.read_bytes()
    middle = len(raw) // 2
    path.write_bytes(raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :])


@pytest.mark.parametrize("name", ["names.npz", "manifest.json", "record/statement.dsse.json"])
def test_a_changed_part_is_found(copy, name):
    flip(copy / name)
    with pytest.raises(Tampered) as caught:
        verify_shipped(copy)
    assert caught.value.code == "TP-DATA-137"


@pytest.mark.parametrize("name", ["statement.dsse.json", "signing-key.pem", "sign.tlog-proof", "log.vkey", "ledger"])
def test_a_missing_part_is_found(copy, name):
    path = copy / "record" / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(Tampered, match="does not hold"):
        verify_shipped(copy)


def test_a_payload_that_says_something_else_is_found(copy):
    payloads = copy / "record" / "ledger" / "payloads.jsonl"
    lines = payloads.read_text("utf-8").splitlines()
    payloads.write_text("\n".join(line.replace('"payload":"eyJ', '"payload":"eyI') for line in lines) + "\n", "utf-8")
    with pytest.raises(Tampered):
        verify_shipped(copy)


def test_a_receipt_of_another_log_is_no_proof(copy):
    change(copy / "record" / "log.vkey", b"+", b"x+")
    with pytest.raises(Tampered):
        verify_shipped(copy)
