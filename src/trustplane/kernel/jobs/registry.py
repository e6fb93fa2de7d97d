"""The jobs that the stages offer, by name."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from trustplane.kernel.jobs.stored import Json, plain
from trustplane.kernel.plugins import load_jobs
from trustplane.values.errors import BadInput, NotFound, nearest
from trustplane.values.ids import check_name

JobFunction = Callable[..., Json]
F = TypeVar("F", bound=JobFunction)

_jobs: dict[str, JobFunction] = {}


def job(name: str) -> Callable[[F], F]:
    """Offer a function as the durable job ``name`` (``stage.what``).

    The function takes a :class:`~trustplane.kernel.jobs.context.JobContext` and then named arguments, and returns
    JSON. Arguments, results, results of steps and progress are stored **in plaintext** in the jobs database:
    digests, ids and aggregates only, never secrets, never personal data.

    After a crash the function runs again from its beginning, and steps that were done give back their recorded
    results. So outside of steps it must do the same each time: no clock, no chance, no reading of what may change.
    A step runs again when the crash fell between its end and its record.
    """
    check_name("job", name)

    def register(function: F) -> F:
        before = _jobs.get(name)
        if before is not None and _origin(before) != _origin(function):
            raise ValueError(f"the job name {name!r} is taken by {'.'.join(_origin(before))}")
        _jobs[name] = function
        return function

    return register


def find(name: str) -> JobFunction:
    """The function of the job ``name``; raises :class:`NotFound` with the nearest names."""
    load_jobs()
    try:
        return _jobs[name]
    except KeyError:
        raise NotFound("TP-JOB-001", f"there is no job {name!r}", why=nearest(name, _jobs)) from None


def checked(name: str, arguments: Mapping[str, Any]) -> dict[str, Json]:
    """``arguments`` as they are stored; raises when there is no job ``name`` or it cannot be called with them."""
    function = find(name)
    stored: dict[str, Json] = plain(dict(arguments), f"an argument of {name}")
    try:
        inspect.signature(function).bind(None, **stored)
    except TypeError as error:
        raise BadInput("TP-JOB-002", f"the job {name} cannot be called like this", why=str(error)) from None
    return stored


def _origin(function: JobFunction) -> tuple[str, str]:
    """A module may be loaded again, which gives new functions of the same origin."""
    return function.__module__, function.__qualname__
