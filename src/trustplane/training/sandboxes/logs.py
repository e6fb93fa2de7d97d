"""The logs of a job: what a script prints goes to a file as it comes, up to a limit; the rest is read and dropped."""

import os
from pathlib import Path

_CHUNK = 65536


class CappedLog:
    """A pipe from a script, copied to a file that keeps the first ``limit`` bytes.

    The pipe is read on when the limit is reached, so that a talkative script is cut short in its log and not blocked.
    """

    def __init__(self, pipe: int, path: Path, limit: int) -> None:
        self.pipe = pipe
        self.truncated = False
        self._left = limit
        # Never through a link: the folder is the server's, the name is fixed.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def pump(self) -> bool:
        """Copy what is there; ``False`` when every writer has closed the pipe."""
        data = os.read(self.pipe, _CHUNK)
        kept = memoryview(data)[: self._left]
        self._left -= len(kept)
        self.truncated = self.truncated or len(kept) < len(data)
        while kept:
            kept = kept[os.write(self._file, kept) :]
        return bool(data)

    def close(self) -> None:
        """Close both ends."""
        os.close(self.pipe)
        os.close(self._file)
