"""A ledger in memory for the tests of its pure core, and the published vectors."""

import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from trustplane.kernel.ledger import tiles
from trustplane.kernel.ledger.notes import Checkpoint, Signer, sign
from trustplane.kernel.ledger.verification import Logged

VECTORS = Path(__file__).parents[3] / "vectors"
TOOL = Path(__file__).parents[4] / "tools" / "verify_log.py"
ORIGIN = "vectors.example/ledger"


class MemoryTiles:
    """A :class:`~trustplane.kernel.ledger.tiles.TileStore` that keeps its files in a dictionary."""

    def __init__(self, files=()):
        self.files = dict(files)

    def read(self, path):
        return self.files.get(path)

    def write(self, path, data):
        self.files[path] = data

    def delete(self, folder):
        for path in [p for p in self.files if p.startswith(f"{folder}/")]:
            del self.files[path]


@dataclass
class Log:
    """A signed log: its events, its tiles, and the checkpoint of any size."""

    events: list[Logged] = field(repr=False)
    tiles: MemoryTiles = field(repr=False)
    signer: Signer

    def checkpoint(self, size):
        return Checkpoint(ORIGIN, size, tiles.root(self.tiles, size))

    def note(self, size):
        return sign(self.checkpoint(size), self.signer)


@pytest.fixture(scope="session")
def tile_store():
    """The type of the tile store in memory."""
    return MemoryTiles


@pytest.fixture(scope="session")
def signer():
    return Signer.from_seed(ORIGIN, bytes(range(32)))


@pytest.fixture(scope="session")
def vector_maker():
    """The generator of the vectors, which shares no code with the product."""
    return loaded(VECTORS / "make_ledger_vectors.py")


@pytest.fixture(scope="session")
def verify_log():
    """The auditor's tool, ``tools/verify_log.py``, as a module."""
    return loaded(TOOL)


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def vectors():
    """The published vectors by file name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in (VECTORS / "ledger").glob("*.json")}


@pytest.fixture(scope="session")
def build_log(vector_maker, signer):
    """Make a log of the first ``size`` events of the vectors."""

    def build(size):
        made = map(vector_maker.event, range(size))
        events = [Logged(e["leaf"].encode(), e["payload"].encode(), bytes.fromhex(e["salt"])) for e in made]
        store = MemoryTiles()
        tiles.append(store, 0, [e.entry for e in events])
        return Log(events, store, signer)

    return build
