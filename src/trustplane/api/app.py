"""The application: every route, over one opened plane."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request, Response

from trustplane import __version__
from trustplane.api import (
    assessment,
    compliance,
    contracts,
    conversions,
    data,
    identity,
    jobs,
    keys,
    ledger,
    policy,
    private,
    problems,
    release,
    requests,
    rollout,
    scans,
    threats,
    training,
    view_requests,
    workspace,
)
from trustplane.api.access import PREFIX, PROBLEMS
from trustplane.assessment.service import resume_assessments
from trustplane.data.subjects.erasure import resume_erasures
from trustplane.kernel.founding import found, upgrade
from trustplane.kernel.plane import Plane
from trustplane.kernel.plugins import group, load
from trustplane.monitoring.service import resume_monitors
from trustplane.training.runs import resume_runs

_RESOURCES = (
    workspace,
    identity,
    data,
    contracts,
    view_requests,
    requests,
    private,
    training,
    scans,
    conversions,
    threats,
    release,
    assessment,
    rollout,
    compliance,
    ledger,
    policy,
    keys,
    jobs,
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(folder: Path, *, executes: bool = False) -> FastAPI:
    """The application of the workspace in ``folder``. It opens the plane when it starts and closes it when it ends.

    One that ``executes`` is there for long: it does jobs whoever asked for them, and what the calendar asks for.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        plane = await anyio.to_thread.run_sync(Plane.open, folder)
        try:
            app.state.plane = plane
            await anyio.to_thread.run_sync(resume_runs, plane)
            await anyio.to_thread.run_sync(resume_assessments, plane)
            await anyio.to_thread.run_sync(resume_monitors, plane)
            await anyio.to_thread.run_sync(resume_erasures, plane)
            if executes:
                await anyio.to_thread.run_sync(plane.jobs.run_due)
                await anyio.to_thread.run_sync(plane.jobs.launch)
            yield
        finally:
            await anyio.to_thread.run_sync(plane.close)

    app = FastAPI(
        title="Trustplane",
        version=__version__,
        summary="Security and compliance for machine-learning development",
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
    )
    problems.install(app)
    # As they are: to include a router is to work out each of its routes once more, which every command would wait for.
    for router in (*(module.router for module in _RESOURCES), ledger.log):
        app.router.routes.extend(router.routes)
    for entry in group("mounts"):
        load(entry)(app)
    app.middleware("http")(_guarded)
    return app


async def _guarded(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
    answer = await follow(request)
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


def found_workspace(folder: Path, owner: str, password: str | None = None) -> dict[str, Any]:
    """Make a workspace with a first owner; the answer's token is shown nowhere else."""
    made = found(folder, owner, password=password)
    return {
        "workspace": str(made.workspace.folder),
        "origin": made.workspace.origin,
        "owner_id": made.owner_id,
        "token": made.token,
    }


def upgrade_workspace(folder: Path) -> dict[str, Any]:
    """Bring a workspace of an earlier version forward."""
    before, after = upgrade(folder)
    return {"workspace": str(folder), "before": before, "after": after}


def serve(folder: Path, host: str, port: int) -> None:
    """Serve a workspace until the process is told to end."""
    import uvicorn

    uvicorn.run(
        create_app(folder, executes=True),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        access_log=False,
    )
