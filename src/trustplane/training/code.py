"""The code of a run: its files, their one digest, and how they are packed."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

from trustplane.values.digests import Digest
from trustplane.values.errors import BadInput

MOST_FILES = 1_000
MOST_BYTES = 10 << 20
_DEEPEST = 10
_LONGEST = 200


def checked_files(script: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files by relative path; raise :class:`BadInput` unless all lie within a folder and the script is one of them."""
    if not files or len(files) > MOST_FILES:
        raise BadInput("TP-RUN-011", f"a run has 1 to {MOST_FILES:,} files of code")
    if sum(map(len, files.values())) > MOST_BYTES:
        raise BadInput("TP-RUN-011", f"the code is larger than {MOST_BYTES >> 20} MiB", why="data belongs in a view")
    for name in files:
        path = PurePosixPath(name)
        odd = not name.isprintable() or "\\" in name or len(name.encode()) > _LONGEST or str(path) != name
        if odd or path.is_absolute() or ".." in path.parts or not path.name or len(path.parts) > _DEEPEST:
            raise BadInput(
                "TP-RUN-011", "the path of a file of code is not usable", why="it must be relative and plain"
            )
        if any(str(folder) in files for folder in path.parents):
            raise BadInput("TP-RUN-011", "a file of code is the folder of another one")
    if script not in files:
        raise BadInput("TP-RUN-011", f"the script {script[:80]!r} is not among the files")
    return dict(sorted(files.items()))


def code_digest(files: Mapping[str, bytes]) -> Digest:
    """SHA-256 over ``path NUL sha256 LF`` of every file, sorted by path."""
    state = hashlib.sha256()
    for name in sorted(files):
        state.update(name.encode() + b"\0" + hashlib.sha256(files[name]).hexdigest().encode() + b"\n")
    return Digest("sha256:" + state.hexdigest())


def pack(files: Mapping[str, bytes]) -> bytes:
    """The files as one JSON object, path to base64."""
    return msgspec.json.encode({name: base64.b64encode(data).decode() for name, data in sorted(files.items())})


def unpack(data: bytes, folder: Path) -> None:
    """Write packed files below ``folder``."""
    for name, text in msgspec.json.decode(data, type=dict[str, str]).items():
        path = folder / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(text))
