"""What stands in for everything that a pickle names: it can be called, filled and set, and nothing comes of it.

The unpickler calls what it is given (REDUCE, NEWOBJ, OBJ, INST), fills it (APPENDS, SETITEMS, ADDITEMS) and sets its state (BUILD).
On a stand-in each of these gives another one or does nothing, so that a run ends as the real one would and has no effect. What a real run could do to
a class or function itself, rather than to an object made by it, is told to whoever watches.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Self

Tell = Callable[[str], None]


class _OfObjects:
    """A method that objects have; asked for on the stand-in of a global itself, it tells."""

    def __init__(self, deed: str) -> None:
        self._deed = deed

    def __get__(self, instance: object, owner: type["Inert"]) -> Callable[..., None]:
        if instance is None:
            owner.tell(f"{self._deed} {owner.stands_for} itself, not an object made by it")
        return _nothing


def _nothing(*_arguments: object) -> None:
    return None


class Inert:
    """Stands for an object. There is one of them, whatever it stands for: an object costs no memory."""

    __slots__ = ()
    stands_for: ClassVar[str] = "an object"
    tell: ClassVar[Tell] = staticmethod(_nothing)
    __setstate__: Any = _OfObjects("changes")
    append: Any = _OfObjects("adds to")
    extend: Any = _OfObjects("adds to")
    add: Any = _OfObjects("adds to")

    def __new__(cls, *_arguments: object, **_named: object) -> "Inert":  # noqa: PYI034 - it is one object, of whatever class
        """The one object."""
        return OBJECT

    def __call__(self, *_arguments: object, **_named: object) -> "Inert":
        """What is called gives an object."""
        return self

    def __setitem__(self, _key: object, _value: object) -> None:
        """Nothing is kept."""


OBJECT: Inert = object.__new__(Inert)


class Sized:
    """Stands for ``numpy.dtype``: it keeps what it was made from, because joblib finds the end of an array by it."""

    __slots__ = ("made_from", "state")

    def __init__(self, *made_from: object) -> None:
        self.made_from = made_from
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        """Keep the state; it is looked at only where a size is needed."""
        self.state = state

    def __call__(self, *_arguments: object) -> Inert:
        """No type of numbers is called."""
        return OBJECT


class Wrapped:
    """Stands for joblib's ``NumpyArrayWrapper``, whose bytes follow in the file."""

    __slots__ = ("state",)

    def __new__(cls, *_arguments: object) -> Self:
        """Without a state, whatever it is made from: joblib writes none there."""
        made = object.__new__(cls)
        made.state = None
        return made

    def __setstate__(self, state: object) -> None:
        """Keep the state."""
        self.state = state


def checked(name: str, holds: Callable[[tuple[object, ...]], bool], tell: Tell) -> Callable[..., Inert]:
    """A stand-in for a function whose arguments decide whether calling it is harmless."""

    def called(*arguments: object) -> Inert:
        if not holds(arguments):
            tell(f"calls {name} with arguments that are not plain data")
        return OBJECT

    return called


def stand_in(module: str, name: str, tell: Tell) -> type[Inert]:
    """A class of its own for a global, so that what is done to the global itself is seen."""
    return type("Global", (Inert,), {"__slots__": (), "stands_for": f"{module}.{name}", "tell": staticmethod(tell)})
