"""Who executes: one process per workspace at a time."""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool


class Lease(Protocol):
    """The right to execute. It ends by itself when the process does, however that ends."""

    def acquire(self) -> bool:
        """Take it if nobody has it; whether it was taken."""
        ...

    def held(self) -> bool:
        """Whether it is still ours."""
        ...

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        ...


class FileLease:
    """A lock on a file.

    It is a POSIX record lock and not ``flock``: processes that a step forks would share an ``flock``, and keep it
    after ours was killed. A record lock falls when its process closes any descriptor of the file, so a process
    opens the file once at a time (see :mod:`~trustplane.kernel.jobs.executor`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX allows EAGAIN and EACCES for a lock that another holds
            os.close(file)
            return False
        self._file = file
        return True

    def held(self) -> bool:
        return self._file is not None

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class AdvisoryLease:
    """A session-level advisory lock of PostgreSQL: the server drops it when our connection ends."""

    def __init__(self, url: URL, schema: str) -> None:
        # Not from a pool: the lock ends with its session. Autocommit, so that it does not idle in a transaction.
        self._engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 10}
        )
        self._key = int.from_bytes(
            hashlib.sha256(f"trustplane.jobs.{schema}".encode()).digest()[:8], "big", signed=True
        )
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        connection = self._engine.connect()
        try:
            taken = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar())
        except DBAPIError:
            connection.close()
            raise
        if not taken:
            connection.close()
            return False
        self._connection = connection
        return True

    def held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self.release()
            return False
        return True

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
