"""Puts the console into an application."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from trustplane.console import data, pages, requests, runs, scans, threats
from trustplane.console.rendering import error_page
from trustplane.values.errors import TrustplaneError, Unauthenticated

_STYLE = files("trustplane.console").joinpath("static/console.css").read_bytes()


def mount(app: FastAPI) -> None:
    """Serve the pages under ``/console``, and lead whoever comes to ``/`` there."""

    @app.get("/", include_in_schema=False)
    def home() -> Response:
        return RedirectResponse("/console/", 303)

    @app.get("/console/console.css", include_in_schema=False)
    def style() -> Response:
        return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=300"})

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)

    for module in (pages, data, requests, runs, scans, threats):
        app.router.routes.extend(module.router.routes)
    problem = app.exception_handlers[TrustplaneError]

    @app.exception_handler(TrustplaneError)
    async def shown(request: Request, error: TrustplaneError) -> Response:
        if not request.url.path.startswith("/console/"):
            answer: Awaitable[Response] = _called(problem)(request, error)
            return await answer
        if isinstance(error, Unauthenticated):
            return RedirectResponse("/console/login", 303)
        return error_page(request, error)


def _called(handler: object) -> Callable[[Request, TrustplaneError], Awaitable[Response]]:
    return handler  # type: ignore[return-value] # what app.exception_handler was given
