"""The pages of kept threat models: what is said, what changed, who may look, with nothing of a file unescaped."""

import json
import re

import pytest
from tests.unit.client.test_models import held_out
from tests.unit.release.conftest import FEATURES, graph

from trustplane.console import threats as pages
from trustplane.kernel.identity.scopes import find_project
from trustplane.training.threats.service import keep_threat

TEXT = """
name = "<script>alert(1)</script>"
budget = { norm = "linf", distance = 0.25, cost = 3, features = 2 }
goal = { start = 0, margin = 0.05 }
attacker = { knowledge = "labels" }
derived = { "<b>sum</b>" = "income + debt" }
[features]
income = { mutable = false }
debt = { type = "integer", low = 0, high = 10, direction = "down", cost = 2 }
"<b>sum</b>" = { mutable = false, low = 0, high = 110 }
"[a" = {}
"[b" = {}
[groups]
"<i>g</i>" = ["[a", "[b"]
[[relations]]
name = "<u>r</u>"
holds = "debt <= income + 10"
"""
PLAIN = 'name = "of clients"\nbudget = { distance = 0.5 }\nfeatures.debt = { low = 0, high = 10 }\n'


@pytest.fixture
def database_kind():
    """The kind of the database plays no part here, so one is enough."""
    return "sqlite"


@pytest.fixture
def project(plane, cast):
    with plane.database.read() as session:
        return find_project(session, "credit").id


def text_of(answer):
    """What a page says, without its marks."""
    assert answer.status_code == 200, answer.text
    assert not re.search(r"<script|\sstyle=|\son\w+=", answer.text)
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_a_version_says_what_the_attacker_can_do_and_what_changed(plane, cast, look, project) -> None:
    first = keep_threat(plane, cast["scientist"], "credit", "credit", PLAIN).id
    second = keep_threat(plane, cast["reviewer"], "credit", "credit", TEXT).id
    other = keep_threat(plane, cast["reviewer"], "credit", "fraud", "draft = true\n" + PLAIN).id
    answer = look(f"/threats/{second}")
    text = text_of(answer)
    assert not re.search(r"<(b|i|u)>", answer.text)
    for said in (
        "The attacker sees the model's decisions alone.",
        "A row of class 0 counts as an evasion where its score reaches the model's threshold plus 0.05.",
        "No change is more than 0.25 times its feature's scale.",
        "cost at most 3 together.",
        "At most 2 features change.",
        "3 of 5 can be changed",
        "debt yes integer 0 10 down 10 2",
        "income no real",
        "&lt;b&gt;sum&lt;/b&gt; follows from others real 0 110 any 110 1",
        "&lt;u&gt;r&lt;/u&gt; debt &lt;= income + 10",
        "What differs from version 1",
        "attacker knowledge scores labels less",
        "budget cost – 3 less",
        "feature debt direction any down less",
        "feature income – immutable, real the same",
        "No assessment went by it.",
    ):
        assert said.replace("'", "&#39;") in text, said
    assert "What differs" not in text_of(look(f"/threats/{first}"))
    assert "Version 2 is newer." in text_of(look(f"/threats/{first}"))
    backwards = text_of(look(f"/threats/{first}?against={second}"))
    assert "budget distance 0.25 0.5" in backwards
    across = text_of(look(f"/threats/{second}?against={other}"))
    assert "What differs from fraud, version 1" in across
    assert "file draft yes no the same" in across
    assert "nobody has said that it is right" in text_of(look(f"/threats/{other}"))
    listed = text_of(look(f"/projects/{project}/threats"))
    assert "credit&nbsp;2 &lt;script&gt;alert(1)&lt;/script&gt; owned labels 5 3 1 nothing some-reviewer" in listed
    assert "fraud&nbsp;1 of clients draft scores 1 1 0 nothing some-reviewer" in listed
    assert f'href="/console/projects/{project}/threats"' in look(f"/projects/{project}").text


def test_assessments_that_went_by_it_are_told_with_their_interval(
    plane, cast, look, project, scientist, made_version
) -> None:
    kept = keep_threat(plane, cast["scientist"], "credit", "credit", PLAIN).id
    outputs = {"model.onnx": graph(), "features.json": json.dumps(FEATURES).encode(), "holdout.parquet": held_out()}
    version = made_version(outputs)
    scientist.models.assess("risk", suite={"checks": ["robustness"], "threat": "credit"}).wait()
    scientist.models.assess("risk", suite={"threat": PLAIN}).wait()
    answer = look(f"/threats/{kept}")
    text = text_of(answer)
    assert re.search(r"risk 1 done . (passes|fails)( [\d.]+ % [\d.]+ to [\d.]+ %){2}", text)
    assert "risk 1 done not looked for" in text
    assert f"/console/models/{version.id}/assessments/" in answer.text
    assert "risk 1" in text_of(look(f"/projects/{project}/threats"))
    assert "under the threat model credit 1" in text_of(look(f"/models/{version.id}"))
    report = scientist.models.version("risk").assessments[-1]["id"]
    assert "credit@1, kept by the project" in look(f"/models/{version.id}/assessments/{report}").text


def test_each_page_has_a_twin(plane, cast, look, project) -> None:
    kept = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT).id
    twin = look(f"/threats/{kept}.json").json()
    assert (twin["text"], twin["number"], len(twin["model"]["features"])) == (TEXT, 1, 5)
    listed = look(f"/projects/{project}/threats.json").json()["threats"]
    assert [t["id"] for t in listed] == [kept]
    assert "text" not in listed[0]


def test_who_may_not_look_sees_none_and_an_empty_page_says_what_fills_it(plane, cast, look, project) -> None:
    assert "trustplane threat keep" in text_of(look(f"/projects/{project}/threats"))
    kept = keep_threat(plane, cast["scientist"], "credit", "credit", TEXT).id
    for path in (f"/threats/{kept}", f"/threats/{kept}.json"):
        assert look(path, "data-steward").status_code == 403
        assert look(path, "auditor").status_code == 200
    assert "No threat model yet" in text_of(look(f"/projects/{project}/threats", "data-steward"))
    assert look("/threats/none").status_code == 404
    assert look(f"/threats/{kept}?against=none").status_code == 404


def test_many_features_are_shown_in_part(plane, cast, look, monkeypatch) -> None:
    monkeypatch.setattr(pages, "SHOWN", 3)
    columns = "".join(f"f{n} = {{ low = 0, high = 1 }}\n" for n in range(10))
    text = f"budget = {{ distance = 1 }}\n[features]\n{columns}"
    keep_threat(plane, cast["scientist"], "credit", "wide", PLAIN)
    kept = keep_threat(plane, cast["scientist"], "credit", "wide", text).id
    told = text_of(look(f"/threats/{kept}"))
    assert "And 7 more, in the JSON." in told
    assert "trustplane threat compare wide@1 wide@2" in told
    assert "f2 yes" in told
    assert "f9 yes" not in told
