"""The installed runtimes: the entry points of the group ``trustplane.runtimes``."""

from trustplane.kernel.plugins import group, load
from trustplane.training.runtimes.contract import Runtime
from trustplane.values.errors import Unavailable


def runtime_for(kind: str) -> Runtime:
    """The first runtime that runs a format."""
    for entry in group("runtimes"):
        made: Runtime = load(entry)()
        if kind in made.formats:
            return made
    raise Unavailable("TP-SERVING-007", f"no runtime runs the format {kind[:40]!r}")
