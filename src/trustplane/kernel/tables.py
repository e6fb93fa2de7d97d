"""What a stage's ``tables.py`` stands on: the base, governed rows and the column types. Nothing else of the store is for stages."""

from trustplane.kernel.store.base import Base, Governed, Instant

__all__ = ["Base", "Governed", "Instant"]
