"""The weights of the model, read only if they are those that the manifest names.

The table holds one row of small whole numbers for each feature and one column for each tag; ``scale`` turns sums of them
into log-odds. A tag is ``O``, or ``B-`` or ``I-`` and an entity.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from trustplane.values.errors import Tampered

Floats = npt.NDArray[np.float32]


class Manifest(msgspec.Struct, frozen=True):
    """What stands beside the weights: their digest, and what they are for."""

    weights: str
    sha256: str
    tags: tuple[str, ...]
    bits: int
    seed: int


@dataclass(frozen=True, slots=True)
class Model:
    """A linear-chain model over ``tags``: weights of features, of a tag after another, and the lists of known words."""

    tags: tuple[str, ...]
    bits: int
    table: npt.NDArray[np.int8]
    scale: float
    after: Floats
    first: Floats
    lists: dict[str, npt.NDArray[np.uint32]]

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities that the tags speak of, in their order."""
        return tuple(dict.fromkeys(tag[2:] for tag in self.tags if tag != "O"))


@cache
def shipped() -> Model:
    """The model of the package."""
    return read(files("trustplane.data.recognisers.names"))


def read(folder: Any) -> Model:
    """The model in a folder with ``manifest.json``. Raise ``Tampered`` (TP-DATA-083) if the weights are not the manifest's."""
    try:
        manifest = msgspec.json.decode(folder.joinpath("manifest.json").read_bytes(), type=Manifest)
        weights = folder.joinpath(manifest.weights).read_bytes()
    except (OSError, msgspec.DecodeError) as error:
        raise Tampered("TP-DATA-083", "the model of names is not whole", why=type(error).__name__) from error
    found = hashlib.sha256(weights).hexdigest()
    if found != manifest.sha256:
        raise Tampered("TP-DATA-083", "the model of names was changed", why=f"its weights have the digest {found}")
    return parsed(weights, manifest)


def parsed(weights: bytes, manifest: Manifest) -> Model:
    """The model that a file of weights holds; nothing in it is run."""
    with np.load(io.BytesIO(weights), allow_pickle=False) as held:
        table = np.zeros((1 << manifest.bits, len(manifest.tags)), np.int8)
        table[np.cumsum(held["gaps"], dtype=np.int64)] = held["rows"]
        lists = {
            name.removeprefix("list_"): np.cumsum(held[name], dtype=np.uint32)
            for name in held.files
            if name.startswith("list_")
        }
        return Model(manifest.tags, manifest.bits, table, float(held["scale"]), held["after"], held["first"], lists)


def packed(model: Model) -> bytes:
    """The file of weights: rows that hold anything, and how far each lies from the one before; lists likewise."""
    filled = np.flatnonzero(model.table.any(axis=1))
    parts: dict[str, Any] = {
        "gaps": np.diff(filled, prepend=0).astype(np.uint16),
        "rows": model.table[filled],
        "scale": np.float32(model.scale),
        "after": model.after,
        "first": model.first,
        **{f"list_{name}": np.diff(known, prepend=np.uint32(0)) for name, known in model.lists.items()},
    }
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **parts)
    return file.getvalue()
