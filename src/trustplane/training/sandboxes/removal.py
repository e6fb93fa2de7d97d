"""Removing what a script left, as the untrusted thing it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trustplane.values.ids import new_id


def discard(folder: Path) -> None:
    """Remove a folder with all that lies in it, if it is there. Links are removed and never followed, also while a script puts them there.

    A script can nest folders deeper than a path can say, so they are moved up until none holds another.
    """
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    with _opened(str(folder)) as top:
        while inner := [name for name, is_folder in _entries(top) if is_folder]:
            for name in inner:
                _lift(name, top)
        for name, _ in _entries(top):
            os.unlink(name, dir_fd=top)
    folder.rmdir()


def _lift(name: str, top: int) -> None:
    """Remove a folder of ``top``; the folders within it come to lie in ``top`` themselves."""
    with _opened(name, top) as here:
        for entry, is_folder in _entries(here):
            if not is_folder:
                os.unlink(entry, dir_fd=here)
                continue
            with _opened(entry, here):  # it must be writable to be moved: its entry for the folder above changes
                os.rename(entry, new_id(), src_dir_fd=here, dst_dir_fd=top)
    os.rmdir(name, dir_fd=top)


@contextmanager
def _opened(name: str, above: int | None = None) -> Iterator[int]:
    """The folder itself, made readable and writable for this user."""
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    try:
        Path(f"/proc/self/fd/{handle}").chmod(0o700)
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=handle)
    finally:
        os.close(handle)
    try:
        yield folder
    finally:
        os.close(folder)


def _entries(folder: int) -> list[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
