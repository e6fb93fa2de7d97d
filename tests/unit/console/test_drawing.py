"""Curves and graphs, drawn on the server: well-formed, escaped, and without anything that the console's policy forbids."""

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from trustplane.compliance.lineage_graph import Graph, Node, around
from trustplane.console.drawing import curve, graph

NUMBERS = st.none() | st.floats(-1e12, 1e12)


@given(
    st.lists(NUMBERS, min_size=1, max_size=50),
    st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=20),
)
def test_a_curve_is_well_formed_and_within_its_frame(values, name) -> None:
    drawn = str(curve(name, {"steps": list(range(len(values))), "values": values}))
    if all(value is None for value in values):
        assert drawn == ""
        return
    root = ET.fromstring(drawn)
    line = next(p for p in root if p.get("class") == "line").get("d")
    places = [word[1:] if word[0] in "ML" else word for word in line.removesuffix("h0.1").split()]
    assert all(0 <= float(number) <= 480 for number in places)
    assert len(places) == 2 * sum(value is not None for value in values)
    assert "style" not in drawn
    assert "script" not in drawn


def test_a_gap_is_a_gap() -> None:
    drawn = str(curve("a", {"steps": [0, 1, 2, 3], "values": [1, None, 2, 3]}))
    line = next(p for p in ET.fromstring(drawn) if p.get("class") == "line").get("d")
    assert (line.count("M"), line.count("L")) == (2, 1)


NODES = [
    Node("dataset", "d", "clients 1", "40 rows", "d"),
    Node("view", "v", "people", "open", "p"),
    Node("view", "w", "others", "open", "p"),
    Node("run", "r", "<script>alert(1)</script>.py", "done", "r"),
    Node("run", "s", "other.py", "done", "s"),
    Node("model", "m", "risk 1", "approved", "m"),
    Node("deployment", "e", "risk", "active", "e"),
]
EDGES = {
    ("dataset:d", "view:v"),
    ("dataset:d", "view:w"),
    ("view:v", "run:r"),
    ("view:w", "run:s"),
    ("run:r", "model:m"),
    ("model:m", "deployment:e"),
}
WHOLE = Graph({n.key: n for n in NODES}, frozenset(EDGES))


def test_a_graph_leads_to_the_page_of_each_node_and_escapes_their_names() -> None:
    drawn = str(graph(WHOLE, "run:r"))
    root = ET.fromstring(drawn)
    assert [a.get("href") for a in root.iter("a")] == [
        "/console/datasets/d", "/console/projects/p/views", "/console/projects/p/views", "/console/runs/r", "/console/runs/s",
        "/console/models/m", "/console/deployments/e",
    ]  # fmt: skip
    assert len(list(root.iter("path"))) == len(EDGES)
    assert "<script" not in drawn
    assert drawn.count(" focus") == 1


def test_around_a_node_there_is_no_mere_sibling() -> None:
    assert set(around(WHOLE, "run:r").nodes) == {"dataset:d", "view:v", "run:r", "model:m", "deployment:e"}
    assert set(around(WHOLE, "dataset:d").nodes) == set(WHOLE.nodes)
    assert around(WHOLE, "deployment:e").edges == EDGES - {("dataset:d", "view:w"), ("view:w", "run:s")}
