"""Every registered control, by entry point ``trustplane.controls``: each names a sequence of controls."""

from functools import cache

from trustplane.kernel.controls.contract import Control
from trustplane.kernel.plugins import group, load


@cache
def registered() -> tuple[Control, ...]:
    """The controls of every stage and plug-in, by id; an id that is taken twice is a programming error."""
    found: dict[str, Control] = {}
    for entry in group("controls"):
        for control in load(entry):
            if control.id in found:
                raise RuntimeError(f"the control {control.id} is registered twice")
            found[control.id] = control
    return tuple(found[key] for key in sorted(found))
