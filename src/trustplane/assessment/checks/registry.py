"""The installed checks, built-in or not: entry points of the group ``trustplane.checks``."""

from functools import cache

from trustplane.assessment.checks.contract import Check
from trustplane.kernel.plugins import group, load
from trustplane.values.errors import Conflict


@cache
def installed_checks() -> dict[str, Check]:
    """One instance of every installed check by its name; raise :class:`Conflict` (TP-ASSESS-002) where two have one name."""
    found: dict[str, Check] = {}
    for entry in group("checks"):
        check: Check = load(entry)()
        name = check.descriptor.name
        if name in found or name != entry.name:
            raise Conflict("TP-ASSESS-002", f"the check {entry.name!r} calls itself {name!r}", why=entry.value)
        found[name] = check
    return found
