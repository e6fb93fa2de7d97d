"""The transforms that are installed, by the word that recipes use."""

from collections.abc import Mapping
from typing import Any

from trustplane.data.transforms.contract import Transform
from trustplane.kernel.plugins import group, load
from trustplane.values.errors import BadInput, nearest


def transform_names() -> tuple[str, ...]:
    """The words that recipes may use."""
    return tuple(sorted(entry.name for entry in group("transforms")))


def make_transform(do: str, options: Mapping[str, Any]) -> Transform:
    """A transform with its options; raise :class:`BadInput` (TP-DATA-130) for a word or an option that is not known."""
    for entry in group("transforms"):
        if entry.name == do:
            made: type[Transform] = load(entry)
            try:
                return made(**options)
            except TypeError:
                raise BadInput("TP-DATA-130", f"the step {do!r} does not take these options: {', '.join(sorted(options)) or 'none'}") from None  # fmt: skip
    raise BadInput("TP-DATA-130", f"there is no step {do[:40]!r}", why=nearest(do, transform_names()))
