"""What a transform is.

Entry points of the group ``trustplane.transforms`` name a class; the entry point's name is the word in recipes (``do = "mask"``). It is made
with the options of the step and does no I/O; ``tests/conformance/test_transforms.py`` states what all must keep to.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from trustplane.kernel.vault.keys import SecretKey

Keys = Mapping[str, SecretKey]
"""The keys of a project that a transform may need, by purpose: ``pseudonym``, ``token``."""


class Transform(Protocol):
    """One thing that can be done to a column.

    ``hides`` says that no value of a column of identifiers can be read from the result; only such transforms may touch one. ``follows`` says
    that equal values become equal ones under the same keys, so that a person can be found in the result by whoever has the keys.
    ``needs`` are the purposes of the keys that it needs.
    """

    hides: ClassVar[bool]
    follows: ClassVar[bool]
    needs: ClassVar[frozenset[str]]

    def __init__(self, **options: Any) -> None:
        """Take the options of a step; raise :class:`BadInput` (TP-DATA-130) for one that is wrong. Python's own errors for unknown ones do."""
        ...

    def apply(self, values: Any, keys: Keys) -> Any:
        """The Arrow array that ``values`` become, of the same length, nulls where they were; raise :class:`BadInput` (TP-DATA-131)
        for values that do not fit, which the error must not hold."""
        ...


@runtime_checkable
class Reversible(Protocol):
    """A transform whose result can be turned back by whoever has the keys."""

    def reveal(self, made: str, keys: Keys) -> str:
        """What ``made`` was; raise :class:`BadInput` (TP-DATA-134) where it is none of its own."""
        ...
