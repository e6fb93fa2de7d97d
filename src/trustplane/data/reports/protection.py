"""The report of a protection: what a recipe asked for and reached, who could be found before and after, and what the table is still good for.

Every figure is one that the event of the ingestion holds; the report adds no figure of its own, and holds no value of a row.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from sqlalchemy.orm import Session

from trustplane.data.anonymity.risks import BANDS
from trustplane.data.protection import ingestion_of
from trustplane.data.reports.plots import Bars, bars, columns, figure, reach, share
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.kernel.identity.tables import Principal, Project
from trustplane.values.errors import NotFound

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

SCHEMA = "trustplane-protection-report/1"
BEFORE_AFTER = ("before", "after")
RISKS = {
    "unique": "rows that stand alone",
    "at_risk": "rows at a risk above 20 %",
    "prosecutor_highest": "highest risk (prosecutor)",
    "prosecutor_average": "average risk (prosecutor)",
    "journalist_highest": "highest risk (journalist)",
    "marketer": "share that a marketer finds",
}
ATTACKS = {
    "singling_out": "singling out: one row fits",
    "linkage": "linkage: the row is guessed",
    "linkability": "linkability: two lists match",
    "inference": "inference: the value is guessed",
}


def document(plane: "Plane", session: Session, version: DatasetVersion) -> dict[str, Any]:
    """The report as plain values; raise :class:`NotFound` (TP-DATA-142) for a version that no recipe made."""
    event, facts = ingestion_of(plane, session, version)
    dataset = session.get_one(Dataset, version.dataset_id)
    if "protected" not in facts:
        raise NotFound("TP-DATA-142", f"no recipe made version {version.number} of {dataset.name!r}")
    leaf = plane.ledger.get(event).leaf
    author = session.get(Principal, leaf.actor.rpartition("::")[2])
    source = session.get(DatasetVersion, facts["from_version"])
    return {
        "schema": SCHEMA,
        "project": session.get_one(Project, dataset.project_id).name,
        "dataset": dataset.name,
        "version": version.number,
        "rows": version.rows,
        "columns": {name: str(klass) for name, klass in version.classes.items()},
        "source": None if source is None else {"dataset": session.get_one(Dataset, source.dataset_id).name, "version": source.number},
        "made": leaf.time,
        "author": leaf.actor if author is None else author.name,
        "event": event,
        "opened_by": facts["view_opened_by"],
        "origin": plane.workspace.origin,
        "figures": facts["protected"],
    }  # fmt: skip


def render(report: Mapping[str, Any], receipt: str = "") -> str:
    """The report as one page without scripts or anything to load, which prints well; with the event's ``receipt`` where there is one."""
    return _pages().get_template("page.html").render(report=report, body=body(report), receipt=receipt)


def body(report: Mapping[str, Any]) -> Markup:
    """What the page and the console show alike."""
    found = report["figures"]
    return Markup(  # noqa: S704 - made by a template that escapes
        _pages().get_template("body.html").render(report=report, found=found, risks=_risks(found), plots=plots(found), words=RISKS, attacks=ATTACKS)
    )  # fmt: skip


def plots(found: Mapping[str, Any]) -> dict[str, Markup]:
    """The plots of a protection's figures, as far as they were measured."""
    before, after = _risks(found).values()
    rows = [Bars(words, (before[key], after[key])) for key, words in RISKS.items()]
    made = {"risk": bars("Risk of re-identification before and after", rows, BEFORE_AFTER)}
    if before.get("sizes") and after.get("sizes"):  # not in events of older versions
        groups = {band: (before["sizes"][band], after["sizes"][band]) for band in BANDS}
        made["sizes"] = columns("Rows by the size of their class before and after", groups, BEFORE_AFTER)
    if tried := found.get("attacks"):
        rows = [Bars(words, (tried[key]["before"], tried[key]["after"]), tried[key]["without"]) for key, words in ATTACKS.items() if key in tried]  # fmt: skip
        made["attacks"] = bars("Attacks that succeed before and after", rows, BEFORE_AFTER, marked="a guess without the table")  # fmt: skip
    used = found.get("utility", {})
    if used.get("distances"):
        far = sorted(used["distances"].items(), key=lambda pair: -pair[1])
        rows = [Bars(c, (d,)) for c, d in far]
        made["distances"] = bars("How far each column is from what it was", rows, most=reach(d for _, d in far))
    if score := used.get("score"):
        row = Bars("area under the ROC curve", (score["before"], score["after"]), 0.5)
        made["score"] = bars(
            f"How well a model tells {score['label']}",
            [row],
            BEFORE_AFTER,
            lambda v: f"{v:.3f}",
            marked="a guess by chance",
        )
    return {name: Markup(text) for name, text in made.items()}  # noqa: S704 - every word in a plot is escaped


def _risks(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The risks with the journalist's, which are the prosecutor's where the table is the whole population."""
    return {when: {**found[when], "journalist_highest": found[when]["prosecutor_highest"]} for when in BEFORE_AFTER}


def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("trustplane.data.reports"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(share=share, figure=_figure)
    return pages


def _figure(value: Any) -> str:
    return figure(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
