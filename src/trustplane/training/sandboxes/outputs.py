"""What a script left in its output folder, read as the untrusted thing it is."""

import os
import stat
from pathlib import Path

from trustplane.values.errors import Refused

_LONGEST = 400


def output_files(folder: Path) -> tuple[Path, ...]:
    """The regular files under ``folder``, relative to it, sorted.

    Raises ``Refused`` if it holds anything else: a link could lead whoever opens it to a file that the script could not
    read, a pipe could make them wait for ever. So does a path that is too long or holds what cannot be shown: it goes into
    records, pages and terminals. Call it when the job has ended, so that nothing changes meanwhile.
    """
    found: list[Path] = []
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                path = Path(entry.path)
                if stat.S_ISDIR(mode):
                    waiting.append(path)
                elif stat.S_ISREG(mode):
                    found.append(_named(path.relative_to(folder)))
                else:
                    raise Refused(
                        "TP-RUN-006",
                        f"the script left {stat.filemode(mode)[0]!r} in its output, not a file or a folder",
                    )
    return tuple(sorted(found))


def _named(path: Path) -> Path:
    if len(str(path)) > _LONGEST or not str(path).isprintable():
        raise Refused(
            "TP-RUN-017",
            "the name of an output is not usable",
            why=f"with its folders it has at most {_LONGEST} characters, all of them printable",
        )
    return path
