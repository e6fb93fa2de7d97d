"""GGUF as a format: weights, as no runtime here answers with them."""

from trustplane.release.formats.contract import FormatDescriptor
from trustplane.release.formats.gguf.scanner import MAGIC
from trustplane.release.formats.judged import Judged


class Gguf(Judged):
    """Weights of a language model."""

    descriptor = FormatDescriptor("gguf", "GGUF", weights=True)

    def begins(self, head: bytes, size: int) -> bool:
        """By its magic."""
        return head.startswith(MAGIC)
