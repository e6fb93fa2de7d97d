"""Kept threat models by the SDK: from keeping one to what assessments found within it."""

import json
import tomllib

import pytest
from tests.unit.client.test_models import held_out
from tests.unit.release.conftest import FEATURES, graph

from trustplane.client.threats import LONGEST
from trustplane.values.errors import BadInput, Denied, NotFound

TEXT = """
name = "what a client can say otherwise"
budget = { distance = 0.02 }
features.income = { mutable = false }
features.debt = { low = 0, high = 10, direction = "down" }
relations = [{ name = "not without income", holds = "debt <= income + 10" }]
"""


def test_from_a_file_to_what_assessments_found_within_it(scientist, ask, made_version, tmp_path):
    (tmp_path / "threat.toml").write_text(TEXT)
    made = scientist.threats.keep("credit", tmp_path / "threat.toml")
    assert (made.name, made.number, made.new, made.title) == ("credit", 1, True, "what a client can say otherwise")
    assert (made.features, made.mutable, made.relations, made.draft) == (2, 1, 1, False)
    assert scientist.threats.keep("credit", TEXT).new is False
    reviewer = ask("reviewer").project("credit")
    wider = reviewer.threats.keep("credit", TEXT.replace("0.02", "0.9"))
    assert wider.number == 2
    made_version({"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode(), "holdout.parquet": held_out()})
    for threat in ("credit@1", "credit"):
        scientist.models.assess("risk", suite={"checks": ["robustness"], "threat": threat}).wait()
    assert [a["threat"]["number"] for a in scientist.models.version("risk").assessments] == [2, 1]
    found = ask("auditor").project("credit").threats.get("credit@1")
    assert found.text == TEXT
    assert [v["number"] for v in found.versions] == [2, 1]
    [by] = found.assessments
    assert (by["model"], by["version"], by["state"]) == ("risk", 1, "done")
    for name in ("robust_accuracy", "withstood"):
        low, high = by["robustness"]["intervals"][name]
        assert 0 <= low <= by["robustness"]["figures"][name] <= high <= 1
    assert found.model["budget"] == {"norm": "l2", "distance": 0.02, "cost": None, "features": None}
    assert found.model["features"][1] == {
        "name": "debt", "type": "real", "mutable": True, "low": 0.0, "high": 10.0, "direction": "down", "scale": 10.0, "cost": 1.0,
    }  # fmt: skip
    assert found.model["features"][0]["low"] is None
    compared = scientist.threats.compare("credit@1", "credit")
    assert compared.differences == [
        {"part": "budget", "name": "", "field": "distance", "before": 0.02, "after": 0.9, "effect": "more"}
    ]
    assert (compared.before["number"], compared.after["number"]) == (1, 2)
    assert [(t.name, t.number) for t in ask("operator").project("credit").threats.list()] == [("credit", 2)]


def test_a_first_suite_proposes_the_threat_model_that_fits(scientist, made_version):
    made_version({"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode(), "holdout.parquet": held_out()})

    def proposed():
        text = scientist.models.draft_suite("risk")
        return tomllib.loads(text)["threat"], text

    assert proposed()[0] == ""
    scientist.threats.keep("others", TEXT.replace("income", "wealth"))
    threat, text = proposed()
    assert threat == ""
    assert "speaks of the features of this model alone: others." in text
    scientist.threats.keep("drafted", "draft = true" + TEXT)
    threat, text = proposed()
    assert threat == "drafted@1"
    assert "This one is a draft" in text
    scientist.threats.keep("risk", TEXT)
    scientist.threats.keep("later", TEXT)
    threat, text = proposed()
    assert threat == "risk@1"
    assert "keeps others too: later, drafted, others." in text
    assert "draft: robustness" not in text


def test_who_may_what(scientist, steward, ask):
    scientist.threats.keep("credit", TEXT)
    for role in ("owner", "operator", "auditor"):
        project = ask(role).project("credit")
        assert project.threats.get("credit").number == 1
        with pytest.raises(Denied):
            project.threats.keep("credit", TEXT + "# more")
    assert steward.threats.list() == []
    with pytest.raises(Denied):
        steward.threats.get("credit")
    with pytest.raises(Denied):
        steward.threats.compare("credit", "credit")
    with pytest.raises(Denied):
        ask("consumer").project("credit").threats.list()


@pytest.mark.parametrize(
    ("named", "error"),
    [("credit@2", NotFound), ("other", NotFound), ("credit@", BadInput), ("a b", BadInput), ("é", BadInput)],
)
def test_what_is_not_kept_is_told(scientist, named, error):
    scientist.threats.keep("credit", TEXT)
    with pytest.raises(error):
        scientist.threats.get(named)
    with pytest.raises(error):
        scientist.threats.compare(named, "credit")


def test_a_file_that_is_none_is_not_sent(scientist, tmp_path):
    binary, huge = tmp_path / "binary", tmp_path / "huge"
    binary.write_bytes(b"name = '\xff'")
    huge.write_bytes(b"#" * (LONGEST + 1))
    for file, said in ((binary, "UTF-8"), (huge, "bytes long"), (tmp_path / "none", "no file"), (tmp_path, "no file")):
        with pytest.raises(BadInput, match=said):
            scientist.threats.keep("credit", file)
    for text in ("", "\ud800", TEXT + "\x00", "[" * 100_000):
        with pytest.raises(BadInput):
            scientist.threats.keep("credit", text)
    assert scientist.threats.list() == []
