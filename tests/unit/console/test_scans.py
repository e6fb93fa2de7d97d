"""The page of scans: what is shown of a file that is refused, with nothing of the file unescaped."""

from datetime import UTC, datetime
from types import SimpleNamespace

from trustplane.console.rendering import open_page
from trustplane.release.tables import ArtifactScan


def row(artifact, verdict, objections):
    return ArtifactScan(
        id="s", project_id="p", run_id="r" * 36, artifact=artifact, sha256="sha256:" + "1" * 64, size=1, format="pickle",
        verdict=verdict, report={"objections": objections}, actor_id="a", created=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def shown(*scans):
    project = SimpleNamespace(id="p", name="credit")
    return open_page("scans.html", project=project, scans=list(scans), names={"a": "ada"}).body.decode()


def test_a_refused_artifact_is_shown_with_what_speaks_against_it():
    objection = {
        "rule": "unknown-global",
        "message": "it asks for <b>.x",
        "offset": 2,
        "place": ["<i>", "m.pkl"],
        "subject": "",
    }
    text = shown(row("<script>.pkl", "refused", [objection]), row("model.onnx", "passed", []))
    assert "&lt;script&gt;.pkl" in text
    assert "it asks for &lt;b&gt;.x at byte 2" in text
    assert "&lt;i&gt;!m.pkl" in text
    assert "<script>" not in text
    assert "ada" in text


def test_an_empty_page_says_what_fills_it():
    assert "trustplane run scan" in shown()
