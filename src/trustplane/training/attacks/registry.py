"""The installed attacks, built-in or not: entry points of the group ``trustplane.attacks``."""

from functools import cache

from trustplane.kernel.plugins import group, load
from trustplane.training.attacks.contract import Attack
from trustplane.values.errors import Unavailable

BUILT_IN = ("coordinate", "gradient", "nearing", "recombination", "transfer")
"""Those that the engine's plan holds already."""


@cache
def installed_attacks() -> dict[str, Attack]:
    """One instance of every installed attack by its name; raise :class:`Unavailable` (TP-RUN-044) where one calls itself otherwise."""
    found: dict[str, Attack] = {}
    for entry in group("attacks"):
        attack: Attack = load(entry)()
        if attack.descriptor.name != entry.name or entry.name in found:
            raise Unavailable(
                "TP-RUN-044", f"the attack {entry.name!r} calls itself {attack.descriptor.name!r}", why=entry.value
            )
        found[entry.name] = attack
    return found


def further_attacks() -> tuple[Attack, ...]:
    """The installed attacks that are not in the plan: they run last, on what still stands."""
    return tuple(a for n, a in sorted(installed_attacks().items()) if n not in BUILT_IN)
