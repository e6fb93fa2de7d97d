"""The admitted formats: the entry points of the group ``trustplane.formats``."""

from functools import cache

from trustplane.kernel.plugins import group, load
from trustplane.release.formats.contract import Format, Inspected
from trustplane.release.formats.foreign import foreign
from trustplane.values.errors import Refused


@cache
def installed_formats() -> tuple[Format, ...]:
    """Every installed format, by name."""
    return tuple(load(entry)() for entry in group("formats"))


def inspect(data: bytes) -> Inspected:
    """What a model file is and takes and gives; raise :class:`Refused` if no format admits it. Its name plays no part."""
    for known in installed_formats():
        if known.recognises(data):
            return known.inspect(data)
    admitted = ", ".join(known.descriptor.title for known in installed_formats())
    raise Refused(
        "TP-RELEASE-010",
        "the file is of no format that is admitted",
        why=f"it is {foreign(data)}; admitted: {admitted}",
    )
