"""Lineage as a graph: dataset versions, the views of them, the runs on these, the model versions of these, and where they are served.

Built from the rows of a project's record, as :mod:`trustplane.compliance.lineage` tells them; no value of a row is in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.tables import Dataset, DatasetVersion, View
from trustplane.release.tables import Model, ModelVersion
from trustplane.serving.tables import Deployment
from trustplane.training.tables import Run, RunDetail

KINDS = ("dataset", "view", "run", "model", "deployment")
"""The kinds of nodes, in the order of the lifecycle: an edge leads from one to a later one."""


@dataclass(frozen=True, slots=True)
class Node:
    """One thing: its kind, its id, what it is called, how it stands. ``page`` is the id of the thing whose page shows it."""

    kind: str
    id: str
    label: str
    state: str
    page: str

    @property
    def key(self) -> str:
        """Names the node among all kinds."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by key, and edges between keys."""

    nodes: dict[str, Node]
    edges: frozenset[tuple[str, str]]


def project_graph(session: Session, project_id: str) -> Graph:
    """The whole graph of a project."""
    nodes: list[Node] = []
    edges: set[tuple[str, str]] = set()
    versions = _versions(session, project_id, nodes)
    views = session.scalars(select(View).where(View.project_id == project_id)).all()
    for view in views:
        nodes.append(Node("view", view.id, view.name, "revoked" if view.revoked_at else "open", view.project_id))
        edges.add((f"dataset:{view.version_id}", f"view:{view.id}"))
    by_name = {view.name: view.id for view in views}
    repeats = set(session.scalars(select(RunDetail.run_id).where(RunDetail.repeats != "")))
    for run in session.scalars(select(Run).where(Run.project_id == project_id)):
        again = ", again" if run.id in repeats else ""
        nodes.append(Node("run", run.id, f"{run.script}{again}", run.state, run.id))
        for name, given in run.inputs.items():
            if name in by_name:
                edges.add((f"view:{by_name[name]}", f"run:{run.id}"))
            elif given.get("version") in versions:
                edges.add((f"dataset:{given['version']}", f"run:{run.id}"))
    models = {row.id: row.name for row in session.scalars(select(Model).where(Model.project_id == project_id))}
    for made in session.scalars(select(ModelVersion).where(ModelVersion.project_id == project_id)):
        nodes.append(Node("model", made.id, f"{models[made.model_id]} {made.number}", made.status, made.id))
        edges.add((f"run:{made.run_id}", f"model:{made.id}"))
    for served in session.scalars(select(Deployment).where(Deployment.project_id == project_id)):
        nodes.append(Node("deployment", served.id, served.name, served.status, served.id))
        edges.add((f"model:{served.model_version_id}", f"deployment:{served.id}"))
    known = {node.key: node for node in nodes}
    return Graph(known, frozenset((a, b) for a, b in edges if a in known and b in known))


def _versions(session: Session, project_id: str, nodes: list[Node]) -> set[str]:
    names = {row.id: row.name for row in session.scalars(select(Dataset).where(Dataset.project_id == project_id))}
    rows = session.scalars(select(DatasetVersion).where(DatasetVersion.dataset_id.in_(names))).all()
    for row in rows:
        state = f"{row.rows:,} rows"
        nodes.append(Node("dataset", row.id, f"{names[row.dataset_id]} {row.number}", state, row.dataset_id))
    return {row.id for row in rows}


def around(graph: Graph, focus: str) -> Graph:
    """What a node was made of, and what was made of it: nothing that is merely a sibling."""
    back = _reached(focus, ((b, a) for a, b in graph.edges))
    forth = _reached(focus, graph.edges)
    kept = back | forth
    nodes = {key: node for key, node in graph.nodes.items() if key in kept}
    return Graph(
        nodes, frozenset((a, b) for a, b in graph.edges if (a in back and b in back) or (a in forth and b in forth))
    )


def _reached(start: str, edges: Iterable[tuple[str, str]]) -> set[str]:
    following: dict[str, list[str]] = {}
    for a, b in edges:
        following.setdefault(a, []).append(b)
    found, waiting = {start}, [start]
    while waiting:
        for key in following.get(waiting.pop(), ()):
            if key not in found:
                found.add(key)
                waiting.append(key)
    return found
