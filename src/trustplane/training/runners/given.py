"""What a run was given, read from its environment; and the seeds of what is usually left to chance."""

import json
import os
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """Views by name as the path of their Parquet file, the folder for outputs, the seed, the parameters."""

    views: dict[str, Path]
    output: Path
    seed: int
    parameters: dict[str, Any] = field(default_factory=dict)


def given() -> Given:
    """What this run was given."""
    folder = Path(os.environ["TRUSTPLANE_INPUT"])
    return Given(
        {path.stem: path for path in sorted(folder.glob("*.parquet"))},
        Path(os.environ["TRUSTPLANE_OUTPUT"]),
        int(os.environ["TRUSTPLANE_SEED"]),
        json.loads(os.environ["TRUSTPLANE_PARAMETERS"]),
    )


def seed_all(seed: int) -> None:
    """Seed the standard library, and NumPy and PyTorch where they are already there; a later import is the code's own matter."""
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
