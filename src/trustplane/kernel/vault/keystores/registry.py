"""The key store of a workspace: the entry points of the group ``trustplane.keystores``."""

from trustplane.kernel.plugins import load_named
from trustplane.kernel.settings import Workspace
from trustplane.kernel.vault.keystores.contract import KeyStore


def create_keystore(workspace: Workspace) -> KeyStore:
    """Make the key store that the workspace names, with a fresh root."""
    store: KeyStore = load_named("keystores", workspace.key_store).create(workspace.key_location)
    return store


def open_keystore(workspace: Workspace) -> KeyStore:
    """Open the key store that the workspace names."""
    store: KeyStore = load_named("keystores", workspace.key_store).open(workspace.key_location)
    return store
