"""What a scan tells: facts and SARIF."""

import json

from tests.corpora.hostile import FIRE, zipped

from trustplane.release.scanning.contract import Rule
from trustplane.release.scanning.report import MEANINGS, sarif, scan


def test_facts_and_sarif_say_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.pkl").write_bytes(FIRE)
    (tmp_path / "in.zip").write_bytes(zipped({"m.pkl": FIRE}))
    (tmp_path / "good.txt").write_text("x")
    told = []
    outcome = scan([tmp_path.relative_to(tmp_path)], told.append)
    assert told == outcome["items"]
    assert (outcome["passed"], outcome["refused"], outcome["not_checked"]) == (1, 2, 0)
    log = json.loads(json.dumps(sarif(outcome["items"])))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [r["ruleId"] for r in run["results"]] == ["unknown-global"] * 2
    first, second = run["results"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.pkl", "index": 0},
        "region": {"byteOffset": 2, "byteLength": 1},
    }
    assert second["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "m.pkl"
    for result in run["results"]:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert run["artifacts"][result["locations"][0]["physicalLocation"]["artifactLocation"]["index"]]["hashes"]


def test_each_rule_has_a_meaning():
    assert set(MEANINGS) == set(Rule)
