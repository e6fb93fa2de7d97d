"""GGUF as a format: weights, as no runtime here answers with them."""

from trustplane.release.formats.contract import FormatDescriptor
from trustplane.release.formats.gguf.scanner import GgufScanner
from trustplane.release.formats.judged import Judged


class Gguf(Judged):
    """Weights of a language model."""

    descriptor = FormatDescriptor("gguf", "GGUF", weights=True)
    scanner = GgufScanner()
