"""The installed sandboxes: the entry points of the group ``trustplane.sandboxes``, built-in and foreign alike."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from trustplane.training.sandboxes.contract import Sandbox, SandboxDescriptor
from trustplane.values.errors import NotFound, Unavailable, nearest

GROUP = "trustplane.sandboxes"


def installed_sandboxes() -> Mapping[str, EntryPoint]:
    """Every installed sandbox by name; nothing is imported yet."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def open_sandbox(name: str) -> Sandbox:
    """The sandbox of that name.

    Raises ``NotFound`` if it is not installed and ``Unavailable`` if it does not keep the contract.
    """
    installed = installed_sandboxes()
    if name not in installed:
        raise NotFound("TP-RUN-008", f"no sandbox is called {name!r}", fix=nearest(name, list(installed)))
    return loaded(installed[name])


def loaded(entry: EntryPoint) -> Sandbox:
    """Import and build the sandbox of an entry point, which must describe itself by the entry point's name."""
    try:
        factory = entry.load()
    except (ImportError, AttributeError) as error:
        raise Unavailable(
            "TP-RUN-009", f"the sandbox {entry.name!r} cannot be loaded", why=type(error).__name__
        ) from error
    sandbox: Sandbox = factory()
    descriptor = getattr(sandbox, "descriptor", None)
    if not isinstance(descriptor, SandboxDescriptor) or descriptor.name != entry.name:
        raise Unavailable("TP-RUN-009", f"the sandbox {entry.name!r} does not describe itself by this name")
    return sandbox
