"""A report from findings: one JSON document, and one page that stands alone. No I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from trustplane.compliance.mappings import Framework
from trustplane.kernel.controls.contract import Control
from trustplane.values.findings import Finding

SCHEMA = "trustplane-report/1"
WORDS = {
    "passed": "passes",
    "failed": "fails",
    "no-evidence": "no evidence",
    "not-applicable": "does not apply",
    "waived": "waived",
}
SIGNS = {"passed": "✓", "failed": "✗", "no-evidence": "?", "not-applicable": "–", "waived": "~"}
_WORST = ("failed", "no-evidence", "waived", "passed", "not-applicable")


def document(
    about: Mapping[str, Any],
    controls: Sequence[Control],
    findings: Sequence[Finding],
    frameworks: Sequence[Framework],
    receipts: Mapping[str, str],
) -> dict[str, Any]:
    """The report as JSON. ``receipts`` are those of the events that the findings stand on, by event."""
    by_control: dict[str, list[Finding]] = {}
    for finding in findings:
        by_control.setdefault(finding.control, []).append(finding)
    return {
        "schema": SCHEMA,
        **about,
        "counts": dict(Counter(str(f.status) for f in findings)),
        "controls": [_control(c, by_control.get(c.id, [])) for c in controls],
        "frameworks": [_framework(f, by_control) for f in frameworks],
        "receipts": dict(receipts),
    }


def render(body: Mapping[str, Any]) -> str:
    """The report as a page without scripts, which prints well and holds its receipts."""
    pages = Environment(
        loader=PackageLoader("trustplane.compliance"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["figure"] = _figure
    return pages.get_template("report.html").render(report=body, words=WORDS, signs=SIGNS)


def encode(body: Mapping[str, Any]) -> bytes:
    """The report's JSON as bytes."""
    return msgspec.json.format(msgspec.json.encode(dict(body)), indent=2)


def _control(control: Control, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "id": control.id,
        "title": control.title,
        "question": control.question,
        "stage": control.stage,
        "severity": str(control.severity),
        "gate": control.gate,
        "status": _whole(findings),
        "findings": [msgspec.to_builtins(f) for f in findings],
    }


def _framework(framework: Framework, by_control: Mapping[str, Sequence[Finding]]) -> dict[str, Any]:
    clauses = []
    for clause, title in framework.clauses.items():
        controls = framework.controls_of(clause)
        found = [finding for control in controls for finding in by_control.get(control, ())]
        clauses.append({"id": clause, "title": title, "controls": list(controls), "status": _whole(found)})
    return {"id": framework.id, "title": framework.title, "version": framework.version, "clauses": clauses}


def _whole(findings: Sequence[Finding]) -> str:
    """The worst status of several findings; without any there is no evidence."""
    held = {str(f.status) for f in findings}
    return next((status for status in _WORST if status in held), "no-evidence")


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"
