"""Content-addressed objects: ciphertext under its own SHA-256, in a local folder or any store that obstore reaches.

An object is first written whole to ``staging/`` and only then given its address, so nothing half-written is ever found under one.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, from_url

from trustplane.values.digests import CHUNK, Digest, hex_of, sha256_file
from trustplane.values.errors import NotFound, Tampered, TrustplaneError, Unavailable
from trustplane.values.ids import new_id


class BlobStore:
    """Objects of one workspace. ``url`` is a folder's path or an ``s3://``, ``gs://``, ``az://`` or ``memory://`` URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._folder = None if "://" in url else Path(url)
        if self._folder is None:
            self._store: Any = from_url(url)
        else:
            (self._folder / "staging").mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            self._store = LocalStore(prefix=self._folder)

    def __repr__(self) -> str:
        return f"BlobStore({self.url!r})"

    @contextmanager
    def writer(self) -> Iterator["BlobWriter"]:
        """A sink that takes the object's bytes. Call ``commit`` when they are complete; without it nothing stays."""
        staged = f"staging/{new_id()}"
        with _translated():
            file: Any = (
                obstore.open_writer(self._store, staged) if self._folder is None else _private(self._folder / staged)
            )
        sink: BlobWriter = BlobWriter(file, lambda: self._keep(staged, sink))
        try:
            yield sink
        finally:
            if sink.digest is None:
                self._drop(staged, file)

    def open(self, digest: Digest) -> BinaryIO:
        """The object's bytes, seekable; raise :class:`NotFound` if it is not there."""
        path = _address(digest)
        try:
            if self._folder is not None:
                return (self._folder / path).open("rb")
            with _translated():
                return io.BufferedReader(_Remote(obstore.open_reader(self._store, path)), CHUNK)
        except (FileNotFoundError, NotFoundError):
            raise NotFound("TP-VAULT-010", f"the object {digest} is missing") from None

    def path(self, digest: Digest) -> Path | None:
        """Where the object lies on this machine, if it does."""
        return None if self._folder is None else self._folder / _address(digest)

    def verify(self, digest: Digest) -> None:
        """Read the object whole; raise :class:`Tampered` if it is not what its address says."""
        with self.open(digest) as file:
            found = sha256_file(file)
        if found != digest:
            raise Tampered("TP-VAULT-011", f"the object {digest} was changed", why=f"its bytes have the digest {found}")

    def delete(self, digest: Digest) -> None:
        """Remove the object; nothing there is fine."""
        try:
            with _translated():
                obstore.delete(self._store, _address(digest))
        except (FileNotFoundError, NotFoundError):
            return

    def sweep(self, older_than: timedelta = timedelta(days=1)) -> int:
        """Remove what crashed writers left in staging; return how many."""
        limit = datetime.now(UTC) - older_than
        with _translated():
            stale = [
                meta["path"]
                for page in obstore.list(self._store, "staging")
                for meta in page
                if meta["last_modified"] < limit
            ]
            if stale:
                obstore.delete(self._store, stale)
        return len(stale)

    def _keep(self, staged: str, sink: "BlobWriter") -> Digest:
        digest = Digest("sha256:" + sink.state.hexdigest())
        path = _address(digest)
        with _translated():
            if self._folder is None:
                sink.file.close()
                obstore.rename(self._store, staged, path)
            else:
                sink.file.flush()
                os.fsync(sink.file.fileno())
                sink.file.close()
                _move(self._folder / staged, self._folder / path)
        return digest

    def _drop(self, staged: str, file: Any) -> None:
        with _translated():
            if self._folder is None:
                try:
                    file.close()
                    obstore.delete(self._store, staged)
                except NotFoundError:
                    return
            else:
                (self._folder / staged).unlink(missing_ok=True)
                try:
                    file.close()
                except OSError:
                    return


class BlobWriter:
    """A binary sink that hashes what it writes. ``digest`` is set by ``commit``."""

    def __init__(self, file: IO[bytes], keep: Any) -> None:
        self.file = file
        self.state = hashlib.sha256()
        self.size = 0
        self.digest: Digest | None = None
        self.closed = False
        self._keep = keep

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        with _translated():
            for start in range(0, len(view), CHUNK):
                self.file.write(view[start : start + CHUNK])
        self.state.update(view)
        self.size += len(view)
        return len(view)

    def commit(self) -> Digest:
        """Give the object its address, durably, and return its digest."""
        self.digest = self._keep()
        return self.digest

    def flush(self) -> None:
        """Nothing is durable before ``commit``."""

    def close(self) -> None:
        """Libraries that were handed the sink close it; the object is kept by ``commit`` alone."""

    def tell(self) -> int:
        return self.size

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


class _Remote(io.RawIOBase):
    """An object of a remote store as a file: its errors are coded, and it can be closed."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _translated():
            data = self._reader.read(len(buffer)).to_bytes()
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())


def _address(digest: Digest) -> str:
    name = hex_of(digest)
    return f"sha256/{name[:2]}/{name[2:]}"


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    for folder in (target.parent, target.parent.parent):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn errors of the disk or the object store into coded ones, but for a missing object."""
    try:
        yield
    except (FileNotFoundError, NotFoundError, TrustplaneError):
        raise
    except (OSError, BaseError) as error:
        full = getattr(error, "errno", None) == 28 or "No space left" in str(error)
        code = "TP-VAULT-012" if full else "TP-VAULT-013"
        what = "the disk is full" if full else "the object store cannot be used"
        raise Unavailable(code, what, why=getattr(error, "strerror", None) or type(error).__name__) from None
