"""The root key in a file that only its owner can read. The default; keep a copy of the file where no backup of the data goes."""

import json
import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any

from trustplane.kernel.vault.keys import KEY_SIZE, SecretKey, fresh, unwrap, wrap
from trustplane.kernel.vault.keystores.contract import KeyStoreDescriptor
from trustplane.values.errors import Conflict, Unavailable
from trustplane.values.ids import new_id


class KeyFile:
    """A key store in one file, mode 0600: ``{"version": 1, "current": id, "keys": {id: base64}}``."""

    descriptor = KeyStoreDescriptor("key-file", hardware=False, external=False)

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._read()

    def __repr__(self) -> str:
        return f"KeyFile({str(self.path)!r})"

    @classmethod
    def create(cls, location: Path | str) -> "KeyFile":
        """Make a key file with a fresh root; raise :class:`Conflict` if there is a file already."""
        path = Path(location)
        root = fresh(new_id())
        with _written(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _written(path), _beside(path, _encode(root.id, {root.id: root})) as whole:
            try:
                path.hardlink_to(whole)  # unlike a rename this never replaces a file
            except FileExistsError:
                raise Conflict("TP-VAULT-002", f"there is a key file at {path} already") from None
        return cls(path)

    @classmethod
    def open(cls, location: Path | str) -> "KeyFile":
        """The key file at a path."""
        return cls(location)

    def current(self) -> str:
        return self._read()[0]

    def roots(self) -> tuple[str, ...]:
        return tuple(self._read()[1])

    def wrap(self, material: bytes, context: bytes) -> bytes:
        current, keys = self._read()
        return wrap(keys[current], material, context)

    def unwrap(self, root_id: str, wrapped: bytes, context: bytes) -> bytes:
        keys = self._read()[1]
        if root_id not in keys:
            raise Unavailable(
                "TP-VAULT-003",
                f"the key file holds no root {root_id}",
                why="it is of another workspace, or older or newer than the database",
            )
        return unwrap(keys[root_id], wrapped, context)

    def begin_rotation(self) -> str:
        _, keys = self._read()
        root = fresh(new_id())
        self._replace(root.id, keys | {root.id: root})
        return root.id

    def finish_rotation(self) -> None:
        current, keys = self._read()
        if len(keys) > 1:
            self._replace(current, {current: keys[current]})

    def _read(self) -> tuple[str, dict[str, SecretKey]]:
        # Read anew each time: another process may have rotated.
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe is not waited for
        except FileNotFoundError:
            raise Unavailable("TP-VAULT-004", f"there is no key file at {self.path}") from None
        except OSError as error:
            raise Unavailable(
                "TP-VAULT-005", f"the key file at {self.path} cannot be read", why=error.strerror or ""
            ) from None
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            os.close(handle)
            raise Unavailable("TP-VAULT-005", f"the key file at {self.path} cannot be read", why="it is no plain file")
        with os.fdopen(handle, "rb") as file:
            if state.st_mode & 0o077 or state.st_uid != os.geteuid():
                raise Unavailable("TP-VAULT-006", f"the key file at {self.path} is not private to its owner")
            return _decode(file.read(), self.path)

    def _replace(self, current: str, keys: dict[str, SecretKey]) -> None:
        with _written(self.path), _beside(self.path, _encode(current, keys)) as whole:
            whole.replace(self.path)


@contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    """A file beside ``path`` that holds ``data`` durably, to be put in its place; gone afterwards. The folder is made durable."""
    whole = path.with_name(f".{path.name}.{new_id()}.tmp")
    handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield whole
    finally:
        whole.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """Turn errors of the disk into coded ones."""
    try:
        yield
    except OSError as error:
        code, what = "TP-VAULT-005", f"the key file at {path} cannot be written"
        if error.errno in {ENOSPC, EDQUOT}:
            code, what = "TP-VAULT-012", "the disk is full"
        raise Unavailable(code, what, why=error.strerror or "") from None


def _encode(current: str, keys: dict[str, SecretKey]) -> bytes:
    held = {key_id: b64encode(key.material).decode() for key_id, key in keys.items()}
    return json.dumps({"version": 1, "current": current, "keys": held}, indent=1).encode()


def _decode(data: bytes, path: Path) -> tuple[str, dict[str, SecretKey]]:
    damaged = Unavailable("TP-VAULT-005", f"the key file at {path} is damaged")
    try:
        body: Any = json.loads(data)
        keys = {key_id: SecretKey(key_id, b64decode(text, validate=True)) for key_id, text in body["keys"].items()}
        current = body["current"]
        if body["version"] != 1 or current not in keys or any(len(k.material) != KEY_SIZE for k in keys.values()):
            raise damaged
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Base64Error):
        raise damaged from None
    return current, keys


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
