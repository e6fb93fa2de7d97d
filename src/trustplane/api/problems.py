"""Errors as problem documents (RFC 9457)."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from trustplane.values.errors import TrustplaneError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("trustplane.api")


def problem(error: TrustplaneError) -> Response:
    """The answer that an error becomes."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return JSONResponse(error.problem(), error.status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error as a problem; say nothing of what a stranger sent."""

    @app.exception_handler(TrustplaneError)
    async def coded(_request: Request, error: TrustplaneError) -> Response:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        places = [{"at": ".".join(str(p) for p in e["loc"]), "why": e["msg"]} for e in error.errors()[:20]]
        body = _plain(422, "TP-API-001", "the request is not valid") | {
            "why": "; ".join(f"{p['at']}: {p['why']}" for p in places[:3]),
            "fix": "see the API's description at /api/v1/openapi.json",
            "facts": {"problems": places},
        }
        return JSONResponse(body, 422, media_type=MEDIA_TYPE)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> Response:
        body = _plain(error.status_code, "TP-API-002", str(error.detail))
        return JSONResponse(body, error.status_code, error.headers, media_type=MEDIA_TYPE)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        # The place, never the words: they may quote data.
        _log.error("%s %s broke: %s", request.method, request.scope.get("route", ""), type(error).__name__)
        return JSONResponse(_plain(500, "TP-API-004", "the server broke"), 500, media_type=MEDIA_TYPE)


def _plain(status: int, code: str, detail: str) -> dict[str, object]:
    return {"type": f"urn:trustplane:error:{code}", "title": detail, "status": status, "detail": detail, "code": code}
