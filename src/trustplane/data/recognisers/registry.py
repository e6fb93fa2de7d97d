"""The installed recognisers, built-in or not: entry points of the group ``trustplane.recognisers``.

An entry point names a class that makes a recogniser, or a recogniser that was declared.
"""

from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise

from trustplane.data.recognisers.contract import Recogniser
from trustplane.values.errors import Conflict, Unavailable

GROUP = "trustplane.recognisers"


def installed_recognisers() -> tuple[Recogniser, ...]:
    """Every installed recogniser, in the order of their names.

    Raises ``Unavailable`` (TP-DATA-017) for one that cannot be imported and ``Conflict`` (TP-DATA-018) when two have
    one name.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    for one, other in pairwise(points):
        if one.name == other.name and one.value != other.value:
            raise Conflict(
                "TP-DATA-018", f"two recognisers have the name {one.name!r}", why=f"{one.value} and {other.value}"
            )
    return tuple(_load(point) for point in dict.fromkeys(points))


def _load(point: EntryPoint) -> Recogniser:
    try:
        named = point.load()
        made: Recogniser = named() if isinstance(named, type) else named
        if not callable(made.judge):
            raise TypeError
    except (ImportError, AttributeError, TypeError) as error:
        raise Unavailable(
            "TP-DATA-017", f"the recogniser {point.name!r} cannot be loaded from {point.value!r}"
        ) from error
    return made
