"""Trustplane: security and compliance for machine-learning development.

``connect``, ``Client`` and ``scan`` are loaded when they are first asked for (PEP 562), so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trustplane.client.connection import Client, connect
    from trustplane.client.embedded import scan

__version__ = "0.1.0"
__all__ = ["Client", "__version__", "connect", "scan"]


def __getattr__(name: str) -> Any:
    if name in {"Client", "connect"}:
        from trustplane.client import connection

        return getattr(connection, name)
    if name == "scan":
        from trustplane.client.embedded import scan

        return scan
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
