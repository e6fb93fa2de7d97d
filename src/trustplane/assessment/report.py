"""An assessment as a document: JSON for machines, and one page that stands alone and prints well. No I/O."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from trustplane.assessment.changed import changes_of
from trustplane.assessment.checks.contract import Check, laxer
from trustplane.assessment.evidence import read_evidence
from trustplane.assessment.picturing import plots
from trustplane.assessment.tables import Assessment
from trustplane.assessment.threats import told
from trustplane.values.clock import rfc3339

SHOWN_ROWS = 10
SCHEMA = "trustplane-assessment/1"
WORDS = {"passed": "passes", "failed": "fails", "no-evidence": "cannot tell", "not-applicable": "does not apply"}
SIGNS = {"passed": "✓", "failed": "✗", "no-evidence": "?", "not-applicable": "–"}


def assessment_facts(row: Assessment) -> dict[str, Any]:
    """An assessment as lists, routes and pages show it."""
    return {
        "id": row.id,
        "job": row.job_id,
        "state": row.state,
        "seed": row.seed,
        "threat": told(row.suite),
        "results": row.results,
        "ended": row.ended,
        "created": rfc3339(row.created),
        "finished": None if row.finished is None else rfc3339(row.finished),
    }


def document(label: str, facts: Mapping[str, Any], row: Assessment, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The report as JSON: what was measured, by which rules, on what, and what came of it.

    ``label`` names the version, ``facts`` are those that every route answers.
    """
    rules = row.suite.get("parameters", {})
    return {
        "schema": SCHEMA,
        "subject": label,
        **{key: value for key, value in facts.items() if key not in {"results", "job"}},
        "model": row.model_digest,
        "holdout": row.holdout_digest,
        "suite": {
            key: row.suite[key] for key in ("label", "protected", "favourable", "threshold", "time") if key in row.suite
        },
        "events": [e for e in (row.suite.get("asked", {}).get("cause"), row.suite.get("event")) if e],
        "checks": [_check(name, result, rules.get(name, {}), checks.get(name)) for name, result in row.results.items()],
    }


def with_rows(body: Mapping[str, Any], opened: Mapping[str, bytes], most: int = SHOWN_ROWS) -> dict[str, Any]:
    """The report with the first rows of evidence that was opened, by its name; each check shows its own."""
    shown = {name: changes_of(read_evidence(parquet), most) for name, parquet in opened.items()}
    checks = [
        {**check, "rows": {n.partition(".")[2]: r for n, r in shown.items() if n.startswith(f"{check['name']}.")}}
        for check in body["checks"]
    ]
    return {**body, "checks": checks}


def render(body: Mapping[str, Any], link: str = "") -> str:
    """The report as a page without scripts. ``link`` leads to the same page with the rows of evidence, where the reader may open them."""
    pages = Environment(
        loader=PackageLoader("trustplane.assessment"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(figure=_figure, plots=plots, value=_value)
    return pages.get_template("report.html").render(report=body, words=WORDS, signs=SIGNS, link=link)


def _check(name: str, result: Mapping[str, Any], used: Mapping[str, float], check: Check | None) -> dict[str, Any]:
    """A check with its rules; a plug-in that is no longer installed is shown by what it left."""
    descriptor = None if check is None else check.descriptor
    sources = {} if descriptor is None else {p.name: p for p in descriptor.parameters}
    eased = () if descriptor is None else laxer(descriptor, used)
    return {
        "name": name,
        "question": "" if descriptor is None else descriptor.question,
        **result,
        "parameters": [
            {
                "name": parameter,
                "value": value,
                "default": sources[parameter].default if parameter in sources else None,
                "source": sources[parameter].source if parameter in sources else "",
                "laxer": parameter in eased,
            }
            for parameter, value in used.items()
        ],
    }


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def _value(value: Any) -> str:
    """A value of a row by all its digits, since the row is what is shown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,}"
