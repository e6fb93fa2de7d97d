"""Where a workspace keeps things: from the environment over the workspace's own ``trustplane.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from trustplane.values.errors import BadInput, NotFound

FILE = "trustplane.toml"


class Settings(BaseSettings):
    """What the environment says: ``TRUSTPLANE_DATABASE_URL``, ``TRUSTPLANE_BLOBS``, ``TRUSTPLANE_KEY_FILE`` for the
    key store ``key-file``, and ``TRUSTPLANE_KEY_STORE`` (``name:location``) for another one.
    """

    model_config = SettingsConfigDict(env_prefix="TRUSTPLANE_", extra="ignore")

    database_url: str | None = None
    key_file: Path | None = None
    key_store: str | None = None
    blobs: str | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace: its folder, what it is called, and where its parts lie."""

    folder: Path
    id: str
    origin: str
    database_url: str
    key_file: Path
    blobs: str
    key_store: str = "key-file"
    key_location: str = ""

    @property
    def ledger(self) -> Path:
        """The folder of tiles and the checkpoint."""
        return self.folder / "ledger"

    @property
    def jobs(self) -> Path:
        """The folder of the job runner."""
        return self.folder / "jobs"


def read_workspace(folder: Path, settings: Settings | None = None) -> Workspace:
    """The workspace in ``folder``; raise :class:`NotFound` if there is none."""
    file = folder / FILE
    if not file.is_file():
        raise NotFound("TP-PLANE-001", f"there is no workspace in {folder}")
    try:
        body = tomllib.loads(file.read_text("utf-8"))
        return _place(folder, body["workspace"]["id"], body["workspace"]["origin"], settings or Settings())
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError):
        raise BadInput("TP-PLANE-002", f"{file} is not a workspace file") from None


def write_workspace(folder: Path, workspace_id: str, origin: str, settings: Settings | None = None) -> Workspace:
    """Write the file that makes ``folder`` a workspace."""
    text = f'# A Trustplane workspace. The origin names its log and never changes.\n[workspace]\nversion = 1\nid = "{workspace_id}"\norigin = "{origin}"\n'
    (folder / FILE).write_text(text, "utf-8")
    return _place(folder, workspace_id, origin, settings or Settings())


def _place(folder: Path, workspace_id: str, origin: str, settings: Settings) -> Workspace:
    folder = folder.absolute()
    key_file = settings.key_file or folder / "keys" / "root.json"
    store, _, location = (settings.key_store or f"key-file:{key_file}").partition(":")
    return Workspace(
        folder,
        workspace_id,
        origin,
        settings.database_url or f"sqlite:///{folder / 'state.sqlite'}",
        key_file,
        settings.blobs or str(folder / "blobs"),
        store,
        location or str(key_file),
    )
