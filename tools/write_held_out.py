"""Write the files that the scanner is tried on without its lists having been made from them.

    python tools/write_held_out.py FOLDER                                    # in an environment of each release
    python tools/write_held_out.py FOLDER --pack tests/corpora/held_out.tar.xz

Every kind of estimator and container that the library installed here makes, fitted, as the library writes it: pickles of two protocols, and
PyTorch's two forms. The releases must be others than those that ``release/scanning/pickles/globals`` names; the test asserts it.
"""

import argparse
import io
import json
import os
import pickle
import tarfile
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import learn_globals

EACH = 2
"""So many of a kind, each in another protocol."""


def written(library: str) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of what a library writes."""
    seen: Counter[str] = Counter()
    for number, thing in enumerate(learn_globals.LIBRARIES[library][1]()):
        if library == "torch":
            yield from _saved(thing, number)
            continue
        kind = type(thing).__name__
        seen[kind] += 1
        if seen[kind] <= EACH:
            try:
                yield f"{kind}-{seen[kind]}.pkl", pickle.dumps(thing, (2, 4)[seen[kind] - 1])
            except Exception:  # noqa: BLE001, S112 - whatever a library cannot write is passed over
                continue


def _saved(thing: object, number: int) -> Iterator[tuple[str, bytes]]:
    import torch

    for modern in (True, False):
        file = io.BytesIO()
        torch.save(thing, file, _use_new_zipfile_serialization=modern)
        yield f"{number}-{'zip' if modern else 'legacy'}.pt", file.getvalue()


def fill(folder: Path) -> None:
    """Write what is installed here, but for Python itself."""
    for library, (package, _) in learn_globals.LIBRARIES.items():
        try:
            release = version(package) if package else None
        except PackageNotFoundError:
            continue
        if release is None or (folder / library).exists():
            continue
        (folder / library).mkdir(parents=True)
        for name, data in written(library):
            (folder / library / name).write_bytes(data)
        (folder / library / "release.json").write_text(json.dumps(release), "utf-8")


def pack(folder: Path, archive: Path) -> None:
    """All of it in one archive, the same for the same files."""
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                info = tarfile.TarInfo(str(path.relative_to(folder)))
                info.size = path.stat().st_size
                tar.addfile(info, io.BytesIO(path.read_bytes()))


def main() -> None:
    """Write, or pack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    pack(given.folder, given.pack) if given.pack else fill(given.folder)


if __name__ == "__main__":
    main()
