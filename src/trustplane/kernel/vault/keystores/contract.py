"""What a key store must do: wrap and unwrap under a root that it keeps, and change that root without a gap."""

from dataclasses import dataclass
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class KeyStoreDescriptor:
    """What a key store is. ``external`` means that the root is not on this machine."""

    name: str
    hardware: bool
    external: bool


class KeyStore(Protocol):
    """Keeps the root key.

    A rotation has two steps, so that a crash between them loses nothing: ``begin_rotation`` adds a root, under which new wraps are made
    while the old one still unwraps; ``finish_rotation`` destroys every root but the current one.
    """

    descriptor: KeyStoreDescriptor

    @classmethod
    def create(cls, location: str) -> Self:
        """Make a store with a fresh root; raise ``Conflict`` if there is one already."""
        ...

    @classmethod
    def open(cls, location: str) -> Self:
        """Open the store at ``location``, in the store's own words: a path, a URL; raise ``Unavailable`` if it cannot be."""
        ...

    def current(self) -> str:
        """The id of the root under which new wraps are made."""
        ...

    def roots(self) -> tuple[str, ...]:
        """The ids of every root that still unwraps."""
        ...

    def wrap(self, material: bytes, context: bytes) -> bytes:
        """``material`` under the current root."""
        ...

    def unwrap(self, root_id: str, wrapped: bytes, context: bytes) -> bytes:
        """What :meth:`wrap` sealed under ``root_id``."""
        ...

    def begin_rotation(self) -> str:
        """Make a new root current, durably, and return its id."""
        ...

    def finish_rotation(self) -> None:
        """Destroy every root but the current one, durably."""
        ...
