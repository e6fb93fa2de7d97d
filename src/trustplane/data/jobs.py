"""The jobs of the data stage, by being imported."""

from trustplane.data import retention
from trustplane.data.subjects import erasure

__all__ = ["erasure", "retention"]
