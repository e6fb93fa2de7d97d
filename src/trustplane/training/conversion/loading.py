"""Loads the source. Called in the sandbox alone, after a scan found nothing against the file: loading a pickle runs it."""

from pathlib import Path
from typing import Any

from trustplane.training.conversion.failing import Unconverted

_ZIP, _LEGACY = b"PK\x03\x04", bytes([0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])
FAMILIES = ("sklearn", "xgboost", "lightgbm", "catboost")


def load(path: Path) -> tuple[str, Any]:
    """The family of a model, and the model: ``tensors`` for what PyTorch wrote, else the library whose class it is."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(_ZIP) or _LEGACY in head:
        import torch

        return "tensors", torch.load(path, map_location="cpu", weights_only=True)
    import joblib

    model = joblib.load(path)  # reads plain and compressed pickles alike
    for kind in type(model).__mro__:
        family = kind.__module__.partition(".")[0]
        if family in FAMILIES:
            return family, model
    raise Unconverted(f"it is no model of {', '.join(FAMILIES)} or PyTorch: it is a {type(model).__name__[:80]}")
