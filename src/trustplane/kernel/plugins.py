"""Entry points: how built-ins and strangers' plug-ins register, by one path."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from trustplane.values.errors import NotFound, Unavailable, nearest


@cache
def group(name: str) -> tuple[EntryPoint, ...]:
    """The entry points of ``trustplane.<name>``, by name."""
    return tuple(sorted(entry_points(group=f"trustplane.{name}"), key=lambda e: e.name))


def load(entry: EntryPoint) -> Any:
    """What an entry point names; raise :class:`Unavailable` if it cannot be imported."""
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise Unavailable(
            "TP-PLANE-003", f"the plug-in {entry.name!r} of {entry.group} cannot be loaded", why=str(error)
        ) from error


def load_named(name: str, plugin: str) -> Any:
    """The plug-in called ``plugin`` of ``trustplane.<name>``."""
    known = {e.name: e for e in group(name)}
    if plugin not in known:
        raise NotFound(
            "TP-PLANE-004", f"there is no plug-in {plugin[:80]!r} of the kind {name}", why=nearest(plugin, known)
        )
    return load(known[plugin])


@cache
def load_tables() -> None:
    """Import the tables of every room and stage, so that migrations and verification see them all."""
    for entry in group("tables"):
        load(entry)


@cache
def load_jobs() -> None:
    """Import the jobs of every stage, so that whoever executes them knows them all."""
    for entry in group("jobs"):
        load(entry)
