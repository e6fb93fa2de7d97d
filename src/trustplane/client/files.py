"""Files that answers are written to: whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from trustplane.values.errors import BadInput

PRIVATE = 0o600
ORDINARY = 0o666
"""As open as the umask of whoever asks lets it be."""


@contextmanager
def whole(target: Path, mode: int = ORDINARY) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``target`` at the end; if something goes wrong before, ``target`` stays as it was.

    What is no ordinary file, such as a pipe, is written as it is.
    """
    if target.exists() and not target.is_file():
        with _opened(target, target, os.O_WRONLY, mode) as out:
            yield out
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _opened(target, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode) as out:
            yield out
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _opened(target: Path, path: Path, flags: int, mode: int) -> BinaryIO:
    try:
        return os.fdopen(os.open(path, flags, mode), "wb")
    except OSError as error:
        raise BadInput("TP-CLIENT-010", f"{target} cannot be written", why=error.strerror or "") from None
