"""From facts to a page. Everything is escaped; no page holds a script."""

from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from trustplane import __version__
from trustplane.assessment.picturing import plots
from trustplane.console.session import Viewer
from trustplane.values.errors import TrustplaneError

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATUS_WORDS = {
    "passed": "passes",
    "failed": "fails",
    "no-evidence": "no evidence",
    "not-applicable": "does not apply",
    "waived": "waived",
}
STATUS_SIGNS = {"passed": "✓", "failed": "✗", "no-evidence": "?", "not-applicable": "–", "waived": "~"}


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M:%S UTC")


def _short(value: str) -> str:
    """The tail of an id or digest: the head of an id is its time and the same for neighbours."""
    return value[-12:] if len(value) > 16 else value


def _size(value: int) -> str:
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def _duration(seconds: float) -> str:
    """Seconds in the unit that people would use."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


_pages = Environment(
    loader=PackageLoader("trustplane.console"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters.update(plots=plots, moment=_moment, short=_short, size=_size, figure=_figure, duration=_duration)


def page(viewer: Viewer, template: str, **facts: Any) -> HTMLResponse:
    """A page for somebody who is logged in."""
    shared = {"actor": viewer.actor, "origin": viewer.plane.workspace.origin, "path": viewer.request.url.path}
    return _answer(template, 200, **shared, **facts)


def open_page(template: str, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page for anybody."""
    return _answer(template, status, actor=None, origin="", path="", **facts)


def error_page(request: Request, error: TrustplaneError) -> HTMLResponse:
    """What went wrong, which rule says so, and what to do."""
    return open_page("error.html", error.status, error=error, back=request.headers.get("referer") is not None)


def _answer(template: str, status: int, **facts: Any) -> HTMLResponse:
    body = _pages.get_template(template).render(
        product_version=__version__, words=STATUS_WORDS, signs=STATUS_SIGNS, **facts
    )
    return HTMLResponse(body, status, {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})
